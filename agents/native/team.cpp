#include "team.h"

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

Team::Team(int threads) {
  try {
    for (int part = 1; part < threads; ++part) others_.emplace_back([this, part] { serve(part); });
  } catch (const std::system_error&) {
    end();  // those that were begun
    throw;
  }
}

Team::~Team() { end(); }

void Team::end() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
    ++round_;
  }
  begun_.notify_all();
  for (std::thread& other : others_) other.join();
}

void Team::begin(const std::function<void(int)>& work) {
  if (!others_.empty()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_ = &work;
    done_ = 0;
    ++round_;
  }
  begun_.notify_all();
  work(0);
  const auto all_done = [this] { return done_ == static_cast<int>(others_.size()); };
  while (!soon(all_done)) std::this_thread::yield();
}

void Team::serve(int part) {
  for (unsigned seen = 0;; ++seen) {
    const auto begun = [&] { return round_ != seen; };
    if (!soon(begun)) {
      std::unique_lock<std::mutex> lock(mutex_);
      begun_.wait(lock, begun);
    }
    if (closing_) return;
    (*work_)(part);
    ++done_;
  }
}

// Null if the system has no threads left.
EXPORT Team* team_new(int threads) {
  try {
    return new Team(threads);
  } catch (const std::system_error&) {
    return nullptr;
  }
}

EXPORT void team_delete(Team* team) { delete team; }

}  // namespace halves
