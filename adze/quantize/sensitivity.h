#pragma once

#include <string>
#include <vector>

#include "adze/quantize/ptq.h"

namespace adze::quantize {

/// What quantizing one layer alone does to the network's outputs.
struct LayerSensitivity {
  std::string node;
  OpKind kind{};
  std::int64_t parameters = 0;  ///< weights of the layer
  double sqnr_db = 0;           ///< of all outputs against the float network's; small means sensitive
};

/// Quantizes one layer at a time and compares the outputs, over at most num_batches batches of data. Most sensitive
/// first: revert the first ones to float (PtqOptions::skip takes their names) to get accuracy back.
/// Cost: one run of the network per layer and batch.
std::vector<LayerSensitivity> sensitivities(const Graph& float_graph, const CalibrationData& data,
                                            const PtqOptions& options, std::int64_t num_batches,
                                            ProgressSink& progress = silent_progress());

}  // namespace adze::quantize
