#pragma once

#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/graph/graph.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/calibration.h"
#include "adze/quantize/options.h"

namespace adze::quantize {

/// How one activation was quantized.
struct ActivationReport {
  std::string value;         ///< name in the float graph
  double min = 0, max = 0;   ///< seen in calibration
  double low = 0, high = 0;  ///< what the codes cover
  AffineScale affine;
  double saturated = 0;           ///< share of the values seen that lie outside [low, high]
  std::vector<double> histogram;  ///< counts over equal bins from min to max, at most 128; empty when nothing was seen
};

/// Some of a convolution's kernels as they were and as they are stored, side by side in rows.
struct KernelSheet {
  std::int64_t height = 0, width = 0;  ///< of a kernel
  std::int64_t columns = 0;            ///< kernels in a row of the sheet
  std::int64_t colours = 1;            ///< 3: each kernel is a filter over red, green and blue, colour by colour
  bool by_input = false;  ///< a row is a filter, a column an input channel; else every kernel is a filter of its own
  std::vector<float> before, after;  ///< [kernel, colour, height, width]; empty: the layer has no such kernels
};

/// How one weight was quantized.
struct WeightReport {
  std::string value;
  std::string node;  ///< the layer that reads it
  Shape shape;
  std::int64_t num_scales = 1;  ///< 1: per tensor
  double sqnr_db = 0;           ///< of the codes against the float weights
  // Static and WeightOnly, layers only (describe_weights.h).
  int bits = 8;
  double limit = 0, error_limit = 0;  ///< the histograms reach from minus to plus this, the largest magnitude
  std::vector<double> histogram, restored_histogram, error_histogram;  ///< before, after, after minus before
  KernelSheet kernels;
};

/// What calibration data says about one quantized activation, and whether more of it would say something else.
struct ActivationDiagnosis {
  std::string value;
  double low = 0, high = 0;          ///< what the codes cover
  double coverage = 0;               ///< share of the codes that were used
  double saturated = 0;              ///< share of the values that were cut off
  double change = 0;                 ///< of the range when the first half of the data decides alone, relative to it
  double drift = 0;                  ///< largest distance between the two halves' distribution functions
  std::vector<std::string> remarks;  ///< what is worth looking at; empty: nothing
};

/// What quantization did, for reports.
struct QuantizeReport {
  std::vector<ActivationReport> activations;
  std::vector<WeightReport> weights;
  std::vector<std::string> quantized_nodes;
  std::vector<std::string> float_nodes;          ///< layers with weights that stayed float: skipped or not possible
  std::vector<ActivationDiagnosis> calibration;  ///< Static (diagnose.h)
  std::vector<std::string> methods;              ///< a line for each method about what it did
  std::int64_t num_samples = 0;
};

struct QuantizeOutcome {
  Graph graph;
  QuantizeReport report;
};

/// Post-training quantization to int8. The result is a standard ONNX graph of opset 21: QuantizeLinear and
/// DequantizeLinear pairs (Static), DynamicQuantizeLinear with ConvInteger and MatMulInteger (Dynamic), or
/// DequantizeLinear on stored weights (WeightOnly). Metadata "adze.quantization" records options, samples and seed.
/// Run rewrite::simplify() before: batch norms that are still there are folded first, other patterns stay as they are.
///
/// Throws  UsageError for options that cannot be; ModelError naming the node for NaN or infinite weights or
///         activations, for a graph that is quantized already, or when Static gets no calibration sample
/// Source  placement and restrictions follow the TFLite 8-bit quantization specification
QuantizeOutcome quantize(Graph graph, const CalibrationData& data, const PtqOptions& options,
                         ProgressSink& progress = silent_progress());

/// The values whose histograms static quantization of this graph needs.
std::vector<ValueId> values_to_observe(const Graph& graph, const PtqOptions& options);
/// Static quantization with histograms that are known already: many options can be tried after one observe().
/// The graph must be the one that was observed (same value ids).
QuantizeOutcome quantize_observed(const Graph& graph, const Observations& observations, const PtqOptions& options);
/// What quantize() does to the graph first: folds batch norms that are left. Observe the result of this.
Graph prepared(Graph graph);

/// Options worth trying, for searches.
struct PtqCandidate {
  std::string name;
  PtqOptions options;
};
/// Best first by experience: mse, percentile, max, entropy with per-channel weights, then per-tensor, weight-only.
std::vector<PtqCandidate> standard_candidates();

}  // namespace adze::quantize
