// Threads that share the rows of a layer, and meet again microseconds later.
#pragma once

#include <atomic>
#include <chrono>
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

// Layers follow each other within microseconds, and a thread that sleeps wakes late: so for a while
// after some work it looks for more before it sleeps. One call at a time.
class Team {
 public:
  // `threads`: at least 1, the one that calls `share` among them.
  explicit Team(int threads);
  ~Team();

  int threads() const { return static_cast<int>(others_.size()) + 1; }

  // Calls `work` with each part of `parts`, as many as there are threads, at the same time.
  template <typename Work>
  void share(Work&& work) {
    begin([&](int part) { work(part, threads()); });
  }

  // Calls `work` with stripes of some rows at the same time, but with none that is empty.
  template <typename Work>
  void share_rows(std::int64_t rows, Work&& work) {
    share([&](int part, int parts) {
      const Stripe stripe(rows, part, parts);
      if (stripe.size() > 0) work(stripe);
    });
  }

 private:
  void begin(const std::function<void(int)>& work);
  void serve(int part);
  void end();

  std::mutex mutex_;
  std::condition_variable begun_;
  std::atomic<unsigned> round_{0};
  std::atomic<int> done_{0};
  bool closing_ = false;
  const std::function<void(int)>* work_ = nullptr;
  std::vector<std::thread> others_;
};

}  // namespace halves
