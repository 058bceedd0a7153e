#include "cli/progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>

#include "adze/base/text.h"

namespace adze::cli {

namespace {

using Clock = std::chrono::steady_clock;

std::string duration_text(double seconds) {
  if (seconds < 60) return cat(fixed(seconds, seconds < 10 ? 1 : 0), " s");
  const auto whole = static_cast<long long>(seconds);
  return cat(whole / 60, " min ", whole % 60, " s");
}

class ProgressLine final : public ProgressSink {
 public:
  ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() override { clear(); }

  void begin(std::string_view phase, std::int64_t total, std::string_view unit) override {
    const std::lock_guard lock(mutex_);
    phase_ = phase;
    unit_ = unit;
    total_ = total;
    done_ = 0;
    next_tenth_ = 1;
    detail_.clear();
    start_ = Clock::now();
    last_drawn_ = {};
    active_ = true;
  }

  void advance(std::int64_t units, std::string_view detail) override {
    const std::lock_guard lock(mutex_);
    done_ += units;
    if (!detail.empty()) detail_ = detail;
    if (!active_) return;
    if (terminal_) {
      constexpr auto redraw_interval = std::chrono::milliseconds(100);
      if (Clock::now() - last_drawn_ < redraw_interval && done_ != total_) return;
      last_drawn_ = Clock::now();
      std::fprintf(stderr, "\r\033[K%s", text().c_str());
      std::fflush(stderr);
    } else if (total_ > 0 && done_ * 10 >= total_ * next_tenth_ && elapsed() > 1) {
      std::fprintf(stderr, "%s\n", text().c_str());
      next_tenth_ = done_ * 10 / total_ + 1;
    }
  }

  void end() override {
    const std::lock_guard lock(mutex_);
    clear();
    active_ = false;
  }

  void note(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    clear();
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
  }

 private:
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  void clear() {
    if (!terminal_ || !active_) return;
    std::fprintf(stderr, "\r\033[K");
    std::fflush(stderr);
  }

  std::string text() const {
    const double seconds = std::max(1e-3, elapsed());
    const double rate = static_cast<double>(done_) / seconds;
    std::string line = cat(phase_, "  ", done_);
    if (total_ > 0) line += cat("/", total_);
    line += cat(" ", unit_, "  ", fixed(rate, rate < 10 ? 1 : 0), " ", unit_, "/s");
    if (total_ > done_ && rate > 0)
      line += cat("  ", duration_text(static_cast<double>(total_ - done_) / rate), " left");
    if (!detail_.empty()) line += cat("  ", detail_);
    return line;
  }

  std::mutex mutex_;
  const bool terminal_;
  bool active_ = false;
  std::string phase_, unit_, detail_;
  std::int64_t total_ = 0, done_ = 0, next_tenth_ = 1;
  Clock::time_point start_, last_drawn_;
};

}  // namespace

std::unique_ptr<ProgressSink> make_progress_line() {
  return std::make_unique<ProgressLine>();
}

}  // namespace adze::cli
