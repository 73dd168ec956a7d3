// Tests that an exception in a task reaches the caller. Exits with 0 if it does.
#include "../../../mario/games/native/thread_pool.h"

#include <atomic>
#include <cstdio>
#include <stdexcept>

int main() {
  for (int threads = 1; threads <= 4; ++threads) {
    for (const bool caller_waits : {false, true}) {
      nes::ThreadPool pool(threads);
      for (int round = 0; round < 200; ++round) {
        std::atomic<int> done{0};
        bool caught = false;
        pool.start(
            8,
            [&](int task) {
              ++done;
              if (task == round % 8) throw std::runtime_error("broken");
            },
            caller_waits);
        try {
          pool.wait();
        } catch (const std::runtime_error&) {
          caught = true;
        }
        if (!caught || done != 8) return std::printf("round %d: %d tasks\n", round, done.load()), 1;
        pool.start(8, [&](int) { ++done; }, caller_waits);
        pool.wait();
        if (done != 16) return std::puts("the pool does not work after an exception"), 1;
      }
    }
  }
  return 0;
}
