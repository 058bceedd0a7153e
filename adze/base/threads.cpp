#include "adze/base/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace adze {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

/// How long an idle worker looks for the next job before it sleeps: longer than the gap between two layers.
constexpr microseconds idle_spin{50};
/// How long the caller spins for a piece that another thread has begun before it sleeps.
constexpr microseconds wait_spin{20};
/// What a job may take longer than alone before that counts: interrupts, a cold cache.
constexpr microseconds slack{5};
/// Workers that took nothing in jobs of this length together do not get their core: it was time enough to wake up.
constexpr microseconds long_miss{300};
constexpr int payback = 10;

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::atomic<int> requested_threads{0};
thread_local bool inside_parallel = false;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Spins until done() or the time is over; says whether it was done.
template <typename Done>
bool spin(microseconds most, Done done) {
  constexpr int looks_per_reading = 32;
  const auto end = Clock::now() + most;
  do {
    for (int i = 0; i < looks_per_reading; ++i) {
      if (done()) return true;
      relax();
    }
  } while (Clock::now() < end);
  return done();
}

/// Workers for one job at a time. A job is cut into small pieces that its caller and the workers take in turn. Workers
/// that have not joined when the last piece is taken are not waited for.
class Pool {
 public:
  ~Pool() {
    stopping_ = true;
    ++job_;
    job_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  /// False: another caller has the pool, or it is paying back a long wait; nothing was done.
  bool run(std::int64_t count, std::int64_t piece, int threads, RangeBody body) {
    if (Clock::now().time_since_epoch().count() < alone_until_.load(std::memory_order_relaxed)) return false;
    if (taken_.exchange(true, std::memory_order_acquire)) return false;
    hire(threads - 1);
    body_ = &body;
    count_ = count;
    piece_ = piece;
    next_ = 0;
    error_ = nullptr;
    const auto begin = Clock::now();
    state_.store(open | static_cast<std::uint32_t>(threads - 1) * ticket, std::memory_order_release);
    ++job_;
    job_.notify_all();
    close(begin, take_pieces(), (count + piece - 1) / piece);
    const std::exception_ptr error = error_;
    taken_.store(false, std::memory_order_release);
    if (error) std::rethrow_exception(error);
    return true;
  }

 private:
  // state_: workers at work, tickets for those that may still join, and whether they may.
  static constexpr std::uint32_t worker = 1, ticket = 1u << 12, open = 1u << 31;
  static std::uint32_t working(std::uint32_t state) { return state % ticket; }
  static bool may_join(std::uint32_t state) { return (state & open) != 0 && (state & ~open) >= ticket; }

  void hire(int workers) {
    while (static_cast<int>(workers_.size()) < workers) {
      workers_.emplace_back([this, seen = job_.load()] { work(seen); });
    }
  }

  /// Lets nobody join any more and waits for those at work. Then judges whether they were a help: the caller took
  /// `taken` of all pieces.
  void close(Clock::time_point begin, std::int64_t taken, std::int64_t pieces) {
    std::uint32_t state = state_.fetch_and(~open, std::memory_order_acq_rel) & ~open;
    const auto closed = Clock::now();
    const Clock::duration worked = closed - begin;
    if (working(state) != 0) wait_for(state);
    if (taken == pieces) {
      missed_ += worked;
      if (missed_ > long_miss) stay_alone(missed_);
      return;
    }
    missed_ = {};
    const Clock::duration waited = Clock::now() - closed;
    const Clock::duration saved = worked / std::max<std::int64_t>(1, taken) * (pieces - taken);
    if (waited > saved + slack) stay_alone(waited);
  }

  void wait_for(std::uint32_t state) {
    spin(wait_spin, [&] { return working(state = state_.load(std::memory_order_acquire)) == 0; });
    while (working(state) != 0) {
      state_.wait(state, std::memory_order_acquire);
      state = state_.load(std::memory_order_acquire);
    }
  }

  void stay_alone(Clock::duration lost) {
    alone_until_.store((Clock::now() + payback * lost).time_since_epoch().count(), std::memory_order_relaxed);
    missed_ = {};
  }

  std::int64_t take_pieces() {
    inside_parallel = true;
    std::int64_t taken = 0;
    while (true) {
      const std::int64_t begin = next_.fetch_add(piece_, std::memory_order_relaxed);
      if (begin >= count_) break;
      ++taken;
      try {
        (*body_)(begin, std::min(count_, begin + piece_));
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
        next_ = count_;
      }
    }
    inside_parallel = false;
    return taken;
  }

  bool join() {
    std::uint32_t state = state_.load(std::memory_order_acquire);
    while (may_join(state)) {
      if (state_.compare_exchange_weak(state, state - ticket + worker, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  void work(std::uint32_t seen) {
    while (true) {
      if (!spin(idle_spin, [&] { return job_.load(std::memory_order_acquire) != seen; })) job_.wait(seen);
      seen = job_.load(std::memory_order_acquire);
      if (stopping_) return;
      if (!join()) continue;
      take_pieces();
      const std::uint32_t before = state_.fetch_sub(worker, std::memory_order_acq_rel);
      if (working(before) == 1 && (before & open) == 0) state_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::atomic<bool> taken_{false}, stopping_{false};
  std::atomic<std::uint32_t> job_{0}, state_{0};
  std::atomic<Clock::rep> alone_until_{0};
  Clock::duration missed_{};  ///< length of the last jobs together that no worker came for
  const RangeBody* body_ = nullptr;
  std::atomic<std::int64_t> next_{0};
  std::int64_t count_ = 0, piece_ = 1;
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

}  // namespace

void set_num_threads(int count) {
  requested_threads = std::max(0, count);
}

int num_threads() {
  const int requested = requested_threads;
  return requested > 0 ? requested : usable_cores();
}

void parallel_for(std::int64_t count, std::int64_t grain, RangeBody body, int most_threads) {
  if (count <= 0) return;
  grain = std::max<std::int64_t>(1, grain);
  constexpr std::int64_t most = 1024;
  const std::int64_t wanted = most_threads > 0 ? most_threads : num_threads();
  const std::int64_t threads = std::min({wanted, (count + grain - 1) / grain, most});
  constexpr std::int64_t pieces_per_thread = 8;  // more: better balance, more hand-outs
  const std::int64_t piece = std::max(grain, (count + threads * pieces_per_thread - 1) / (threads * pieces_per_thread));
  static Pool pool;
  if (threads <= 1 || inside_parallel || !pool.run(count, piece, static_cast<int>(threads), body)) body(0, count);
}

}  // namespace adze
