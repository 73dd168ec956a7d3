#include "pool.h"

#include <algorithm>
#include <utility>

namespace nes {

Pool::Pool(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

Pool::~Pool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    next_ = count_;
    closing_ = true;
  }
  begun_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Pool::start(int count, std::function<void(int)> task, bool waited_for) {
  wait();
  const int awake = std::min(static_cast<int>(threads_.size()), count) - waited_for;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    task_ = std::move(task);
    next_ = 0;
    count_ = count;
    wanted_ = awake;
  }
  for (int i = 0; i < awake; ++i) begun_.notify_one();
}

void Pool::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  work(lock);
  done_.wait(lock, [this] { return running_ == 0; });
}

void Pool::serve() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    begun_.wait(lock, [this] { return closing_ || wanted_ > 0; });
    if (closing_) return;
    --wanted_;
    work(lock);
  }
}

void Pool::work(std::unique_lock<std::mutex>& lock) {
  while (next_ < count_) {
    const int task = next_++;
    ++running_;
    lock.unlock();
    task_(task);
    lock.lock();
    --running_;
  }
  if (running_ == 0) done_.notify_all();
}

}  // namespace nes
