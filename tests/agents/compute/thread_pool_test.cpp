// Tests that an exception in the work is kept for the caller. Exits with 0 if it is.
#include "../../../agents/compute/native/thread_pool.h"

#include <atomic>
#include <cstdio>
#include <new>
#include <stdexcept>

extern "C" int thread_pool_error(compute::ThreadPool* pool);

int main() {
  for (int threads = 1; threads <= 4; ++threads) {
    compute::ThreadPool pool(threads);
    for (int round = 0; round < 200; ++round) {
      const bool no_memory = round % 2;
      std::atomic<int> done{0};
      pool.parallel_for(8, [&](int part) {
        ++done;
        if (part != round % 8) return;
        if (no_memory) throw std::bad_alloc();
        throw std::runtime_error("broken");
      });
      if (done != 8) return std::printf("round %d: %d parts\n", round, done.load()), 1;
      if (thread_pool_error(&pool) != 2 - no_memory) return std::puts("the error is lost"), 1;
      pool.parallel_for(8, [&](int) { ++done; });
      if (done != 16) return std::puts("the pool does not work after an exception"), 1;
      if (thread_pool_error(&pool) != 0) return std::puts("the error is reported twice"), 1;
      pool.guard([] { throw std::bad_alloc(); });
      if (thread_pool_error(&pool) != 1) return std::puts("the caller's error is lost"), 1;
    }
  }
  return 0;
}
