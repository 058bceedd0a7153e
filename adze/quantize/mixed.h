#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "adze/evaluate/evaluate.h"
#include "adze/quantize/curves.h"

namespace adze::quantize {

/// What the budget of a mixed-precision network counts.
enum class BudgetKind : std::uint8_t {
  Bits,           ///< mean bits of a weight
  Bytes,          ///< of all weights of quantized layers, packed
  BitOperations,  ///< multiply-accumulates of one sample, times bits of weights, times bits of activations
  Latency,        ///< microseconds of one inference in the engine, measured
};

struct MixedBudget {
  BudgetKind kind = BudgetKind::Bits;
  double limit = 4.5;
  std::string latency = {};  ///< Latency only, instead of the limit: "3ms", "80%" of the network with 8 bits throughout
};

struct MixedOptions {
  std::vector<int> widths = {2, 3, 4, 5, 6, 8};  ///< by latency: stored_widths of each layer
  int refinements = 8;                           ///< exchanges between layers that are tried on the whole network
  std::filesystem::path curve_file;              ///< where curves are kept between runs; empty: nowhere
  std::string curve_key;                         ///< of the network, options and samples that the file is for
  LatencyTrialOptions latency;
};

struct MixedOutcome {
  std::vector<LayerBits> layer_bits;  ///< for set_layer_bits: every layer
  std::vector<LayerCurve> curves;
  double cost = 0;                   ///< in the budget's measure
  double predicted = 0;              ///< sum of the layers' damages
  double bound = 0;                  ///< of the Lagrangian: no allocation has a smaller sum
  double start = 0, measured = 0;    ///< output noise by signal of the whole network, before and after refinement
  std::vector<std::string> changes;  ///< what refinement did
  double limit = 0;                  ///< in the budget's measure
  // Latency only, in microseconds.
  std::vector<std::vector<WidthTime>> times;      ///< by layer and width
  double int8_us = 0, int8_error_us = 0;          ///< of the network with 8 bits throughout
  double measured_us = 0, measured_error_us = 0;  ///< of what was chosen, against it
};

/// Bits for every layer within a budget: curves one layer at a time, the least sum of damages by dynamic programming
/// (allocate.h), then exchanges of neighbouring widths between layers as long as the whole network's measured output
/// noise falls. A network chosen by latency is then timed as a whole; while it takes longer than it may, the choice is
/// made again with as much less to spend. Throws UsageError when not even the smallest widths fit.
MixedOutcome choose_widths(const Trials& trials, const PtqOptions& options, const MixedBudget& budget,
                           const MixedOptions& mixed, ProgressSink& progress);

/// "256KiB", "100kB", "70000". Throws UsageError.
std::int64_t parse_bytes(std::string_view text);

/// How raise_widths judges: labels and predictions of the same samples each time.
using JudgeFunction = std::function<EvaluateResult(const Graph& quantized)>;

struct RaiseStep {
  std::string what;                                    ///< "conv3 from w4a4 to w6a6"
  std::string why;                                     ///< "11 % of the damage"
  double top1 = 0;                                     ///< afterwards
  Interval interval;                                   ///< Wilson's, of it
  double drop = 0, lowest_drop = 0, highest_drop = 0;  ///< with the paired 95 % interval
  double p_value = 1;                                  ///< McNemar's mid-p
  std::int64_t weight_bits = 0;                        ///< of all layers, packed
  double mean_bits = 0;                                ///< of a weight
};

/// A quantized network's result against the float one's on the same samples; the words and bits left open.
RaiseStep judged(const EvaluateResult& exact, const EvaluateResult& found);

struct RaiseOutcome {
  std::vector<LayerBits> layer_bits;
  std::vector<RaiseStep> steps;  ///< the first: everything as low as the options say
  bool within_limit = false;
};

/// Starts with every layer at the options' bits and raises the layer whose raise saves the most damage, to the next of
/// the widths (weights and activations alike), until the upper end of the paired interval of the drop in top-1 is
/// within max_drop, or every layer has the most. exact: the float network's result on the same samples.
/// Source  the interval: Newcombe 1998 (evaluate/metrics.h)
RaiseOutcome raise_widths(const Trials& trials, const PtqOptions& options, double max_drop, const EvaluateResult& exact,
                          const JudgeFunction& judge, ProgressSink& progress);

}  // namespace adze::quantize
