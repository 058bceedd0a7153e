#include "adze/quantize/methods.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/quantize/awq.h"
#include "adze/quantize/bias_correction.h"
#include "adze/quantize/block_rounding.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/equalize.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/rounding.h"
#include "adze/quantize/smooth.h"
#include "adze/quantize/split_channels.h"

namespace adze::quantize {

namespace {

/// Measures what no batch norm has said. Without data it stays unknown.
void note_measured(Graph& graph, const Methods& methods, const CalibrationData& data, ProgressSink& progress) {
  std::vector<NodeId> unknown;
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (weight_input(graph, node) && !noted_statistics(node)) unknown.push_back(id);
  }
  if (unknown.empty() || data.num_batches == 0) return;
  for (const auto& [id, statistics] : measure_outputs(graph, unknown, data, methods.samples, progress)) {
    set_noted_statistics(graph.node(id), statistics);
  }
}

std::string layers_left(const std::vector<std::string>& left) {
  return left.empty() ? std::string() : cat("; left as they are: ", join(left, ", "));
}

std::string equalize(Graph& graph) {
  EqualizeReport report = equalize_layers(graph, true);
  absorb_high_biases(graph, report);
  infer_types(graph);
  std::string line =
      cat("equalize: ", report.pairs, " pairs of layers in ", report.rounds, " rounds, largest factor ",
          fixed(report.largest_factor, 2), ", high biases of ", report.absorbed_channels, " channels absorbed");
  if (report.opened_clips > 0) line += cat("; ", report.opened_clips, " Clips became Relus");
  return line;
}

/// Nearest codes' errors against those chosen, as a mean of ratios: layers differ in size.
std::string round(const Graph& exact, Graph& quantized, const PtqOptions& options, const CalibrationData& data,
                  ProgressSink& progress) {
  const RoundingReport report = round_weights(exact, quantized, options, data, progress);
  double ratio = 0;
  std::int64_t changed = 0, weights = 0;
  for (const LayerRounding& layer : report.layers) {
    ratio += layer.nearest_error > 0 ? layer.error / layer.nearest_error : 1;
    changed += layer.changed;
    weights += layer.weights;
  }
  const double layers = std::max<double>(1, static_cast<double>(report.layers.size()));
  return cat(rounding_name(options.methods.rounding), ": ", report.layers.size(), " layers, ", changed, " of ", weights,
             " codes moved, output error ", fixed(100 * ratio / layers, 1), " % of nearest rounding's",
             layers_left(report.left));
}

/// Blocks of several layers together, the others one by one.
std::string round_blocks(const Graph& exact, Graph& quantized, const PtqOptions& options, const CalibrationData& data,
                         ProgressSink& progress) {
  const std::vector<Block> blocks = find_blocks(exact);
  ProgressPhase phase(progress, "block reconstruction", std::ssize(blocks), "blocks");
  RoundingReport single;
  double ratio = 0;
  std::int64_t changed = 0, weights = 0, count = 0, together = 0;
  const auto add = [&](double nearest_error, double error, std::int64_t moved, std::int64_t all) {
    ratio += nearest_error > 0 ? error / nearest_error : 1;
    changed += moved;
    weights += all;
    ++count;
  };
  for (const Block& block : blocks) {
    check_cancelled();
    const std::string name = exact.node(block.layers[0]).name;
    std::optional<BlockRounding> rounded;
    if (block.layers.size() > 1) rounded = round_block(exact, quantized, block, options, data);
    if (rounded) {
      add(rounded->nearest_error, rounded->error, rounded->changed, rounded->weights);
      together += std::ssize(block.layers);
      phase.advance(1, cat(name, " and ", block.layers.size() - 1, " more: error ", rounded->nearest_error, " -> ",
                           rounded->error));
      continue;
    }
    std::vector<std::string> names;
    for (const NodeId id : block.layers) names.push_back(exact.node(id).name);
    for (LayerRounding& layer : round_layers(exact, quantized, names, options, data, single.left)) {
      add(layer.nearest_error, layer.error, layer.changed, layer.weights);
    }
    phase.advance(1, name);
  }
  return cat("block reconstruction: ", together, " layers in blocks, ", changed, " of ", weights,
             " codes moved, output error ",
             fixed(100 * ratio / static_cast<double>(std::max<std::int64_t>(1, count)), 1), " % of nearest rounding's",
             layers_left(single.left));
}

std::string smooth(Graph& graph, const PtqOptions& options, const CalibrationData& data, ProgressSink& progress) {
  const Methods& methods = options.methods;
  const SmoothReport report = smooth_activations(graph, methods.smooth, data, methods.samples, progress);
  return cat("smoothquant, alpha ", methods.smooth, ": ", report.inputs, " values read by ", report.layers,
             " layers, largest factor ", fixed(report.largest_factor, 2));
}

std::string awq(Graph& graph, const PtqOptions& options, const CalibrationData& data, ProgressSink& progress) {
  const AwqReport report = activation_aware_scaling(graph, options, data, progress);
  double scaled = 0, clipped = 0;
  std::size_t layers = 0;
  for (const AwqInput& input : report.inputs) {
    scaled += input.plain_error > 0 ? input.error / input.plain_error : 1;
    clipped += input.plain_error > 0 ? input.clipped_error / input.plain_error : 1;
    layers += input.layers.size();
  }
  const double count = std::max<double>(1, static_cast<double>(report.inputs.size()));
  return cat("awq: ", layers, " layers behind ", report.inputs.size(), " values scaled, output error ",
             fixed(100 * scaled / count, 1), " % of nearest rounding's, ", fixed(100 * clipped / count, 1),
             " % once clipped; clipped alone: ", report.left.size(), " layers");
}

}  // namespace

std::vector<std::string> apply_before(Graph& graph, const PtqOptions& options, const CalibrationData& data,
                                      ProgressSink& progress) {
  const Methods& methods = options.methods;
  std::vector<std::string> lines;
  if (methods.equalize || methods.bias_correction == BiasCorrection::Analytic) {
    note_measured(graph, methods, data, progress);
  }
  if (methods.bias_correction != BiasCorrection::None) add_missing_biases(graph);
  if (methods.smooth >= 0) lines.push_back(smooth(graph, options, data, progress));
  if (methods.equalize) lines.push_back(equalize(graph));
  if (methods.awq) lines.push_back(awq(graph, options, data, progress));
  if (methods.split_outliers > 0) {
    const SplitReport report = split_outlier_channels(graph, methods.split_outliers, options.bits.weights);
    lines.push_back(cat("outlier channels: ", report.channels, " split in ", report.layers, " layers"));
  }
  return lines;
}

std::vector<std::string> apply_after(const Graph& exact, Graph& quantized, const PtqOptions& options,
                                     const CalibrationData& data, ProgressSink& progress) {
  const Methods& methods = options.methods;
  std::vector<std::string> lines;
  if (methods.rounding == Rounding::AdaRound && methods.adaround.blocks) {
    lines.push_back(round_blocks(exact, quantized, options, data, progress));
  } else if (methods.rounding != Rounding::Nearest) {
    lines.push_back(round(exact, quantized, options, data, progress));
  }
  if (methods.bias_correction != BiasCorrection::None) {
    const BiasCorrectionReport report = methods.bias_correction == BiasCorrection::Data
                                            ? correct_biases(exact, quantized, data, methods.samples, progress)
                                            : correct_biases_analytically(exact, quantized);
    lines.push_back(cat("bias correction (", bias_correction_name(methods.bias_correction),
                        "): ", report.corrected.size(), " layers", layers_left(report.left)));
  }
  return lines;
}

}  // namespace adze::quantize
