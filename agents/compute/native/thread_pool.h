// A thread pool for work that is split into parts and finished within microseconds.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace compute {

// The `part`-th of `parts` contiguous ranges of [0, count).
struct Range {
  std::int64_t first, last;

  Range(std::int64_t count, int part, int parts)
      : first(count * part / parts), last(count * (part + 1) / parts) {}
  std::int64_t size() const { return last - first; }
};

// Number of parts, for any number of threads. It exceeds the usual number of threads, so that a
// thread delayed by another process leaves its remaining parts to the others. Parts depend only on
// the work, so results are identical for any number of threads.
constexpr int kParts = 8;
constexpr std::int64_t kMinElements = 4096;  // smallest part of cheap element-wise work

// Layers follow each other within microseconds, and a sleeping thread is slow to wake up: workers
// therefore spin for a while before they sleep. Only one call at a time is allowed.
class ThreadPool {
 public:
  // `threads`: at least 1. The thread that calls parallel_for() is one of them.
  explicit ThreadPool(int threads);
  ~ThreadPool();

  // Calls `work` without arguments in the calling thread. An exception ends only this call;
  // take_error() returns it.
  template <typename Work>
  void guard(Work&& work) {
    try {
      work();
    } catch (...) {  // an exception that leaves a thread or enters C code would end the process
      keep_error(std::current_exception());
    }
  }

  // Calls `work` with each number below `parts`, at most 2^31, several of them concurrently. An
  // exception in a part ends only this part; take_error() returns it.
  template <typename Work>
  void parallel_for(int parts, Work&& work) {
    if (workers_.empty() || parts == 1) {
      for (int part = 0; part < parts; ++part) guard([&] { work(part); });
    } else {
      run(parts, std::ref(work));  // a copy of `work` would need memory
    }
  }

  // Calls `work` with ranges of [0, count): kParts of them, or fewer so that none is smaller than
  // `min_size`.
  template <typename Work>
  void parallel_for_ranges(std::int64_t count, std::int64_t min_size, Work&& work) {
    const int parts = int(std::min<std::int64_t>((count + min_size - 1) / min_size, kParts));
    parallel_for(parts, [&](int part) { work(Range(count, part, parts)); });
  }

  // Returns the first exception since the last call, or null. The callers of the exported functions
  // are C code, through which no exception may pass.
  std::exception_ptr take_error();

 private:
  // Upper 32 bits: number of parts. Lower 32 bits: the next part to take; it may exceed the number.
  using Tickets = std::uint64_t;
  static bool has_parts(Tickets tickets) { return std::uint32_t(tickets) < tickets >> 32; }

  void keep_error(std::exception_ptr error);
  void run(int parts, const std::function<void(int)>& work);
  void take_parts();
  void run_worker();
  void join();

  std::mutex mutex_;
  std::condition_variable work_started_;
  std::atomic<Tickets> tickets_{0};
  std::atomic<int> parts_done_{0};
  std::atomic<bool> closing_{false};
  const std::function<void(int)>* work_ = nullptr;  // valid while any of its parts is running
  std::exception_ptr error_;  // guarded by mutex_
  std::vector<std::thread> workers_;
};

}  // namespace compute
