#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/numerics/histogram.h"

namespace adze {
class Dataset;
class Session;
struct SessionOptions;
}  // namespace adze

namespace adze::quantize {

/// Where calibration inputs come from: batches by index, so that they can be read again and need not be kept.
struct CalibrationData {
  std::int64_t num_batches = 0;
  /// The input tensors of one batch, in the order of graph.inputs(); samples along their first axis.
  std::function<std::vector<Tensor>(std::int64_t batch)> batch;
};

/// Calibration data over tensors that are in memory.
CalibrationData calibration_from(std::vector<std::vector<Tensor>> batches);
/// Calibration data drawn from a data set: that many samples (all when 0), equal counts of each class, the same for the
/// same seed. Samples that cannot be decoded are left out (the data set records them). batch_size is 1 for networks
/// whose batch dimension is fixed.
CalibrationData calibration_from(std::shared_ptr<const Dataset> dataset, std::int64_t samples, std::int64_t batch_size,
                                 std::uint64_t seed);

/// The extremes of batches, averaged: plainly over the first 100, then with weight 1/100 for a new one.
/// Source  Jacob et al., arXiv:1712.05877, section 3.1
struct MovingRange {
  double low = 0, high = 0;
  std::int64_t batches = 0;

  void add(double batch_low, double batch_high);
  void merge(const MovingRange& other);
};

/// What calibration saw: a histogram per value, by its id in the graph that was run.
struct Observations {
  std::unordered_map<ValueId, Histogram> histograms;
  std::unordered_map<ValueId, MovingRange> moving;
  std::int64_t num_samples = 0;

  /// Adds what another run over the same graph saw.
  void merge(const Observations& other);
};

/// A graph as written, in float, on all cores.
SessionOptions float_session_options();

/// Runs a session over the data, at most so many samples (0: all), for what it lets see. Returns how many there were.
/// Throws ModelError when there were none.
std::int64_t run_samples(Session& session, const CalibrationData& data, std::int64_t max_samples,
                         std::string_view phase, ProgressSink& progress);

/// Runs the float graph over the data and gathers the histograms of the given values, graph inputs among them.
/// Memory is bounded by the number of values, not by the data. Throws ModelError naming the value's node on NaN or
/// infinity, and when the data holds no sample.
Observations observe(const Graph& graph, std::span<const ValueId> values, const CalibrationData& data,
                     std::int64_t max_samples, ProgressSink& progress);

}  // namespace adze::quantize
