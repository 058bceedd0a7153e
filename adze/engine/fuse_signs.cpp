#include "adze/engine/fuse_signs.h"

#include <cmath>
#include <optional>

#include "adze/base/text.h"
#include "adze/engine/steps/signs.h"
#include "adze/graph/edit.h"
#include "adze/plan/coded_weights.h"

namespace adze::engine {

namespace {

/// Weights as signs [outputs][inputs of an output] and a scale for each output.
struct Signs {
  Tensor signs, scales;
};

/// weight(output, i). Nothing when an output has two magnitudes.
template <typename Weight>
std::optional<Signs> signs_of(Shape shape, const Weight& weight) {
  const std::int64_t outputs = shape[0], each = num_elements(shape) / outputs;
  Signs result{Tensor(DType::S8, std::move(shape)), Tensor(DType::F32, {outputs})};
  const auto signs = result.signs.mutable_data<std::int8_t>();
  const auto scales = result.scales.mutable_data<float>();
  for (std::int64_t o = 0; o < outputs; ++o) {
    float scale = 0.0f;
    for (std::int64_t i = 0; i < each; ++i) {
      const float w = weight(o, i);
      if (w == 0.0f) continue;
      if (scale == 0.0f) scale = std::abs(w);
      if (std::abs(w) != scale || !std::isfinite(w)) return std::nullopt;
      signs[static_cast<std::size_t>(o * each + i)] = static_cast<std::int8_t>(w < 0.0f ? -1 : 1);
    }
    scales[static_cast<std::size_t>(o)] = scale;
  }
  return result;
}

std::optional<Signs> conv_signs(const Graph& graph, const Node& node) {
  const Tensor* weights = graph.constant(node.input(1));
  const auto& x = graph.value(node.input(0)).type.shape;
  const bool plain = weights != nullptr && weights->dtype() == DType::F32 && !weights->empty() && x &&
                     (x->size() == 3 || x->size() == 4) && node.get_int("group") == 1;
  const Tensor* bias = graph.constant(node.input(2));
  if (!plain || (node.input(2) != ValueId::None && (bias == nullptr || bias->dtype() != DType::F32)))
    return std::nullopt;
  const auto data = weights->elements<float>();
  const std::int64_t each = weights->size() / weights->dim(0);
  return signs_of(weights->shape(), [&](std::int64_t o, std::int64_t i) { return data[o * each + i]; });
}

/// Of a coded product over the last axis.
std::optional<Signs> product_signs(const Graph& graph, const Node& node) {
  if (!node.has(coded_attribute) || node.get_int("axis") != -1 || node.input(5) != ValueId::None) return std::nullopt;
  const Tensor* codes = graph.constant(node.input(1));
  if (!is_integer(codes->dtype())) return std::nullopt;
  const CodedWeights weights =
      coded_weights(node, *codes, graph.constant(node.input(2)), graph.constant(node.input(3)), nullptr);
  return signs_of({weights.columns, weights.depth},
                  [&](std::int64_t o, std::int64_t i) { return weights.weight(i, o); });
}

bool is_known(const Graph& graph, ValueId id) {
  const ValueType& type = graph.value(id).type;
  const auto shape = type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
  return shape && num_elements(*shape) > 0 && type.dtype == DType::F32;
}

}  // namespace

Graph fuse_signs(Graph graph) {
  bool found = false;
  for (const NodeId id : topological_order(graph)) {
    const Node node = graph.node(id);  // a copy: adding constants moves the graph's own
    if (node.kind != OpKind::Conv && node.kind != OpKind::QGemm) continue;
    const Node* sign = graph.producer_of(node.input(0));
    if (sign == nullptr || sign->kind != OpKind::Sign) continue;
    const ValueId x = sign->input(0);
    if (!is_known(graph, x) || !is_known(graph, node.output())) continue;
    const bool is_conv = node.kind == OpKind::Conv;
    const auto signs = is_conv ? conv_signs(graph, node) : product_signs(graph, node);
    if (!signs) continue;
    const ValueId bias = node.input(is_conv ? 2 : coded_bias_input);
    const auto constant = [&](std::string_view what, const Tensor& tensor) {
      return graph.add_constant(graph.unique_name(cat(node.name, "/", what)), tensor);
    };
    std::vector<ValueId> inputs = {x, constant("signs", signs->signs), constant("scales", signs->scales)};
    if (bias != ValueId::None) inputs.push_back(bias);
    Node& changed = graph.node(id);
    changed.kind = is_conv ? OpKind::QConv : OpKind::QGemm;
    changed.inputs = std::move(inputs);
    changed.set(signs_attribute, std::int64_t{1});
    std::erase_if(changed.attributes, [](const auto& entry) { return entry.first == coded_attribute; });
    found = true;
  }
  if (found) remove_dead_nodes(graph);
  return graph;
}

}  // namespace adze::engine
