#include "adze/train/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::train {

namespace {

constexpr std::array<std::string_view, 3> names = {"constant", "cosine", "step"};

double stepped(const ScheduleOptions& options, double epoch, double epochs) {
  std::vector<double> milestones = options.milestones;
  if (milestones.empty()) milestones = {epochs / 2, epochs * 3 / 4};
  const auto passed = std::count_if(milestones.begin(), milestones.end(), [&](double one) { return epoch >= one; });
  return options.learning_rate * std::pow(options.gamma, static_cast<double>(passed));
}

}  // namespace

std::string_view schedule_name(ScheduleKind kind) {
  return names[static_cast<std::size_t>(kind)];
}

ScheduleKind schedule_from_name(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<ScheduleKind>(i);
  }
  const std::vector<std::string> candidates(names.begin(), names.end());
  throw UsageError(cat("no schedule is called ", quoted(name)), cat("did you mean ", nearest(name, candidates), "?"));
}

void check_schedule(const ScheduleOptions& options, double epochs) {
  const auto refuse = [](std::string_view what, double value) { throw UsageError(cat(what, " is ", value)); };
  if (!(options.learning_rate > 0) || !std::isfinite(options.learning_rate)) {
    refuse("the learning rate", options.learning_rate);
  }
  if (!(options.final_rate >= 0) || options.final_rate > options.learning_rate) {
    refuse("the final learning rate", options.final_rate);
  }
  if (!(options.warmup_epochs >= 0) || options.warmup_epochs > epochs) refuse("the warm-up", options.warmup_epochs);
  if (!(options.gamma > 0) || options.gamma > 1) refuse("gamma", options.gamma);
}

double learning_rate_at(const ScheduleOptions& options, double epoch, double epochs) {
  if (epoch < options.warmup_epochs) return options.learning_rate * epoch / options.warmup_epochs;
  switch (options.kind) {
    case ScheduleKind::Constant:
      return options.learning_rate;
    case ScheduleKind::Step:
      return stepped(options, epoch, epochs);
    case ScheduleKind::Cosine: {
      const double length = std::max(epochs - options.warmup_epochs, 1e-9);
      const double done = std::min((epoch - options.warmup_epochs) / length, 1.0);
      const double share = (1 + std::cos(std::numbers::pi * done)) / 2;
      return options.final_rate + (options.learning_rate - options.final_rate) * share;
    }
  }
  return options.learning_rate;
}

}  // namespace adze::train
