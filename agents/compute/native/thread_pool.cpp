#include "thread_pool.h"

#include <chrono>
#include <new>
#include <utility>

#include "export.h"

namespace compute {
namespace {

constexpr auto kSpinTime = std::chrono::microseconds(200);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Spins until the condition is true, for at most kSpinTime. Returns whether it is.
template <typename Condition>
bool spin_until(Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  while (!condition()) {
    for (int i = 0; i < 64 && !condition(); ++i) relax();
    if (std::chrono::steady_clock::now() > end) return condition();
  }
  return true;
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  try {
    for (int worker = 1; worker < threads; ++worker)
      workers_.emplace_back([this] { run_worker(); });
  } catch (...) {
    join();  // the workers that were started
    throw;
  }
}

ThreadPool::~ThreadPool() { join(); }

void ThreadPool::join() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  work_started_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

std::exception_ptr ThreadPool::take_error() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(error_, nullptr);
}

void ThreadPool::keep_error(std::exception_ptr error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!error_) error_ = std::move(error);
}

void ThreadPool::run(int parts, const std::function<void(int)>& work) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_ = &work;
    parts_done_ = 0;
    tickets_ = Tickets(parts) << 32;
  }
  work_started_.notify_all();
  take_parts();
  const auto all_done = [&] { return parts_done_ == parts; };
  while (!spin_until(all_done)) std::this_thread::yield();
}

void ThreadPool::take_parts() {
  while (has_parts(tickets_)) {
    const Tickets ticket = tickets_++;
    if (!has_parts(ticket)) return;
    guard([&] { (*work_)(int(std::uint32_t(ticket))); });
    ++parts_done_;
  }
}

void ThreadPool::run_worker() {
  const auto wanted = [this] { return closing_ || has_parts(tickets_); };
  for (;;) {
    if (!spin_until(wanted)) {
      std::unique_lock<std::mutex> lock(mutex_);
      work_started_.wait(lock, wanted);
    }
    if (closing_) return;
    take_parts();
  }
}

// Returns null if the system cannot start the threads, or has no memory for them.
EXPORT ThreadPool* thread_pool_new(int threads) {
  try {
    return new ThreadPool(threads);
  } catch (const std::exception&) {
    return nullptr;
  }
}

// Returns what went wrong in the work of the pool since the last call: 0 for nothing, 1 if memory
// ran out, 2 for anything else. The results of this work are then undefined.
EXPORT int thread_pool_error(ThreadPool* pool) {
  const std::exception_ptr error = pool->take_error();
  if (!error) return 0;
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return 1;
  } catch (...) {
    return 2;
  }
}

EXPORT void thread_pool_delete(ThreadPool* pool) { delete pool; }

}  // namespace compute
