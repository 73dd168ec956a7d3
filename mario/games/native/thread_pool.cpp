#include "thread_pool.h"

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

namespace nes {

ThreadPool::ThreadPool(int threads) {
  try {
    for (int i = 0; i < threads; ++i) workers_.emplace_back([this] { run_worker(); });
  } catch (const std::system_error&) {
    join();  // the workers that were started
    throw;
  }
}

ThreadPool::~ThreadPool() { join(); }

void ThreadPool::join() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    next_ = count_;
    closing_ = true;
  }
  round_started_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::start(int count, std::function<void(int)> task, bool caller_waits) {
  wait();
  const int workers = std::min(static_cast<int>(workers_.size()), count) - caller_waits;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    task_ = std::move(task);
    next_ = 0;
    count_ = count;
    missing_workers_ = workers;
  }
  for (int i = 0; i < workers; ++i) round_started_.notify_one();
}

void ThreadPool::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  run_tasks(lock);
  round_done_.wait(lock, [this] { return running_ == 0; });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::run_worker() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    round_started_.wait(lock, [this] { return closing_ || missing_workers_ > 0; });
    if (closing_) return;
    --missing_workers_;
    run_tasks(lock);
  }
}

void ThreadPool::run_tasks(std::unique_lock<std::mutex>& lock) {
  while (next_ < count_) {
    const int task = next_++;
    ++running_;
    lock.unlock();
    std::exception_ptr error;
    try {
      task_(task);
    } catch (...) {  // an exception that leaves a thread would end the process
      error = std::current_exception();
    }
    lock.lock();
    if (error && !error_) error_ = error;
    --running_;
  }
  if (running_ == 0) round_done_.notify_all();
}

}  // namespace nes
