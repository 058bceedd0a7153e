#pragma once

#include <string>
#include <vector>

#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// Observations of both halves of the data, which add up to those of all of it.
struct HalvedObservations {
  Observations first, second;
  Observations all() const;
};
HalvedObservations observe_halves(const Graph& graph, std::span<const ValueId> values, const CalibrationData& data,
                                  std::int64_t max_samples, ProgressSink& progress);

/// The diagnosis of every activation that the options quantize. graph is the observed one.
/// Remarks: "narrow" below 10 % of the codes used, "saturates" above 1 % cut off, "not settled" above 5 % change,
/// "drifts" above a distance of 0.05.
std::vector<ActivationDiagnosis> diagnose(const Graph& graph, const HalvedObservations& observations,
                                          const PtqOptions& options);

}  // namespace adze::quantize
