#pragma once

#include <optional>
#include <string_view>

#include "adze/device/profile.h"

namespace adze::device {

/// How a figure came about.
enum class Basis : std::uint8_t {
  Estimated,  ///< computed by a model
  Emulated,   ///< counted while the code ran under emulation
  Measured,   ///< on the device itself
};
std::string_view basis_name(Basis basis);

/// What a run costs on a device: always Estimated, from emulated instruction counts and the profile's linear model.
/// error fields are relative, as stated in the profile; not measured here.
struct Cost {
  Basis basis = Basis::Estimated;
  double cycles = 0;
  double cycles_error = 0;
  std::optional<double> seconds;  ///< nothing: the profile has no clock
  std::optional<double> joules;   ///< nothing: the profile has no energy figure
  double joules_error = 0;        ///< both models' errors added
};

/// Sum over classes of count times cycles per instruction; cycles over clock; cycles times energy per cycle.
/// Nothing when the profile has no cycle model.
std::optional<Cost> estimate_cost(const InstructionMix& mix, const Profile& profile);

}  // namespace adze::device
