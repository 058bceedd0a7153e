#include "adze/quantize/rounding.h"

#include <algorithm>
#include <optional>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/adaround.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/gptq.h"
#include "adze/quantize/layer_rows.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/quantized_layers.h"
#include "adze/quantize/rounding_problem.h"

namespace adze::quantize {

namespace {

struct Bounds {
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
};

/// What the Relu or Clip that alone reads the layer's output lets through.
Bounds activation_of(const Graph& graph, const Uses& uses, ValueId output) {
  Bounds bounds;
  if (!uses.single(output)) return bounds;
  const Node& next = graph.node(uses.of(output)[0]);
  if (next.kind == OpKind::Relu) bounds.low = 0;
  if (next.kind != OpKind::Clip) return bounds;
  const Tensor* low = graph.constant(next.input(1));
  const Tensor* high = graph.constant(next.input(2));
  if (low != nullptr && low->size() == 1) bounds.low = static_cast<float>(low->get_double(0));
  if (high != nullptr && high->size() == 1) bounds.high = static_cast<float>(high->get_double(0));
  return bounds;
}

/// Elements of a weight tensor as [groups, inputs, outputs].
std::vector<float> as_matrix(const WeightLayout& layout, std::span<const float> values) {
  std::vector<float> matrix;
  matrix.reserve(values.size());
  for (std::int64_t group = 0; group < layout.groups; ++group) {
    for (std::int64_t input = 0; input < layout.inputs(); ++input) {
      for (std::int64_t output = 0; output < layout.outputs; ++output) {
        matrix.push_back(values[layout.index(group, output, input)]);
      }
    }
  }
  return matrix;
}

std::vector<float> as_tensor(const WeightLayout& layout, const std::vector<float>& matrix) {
  std::vector<float> values(matrix.size());
  std::size_t at = 0;
  for (std::int64_t group = 0; group < layout.groups; ++group) {
    for (std::int64_t input = 0; input < layout.inputs(); ++input) {
      for (std::int64_t output = 0; output < layout.outputs; ++output) {
        values[layout.index(group, output, input)] = matrix[at++];
      }
    }
  }
  return values;
}

class Rounder {
 public:
  Rounder(const Graph& exact, Graph& quantized, const PtqOptions& options, const CalibrationData& data)
      : exact_(exact), quantized_(quantized), options_(options), data_(data), uses_(exact), widths_(exact, options) {}

  std::optional<LayerRounding> round(const QuantizedLayer& layer) {
    const Node& node = quantized_.node(layer.node);
    const NodeId same = find_node(exact_, node.name);
    if (same == NodeId::None || !layer.zero_points.empty() || !has_rows(node, layer.shape)) return std::nullopt;
    if (widths_.of(same).weights == 1) return std::nullopt;  // signs: there is no code beside the nearest
    const Tensor* weight = exact_.constant(exact_.node(same).input(1));
    if (weight == nullptr || weight->shape() != layer.shape) return std::nullopt;
    const RowOptions rows_wanted{options_.methods.samples, 8192, options_.seed};
    RoundingProblem problem = problem_for(layer, same, *weight);
    add_targets(problem, layer, same, rows_wanted);  // before the other rows are there: either may take 256 MiB
    const LayerRows rows = gather_rows(quantized_, layer.node, layer.layout, layer.shape, data_, rows_wanted);
    problem.rows = &rows;
    return solve(problem, layer, node.name);
  }

