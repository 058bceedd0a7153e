#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace adze::train {

/// How the learning rate moves over the epochs.
enum class ScheduleKind : std::uint8_t {
  Constant,
  Cosine,  ///< half a cosine from the first rate to the last: Loshchilov and Hutter, arXiv:1608.03983, one period
  Step,    ///< times gamma at each milestone
};

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::Cosine;
  double learning_rate = 0.1;
  double final_rate = 0;                ///< Cosine: where it ends
  double warmup_epochs = 0;             ///< a straight line from 0 before anything else
  std::vector<double> milestones = {};  ///< Step: epochs; empty: half and three quarters of all
  double gamma = 0.1;
};

std::string_view schedule_name(ScheduleKind kind);
/// Throws UsageError with the nearest name.
ScheduleKind schedule_from_name(std::string_view name);
/// Throws UsageError naming the option that cannot be.
void check_schedule(const ScheduleOptions& options, double epochs);

/// The rate after `epoch` (with fraction) of `epochs` epochs.
double learning_rate_at(const ScheduleOptions& options, double epoch, double epochs);

}  // namespace adze::train
