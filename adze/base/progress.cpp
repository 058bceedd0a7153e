#include "adze/base/progress.h"

#include "adze/base/error.h"

namespace adze {

namespace {

class SilentProgress final : public ProgressSink {
 public:
  void begin(std::string_view, std::int64_t, std::string_view) override {}
  void advance(std::int64_t, std::string_view) override {}
  void end() override {}
  void note(std::string_view) override {}
};

}  // namespace

ProgressSink& silent_progress() {
  static SilentProgress sink;
  return sink;
}

std::atomic<bool>& cancel_flag() {
  static std::atomic<bool> flag{false};
  return flag;
}

void check_cancelled() {
  if (cancel_flag().load(std::memory_order_relaxed)) throw Interrupted();
}

}  // namespace adze
