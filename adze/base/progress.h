#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace adze {

/// Where long work reports how far it is. The library never prints: cli and python draw these.
/// Implementations must accept calls from several threads.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  /// A phase starts: its name, how many units of work it has (0 = unknown) and what a unit is ("images").
  virtual void begin(std::string_view phase, std::int64_t total, std::string_view unit) = 0;
  /// Units done since the last call; detail is a short live text, such as the best result so far.
  virtual void advance(std::int64_t units, std::string_view detail = {}) = 0;
  virtual void end() = 0;
  /// One line that is worth keeping: something was skipped, refused or chosen.
  virtual void note(std::string_view text) = 0;
};

/// A sink that ignores everything.
ProgressSink& silent_progress();

/// Begins a phase and ends it at scope exit.
class ProgressPhase {
 public:
  ProgressPhase(ProgressSink& sink, std::string_view phase, std::int64_t total, std::string_view unit = "steps")
      : sink_(sink) {
    sink_.begin(phase, total, unit);
  }
  ~ProgressPhase() { sink_.end(); }
  ProgressPhase(const ProgressPhase&) = delete;
  ProgressPhase& operator=(const ProgressPhase&) = delete;

  void advance(std::int64_t units = 1, std::string_view detail = {}) { sink_.advance(units, detail); }

 private:
  ProgressSink& sink_;
};

/// Set by the command's signal handler or by a caller; long loops poll it.
std::atomic<bool>& cancel_flag();
/// Throws Interrupted when cancel_flag() is set.
void check_cancelled();

}  // namespace adze
