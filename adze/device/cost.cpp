#include "adze/device/cost.h"

namespace adze::device {

std::string_view basis_name(Basis basis) {
  constexpr std::string_view names[] = {"estimated", "emulated", "measured"};
  return names[static_cast<std::size_t>(basis)];
}

std::optional<Cost> estimate_cost(const InstructionMix& mix, const Profile& profile) {
  if (!profile.cycles) return std::nullopt;
  Cost cost;
  for (std::size_t i = 0; i < instruction_classes; ++i) {
    cost.cycles += static_cast<double>(mix.counts[i]) * profile.cycles->per_instruction[i];
  }
  cost.cycles_error = profile.cycles->error;
  if (profile.clock_hz > 0) cost.seconds = cost.cycles / profile.clock_hz;
  if (profile.energy.joules_per_cycle) {
    cost.joules = cost.cycles * *profile.energy.joules_per_cycle;
    cost.joules_error = cost.cycles_error + profile.energy.error;
  }
  return cost;
}

}  // namespace adze::device
