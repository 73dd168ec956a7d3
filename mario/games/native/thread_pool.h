// Threads that run numbered tasks.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nes {

// The tasks of a round must be independent of each other, so that results do not depend on the
// number of threads.
class ThreadPool {
 public:
  // `threads`: at least 1.
  explicit ThreadPool(int threads);

  // Waits for the running tasks and drops those that have not started.
  ~ThreadPool();

  // Waits for the current round, then starts the next one: calls `task` with each number below
  // `count`. Set `caller_waits` if wait() follows immediately: the caller then runs tasks too, and
  // one worker less is woken.
  void start(int count, std::function<void(int)> task, bool caller_waits);

  // Runs tasks until none is left, then waits until all are done. Throws the first exception that a
  // task of the round has thrown; the other tasks are run all the same.
  void wait();

 private:
  void join();
  void run_worker();
  void run_tasks(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable round_started_, round_done_;
  std::function<void(int)> task_;
  int next_ = 0, count_ = 0;  // tasks of the round
  int running_ = 0;           // tasks that are running
  int missing_workers_ = 0;   // workers that have yet to join the round
  std::exception_ptr error_;  // the first of the round
  bool closing_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace nes
