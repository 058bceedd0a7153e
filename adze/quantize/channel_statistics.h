#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/quantize/calibration.h"

namespace adze::quantize {

/// What is known of a value's channels: as if each were normally distributed.
struct ChannelStatistics {
  std::vector<double> mean, deviation;
};

/// Batch norms say what their outputs are like: mean β, deviation |γ|. Notes it at every layer whose output nothing but
/// a batch norm reads, as node metadata, so that folding the norm loses nothing. Call it before rewriting.
void note_batch_norms(Graph& graph);
/// What is noted at a layer about its own output.
std::optional<ChannelStatistics> noted_statistics(const Node& node);
void set_noted_statistics(Node& node, const ChannelStatistics& statistics);
void erase_noted_statistics(Graph& graph);

/// The axis of a layer's output that holds its channels: 1 behind convolutions, else the last.
std::int64_t output_channel_axis(const Node& layer, std::int64_t rank);

/// Means and deviations of the layers' own outputs over the data, run in float as written, by layer.
/// Throws ModelError when the data holds no sample.
std::unordered_map<NodeId, ChannelStatistics> measure_outputs(const Graph& graph, std::span<const NodeId> layers,
                                                              const CalibrationData& data, std::int64_t max_samples,
                                                              ProgressSink& progress);

}  // namespace adze::quantize