 private:
  RoundingProblem problem_for(const QuantizedLayer& layer, NodeId same, const Tensor& weight) const {
    RoundingProblem problem;
    problem.groups = layer.layout.groups;
    problem.inputs = layer.layout.inputs();
    problem.outputs = layer.layout.outputs;
    problem.weights = as_matrix(layer.layout, weight.data<float>());
    problem.scales = as_matrix(layer.layout, layer.scales);
    const DType dtype = quantized_.constant(layer.codes)->dtype();
    const IntegerGrid grid = narrowed(weight_grid(), widths_.of(same).weights);
    const bool is_signed = dtype == DType::S8 || dtype == DType::S4;
    problem.low = static_cast<float>(is_signed ? grid.low : integer_min(dtype));
    problem.high = static_cast<float>(is_signed ? grid.high : integer_max(dtype));
    for (const double offset : bias_of(quantized_, quantized_.node(layer.node))) {
      problem.bias.push_back(static_cast<float>(offset));
    }
    const Bounds bounds = activation_of(exact_, uses_, exact_.node(same).output());
    problem.activation_low = bounds.low;
    problem.activation_high = bounds.high;
    return problem;
  }

  /// What the float layer makes of the float network's inputs at the same positions.
  void add_targets(RoundingProblem& problem, const QuantizedLayer& layer, NodeId same, const RowOptions& wanted) const {
    const LayerRows rows = gather_rows(exact_, same, layer.layout, layer.shape, data_, wanted);
    std::vector<float> bias;
    for (const double offset : bias_of(exact_, exact_.node(same))) bias.push_back(static_cast<float>(offset));
    problem.targets = layer_outputs(rows, problem.weights, problem.outputs, bias);
  }

  LayerRounding solve(const RoundingProblem& problem, const QuantizedLayer& layer, const std::string& name) {
    const std::vector<float> nearest = nearest_codes(problem);
    const Random seeds = Random(options_.seed);
    std::vector<float> codes = options_.methods.rounding == Rounding::Gptq
                                   ? gptq_codes(problem, options_.methods.gptq)
                                   : adaround_codes(problem, options_.methods.adaround,
                                                    seeds.split(static_cast<std::uint64_t>(layer.node)).next());
    LayerRounding result{name, reconstruction_error(problem, nearest), reconstruction_error(problem, codes), 0,
                         std::ssize(codes)};
    if (!(result.error < result.nearest_error)) {
      result.error = result.nearest_error;
      codes = nearest;
    }
    for (std::size_t i = 0; i < codes.size(); ++i) result.changed += codes[i] != nearest[i] ? 1 : 0;
    store_codes(quantized_, layer, as_tensor(layer.layout, codes));
    return result;
  }

  const Graph& exact_;
  Graph& quantized_;
  const PtqOptions& options_;
  const CalibrationData& data_;
  Uses uses_;
  LayerWidths widths_;
};

}  // namespace

std::vector<LayerRounding> round_layers(const Graph& exact, Graph& quantized, const std::vector<std::string>& names,
                                        const PtqOptions& options, const CalibrationData& data,
                                        std::vector<std::string>& left) {
  std::vector<LayerRounding> result;
  Rounder rounder(exact, quantized, options, data);
  for (const QuantizedLayer& layer : quantized_layers(quantized)) {
    const std::string name = quantized.node(layer.node).name;
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    if (auto rounded = rounder.round(layer)) {
      result.push_back(std::move(*rounded));
    } else {
      left.push_back(name);
    }
  }
  return result;
}

RoundingReport round_weights(const Graph& exact, Graph& quantized, const PtqOptions& options,
                             const CalibrationData& data, ProgressSink& progress) {
  RoundingReport report;
  Rounder rounder(exact, quantized, options, data);
  const std::vector<NodeId> layers = quantized_layer_nodes(quantized);
  ProgressPhase phase(progress, rounding_name(options.methods.rounding), std::ssize(layers), "layers");
  for (const NodeId id : layers) {
    check_cancelled();
    const std::string name = quantized.node(id).name;
    if (auto rounded = rounder.round(quantized_layer(quantized, id))) {
      phase.advance(1, cat(name, " error ", rounded->nearest_error, " -> ", rounded->error));
      report.layers.push_back(std::move(*rounded));
    } else {
      phase.advance(1, name);
      report.left.push_back(name);
    }
  }
  return report;
}

}  // namespace adze::quantize
