#include "adze/base/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace adze {

namespace {

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::atomic<int> requested_threads{0};
thread_local bool inside_parallel = false;

/// Workers that wait for one job at a time. A job is cut into pieces that workers and the caller take in turn.
class Pool {
 public:
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  void run(std::int64_t count, std::int64_t piece, int threads,
           const std::function<void(std::int64_t, std::int64_t)>& body) {
    const std::lock_guard one_job(job_mutex_);
    {
      const std::lock_guard lock(mutex_);
      while (static_cast<int>(workers_.size()) < threads - 1) {
        workers_.emplace_back([this, index = workers_.size()] { work(static_cast<int>(index)); });
      }
      body_ = &body;
      count_ = count;
      piece_ = piece;
      next_ = 0;
      helpers_ = threads - 1;
      running_ = threads - 1;
      error_ = nullptr;
      ++generation_;
    }
    wake_.notify_all();
    take_pieces();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void take_pieces() {
    inside_parallel = true;
    while (true) {
      const std::int64_t begin = next_.fetch_add(piece_);
      if (begin >= count_) break;
      try {
        (*body_)(begin, std::min(count_, begin + piece_));
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_ = count_;
      }
    }
    inside_parallel = false;
  }

  void work(int index) {
    std::uint64_t seen = 0;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || (generation_ != seen && index < helpers_); });
        if (stopping_) return;
        seen = generation_;
      }
      take_pieces();
      {
        const std::lock_guard lock(mutex_);
        --running_;
      }
      done_.notify_one();
    }
  }

  std::mutex job_mutex_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  const std::function<void(std::int64_t, std::int64_t)>* body_ = nullptr;
  std::atomic<std::int64_t> next_{0};
  std::int64_t count_ = 0, piece_ = 1;
  int helpers_ = 0, running_ = 0;
  std::uint64_t generation_ = 0;
  bool stopping_ = false;
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

void parallel_for(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count <= 0) return;
  grain = std::max<std::int64_t>(1, grain);
  const int threads = static_cast<int>(std::min<std::int64_t>(num_threads(), (count + grain - 1) / grain));
  if (threads <= 1 || inside_parallel) {
    body(0, count);
    return;
  }
  static Pool pool;
  constexpr std::int64_t pieces_per_thread = 4;  // more: better balance, more hand-outs
  const std::int64_t piece = std::max(grain, (count + threads * pieces_per_thread - 1) / (threads * pieces_per_thread));
  pool.run(count, piece, threads, body);
}

}  // namespace adze
