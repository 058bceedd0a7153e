#pragma once

#include <functional>
#include <vector>

#include "adze/quantize/curves.h"

namespace adze::quantize {

/// The widths of weights that the engine runs differently, by operator, ascending, float_bits among them: any other
/// runs as the next of them. Measured (docs/kernels.md): products have kernels for 2 and 4 bits, convolutions unpack
/// their weights to bytes when a session starts, so that fewer than 8 bits gain nothing.
std::vector<int> stored_widths(const Node& layer);

/// How long one inference at batch 1 takes, in microseconds, and the standard error of that.
struct MeasuredTime {
  double us = 0;
  double error_us = 0;
};

/// Times quantized networks in the engine, in integers, on random inputs. Two networks take turns and their difference
/// is the median of paired ones, so that a disturbed machine disturbs both; with one thread it is the thread's
/// processor time.
class LatencyTrials {
 public:
  LatencyTrials(const Trials& trials, const PtqOptions& options, const LatencyTrialOptions& settings = {});

  /// Every layer at 8 bits.
  const MeasuredTime& base() const { return base_; }
  /// What these widths, 8 bits where none is given, add to base(); negative when they are faster.
  MeasuredTime change(const std::vector<LayerBits>& layer_bits) const;
  /// The same for one layer alone. Where the difference of the whole networks drowns in noise, it is the difference of
  /// the fastest calls of the layer's own steps within them, but in float, where quantizers around it count too.
  WidthTime layer_change(NodeId layer, int bits) const;
  /// Machine, threads, operator, attributes and shapes: what a layer's time depends on.
  std::string problem(NodeId layer) const;

 private:
  Graph stored(const std::vector<LayerBits>& layer_bits) const;

  const Trials& trials_;
  const PtqOptions& options_;
  LatencyTrialOptions settings_;
  int activation_bits_;
  MeasuredTime base_;
};

/// Every layer's change at every width of its curve. Widths that run alike (stored_widths) are measured
/// once, and so are layers with the same problem. `known` holds what earlier runs found and is added to; save is called
/// after each new one.
std::vector<std::vector<WidthTime>> width_times(const LatencyTrials& latency, const Trials& trials,
                                                const std::vector<LayerCurve>& curves, std::vector<WidthTime>& known,
                                                const std::function<void()>& save, ProgressSink& progress);

/// "3ms", "250us", "0.5s" in microseconds; "80%" as a share of int8_us. Throws UsageError.
double parse_latency(const std::string& text, double int8_us);

}  // namespace adze::quantize
