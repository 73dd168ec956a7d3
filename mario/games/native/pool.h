// Threads that do numbered tasks together.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nes {

// The tasks of a round must not depend on each other; then what comes of them does not depend on
// the number of threads.
class Pool {
 public:
  // `threads`: at least 1.
  explicit Pool(int threads);
  ~Pool();  // waits for the tasks under way; those not begun are left

  // Starts a round: `task` is called with 0 to count - 1. If it is `waited_for` at once, one thread
  // fewer is woken, as the one that waits does tasks too. Waits for the round under way first.
  void start(int count, std::function<void(int)> task, bool waited_for);

  // Does what is left to do, and waits until all is done.
  void wait();

 private:
  void serve();
  void work(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable begun_, done_;
  std::function<void(int)> task_;
  int next_ = 0, count_ = 0;  // tasks
  int running_ = 0;           // tasks under way
  int wanted_ = 0;            // threads still to join the round
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace nes
