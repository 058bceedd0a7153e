#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/engine/session.h"

namespace adze {

struct LatencyOptions {
  double warm_up_seconds = 0.1;
  double seconds = 1.0;  ///< time to measure for, after warming up
  int min_runs = 10;     ///< even when the time is over
  int max_runs = 1'000'000;
  std::uint64_t seed = 0;  ///< of the random inputs
  int threads = 1;
  std::string isa;  ///< as in SessionOptions
  Compute compute = Compute::F32;
  std::map<std::string, Shape> input_shapes;  ///< of inputs with open dimensions; open ones not named here become 1
  LowBitInputs low_bit_inputs = LowBitInputs::Float;  ///< as in SessionOptions
  Tune tune = Tune::Off;                              ///< these three as in SessionOptions
  std::string tune_file, weight_file;
  bool per_layer = false;  ///< fill steps, in a second pass that does not count
};

/// Wall time of one run, measured.
struct LatencyResult {
  double p50_us = 0, p90_us = 0, p99_us = 0, p999_us = 0;
  double min_us = 0, mean_us = 0;
  int runs = 0;
  int threads = 1;
  std::string isa;
  /// The machine was disturbed: the 90th percentile is more than 1.3 times the median.
  bool noisy = false;
  std::int64_t arena_bytes = 0, packed_weight_bytes = 0;
  double creation_ms = 0;  ///< making the session, from the graph or the file: 0 when it was given
  /// Growth of resident memory at its highest, from before the file was read until after the first run. Only of files.
  std::int64_t peak_memory_bytes = 0;
  std::vector<double> samples_us;  ///< in the order they were taken
  std::vector<StepInfo> steps;     ///< seconds over `calls` runs, when asked
};

/// Runs the graph on random inputs until the time is over. Throws what Session throws; Interrupted.
LatencyResult measure_latency(const Graph& graph, const LatencyOptions& options = {},
                              ProgressSink& progress = silent_progress());

/// The same for a model's file, as an application opens it (Session::open).
LatencyResult measure_latency(const std::filesystem::path& model, const std::function<Graph()>& read,
                              const LatencyOptions& options = {}, ProgressSink& progress = silent_progress());

/// Runs an already prepared session (not counting its making) on the given inputs.
LatencyResult measure_latency(Session& session, const std::vector<Tensor>& inputs, const LatencyOptions& options,
                              ProgressSink& progress = silent_progress());

/// Two networks measured by turns of a few milliseconds: what disturbs the machine disturbs both alike.
struct PairedLatency {
  LatencyResult first, second;
  double speedup = 1;  ///< median over the turns of first's median run over second's
  double speedup_low = 1,
         speedup_high = 1;  ///< 95 % interval of that median, from the turns' order (six turns at least)
};
PairedLatency measure_paired_latency(const Graph& first, const Graph& second, const LatencyOptions& options = {},
                                     ProgressSink& progress = silent_progress());

/// Inputs for a graph with concrete shapes: floats normal, 8-bit integers over their range, other integers 0 or 1.
std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed);
std::vector<Tensor> random_inputs(const std::vector<Port>& inputs, std::uint64_t seed);

}  // namespace adze
