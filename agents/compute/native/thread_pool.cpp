#include "thread_pool.h"

#include <chrono>
#include <system_error>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace halves {
namespace {

constexpr auto kPatience = std::chrono::microseconds(200);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Whether something comes true within kPatience, looked for without pause.
template <typename Condition>
bool soon(Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    for (int i = 0; i < 64 && !condition(); ++i) relax();
    if (std::chrono::steady_clock::now() > end) return condition();
  }
  return true;
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  try {
    for (int other = 1; other < threads; ++other) others_.emplace_back([this] { serve(); });
  } catch (const std::system_error&) {
    end();  // those that were begun
    throw;
  }
}

ThreadPool::~ThreadPool() { end(); }

void ThreadPool::end() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  begun_.notify_all();
  for (std::thread& other : others_) other.join();
}

void ThreadPool::begin(int parts, const std::function<void(int)>& work) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_ = &work;
    done_ = 0;
    tickets_ = Tickets(parts) << 32;
  }
  begun_.notify_all();
  take_parts();
  const auto all_done = [&] { return done_ == parts; };
  while (!soon(all_done)) std::this_thread::yield();
}

void ThreadPool::take_parts() {
  while (left(tickets_)) {
    const Tickets ticket = tickets_++;
    if (!left(ticket)) return;
    (*work_)(int(std::uint32_t(ticket)));
    ++done_;
  }
}

void ThreadPool::serve() {
  const auto wanted = [this] { return closing_ || left(tickets_); };
  for (;;) {
    if (!soon(wanted)) {
      std::unique_lock<std::mutex> lock(mutex_);
      begun_.wait(lock, wanted);
    }
    if (closing_) return;
    take_parts();
  }
}

// Null if the system has no threads left.
EXPORT ThreadPool* team_new(int threads) {
  try {
    return new ThreadPool(threads);
  } catch (const std::system_error&) {
    return nullptr;
  }
}

EXPORT void team_delete(ThreadPool* pool) { delete pool; }

}  // namespace halves
