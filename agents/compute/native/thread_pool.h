// Threads that share work in parts, and meet again microseconds later.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace halves {

// What one of several parts of some rows is.
struct Stripe {
  std::int64_t first, last;

  Stripe(std::int64_t rows, int part, int parts)
      : first(rows * part / parts), last(rows * (part + 1) / parts) {}
  std::int64_t size() const { return last - first; }
};

// More parts than threads: who is kept from its work by games, or by another program, leaves the
// rest of it to the others. What the parts are depends on nothing but the work, so that the same
// numbers come of it with any threads.
constexpr int kParts = 8;
constexpr std::int64_t kSome = 4096;  // numbers that are worth sharing, if little is done with each

// Layers follow each other within microseconds, and a thread that sleeps wakes late: so for a while
// after some work it looks for more before it sleeps. One call at a time.
class ThreadPool {
 public:
  // `threads`: at least 1, the one that calls `share` among them.
  explicit ThreadPool(int threads);
  ~ThreadPool();

  // Calls `work` with each number below `parts`, at most 2^31, several of them at the same time.
  template <typename Work>
  void share(int parts, Work&& work) {
    if (others_.empty() || parts == 1) {
      for (int part = 0; part < parts; ++part) work(part);
    } else {
      begin(parts, work);
    }
  }

  // Calls `work` with stripes of some rows: kParts, or fewer if they were to have less than `least`.
  template <typename Work>
  void share_rows(std::int64_t rows, std::int64_t least, Work&& work) {
    const int parts = int(std::min<std::int64_t>((rows + least - 1) / least, kParts));
    share(parts, [&](int part) { work(Stripe(rows, part, parts)); });
  }

 private:
  // How many parts there are, in the upper half; and how many of them were taken, or asked for.
  using Tickets = std::uint64_t;
  static bool left(Tickets tickets) { return std::uint32_t(tickets) < tickets >> 32; }

  void begin(int parts, const std::function<void(int)>& work);
  void take_parts();
  void serve();
  void end();

  std::mutex mutex_;
  std::condition_variable begun_;
  std::atomic<Tickets> tickets_{0};
  std::atomic<int> done_{0};
  std::atomic<bool> closing_{false};
  const std::function<void(int)>* work_ = nullptr;  // stays while a part of it is being done
  std::vector<std::thread> others_;
};

}  // namespace halves
