#include "adze/engine/fuse_gates.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "adze/engine/arrange.h"
#include "adze/engine/steps/gate.h"
#include "adze/graph/edit.h"

namespace adze::engine {

namespace {

/// Weights come from beyond the L2 cache where the products' factors are in it already: they must be this many times
/// fewer than what they are multiplied for.
constexpr std::int64_t least_pixels_for_output = 4;

std::optional<Shape> shape_of(const Graph& graph, ValueId id) {
  if (id == ValueId::None || graph.value(id).type.dtype != DType::F32) return std::nullopt;
  const ValueType& type = graph.value(id).type;
  return type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
}

/// Are so many weights 0 that a sparse kernel, which knows no gates, may be chosen? Looks at a part of them.
bool may_be_sparse(const Tensor& weights) {
  constexpr std::int64_t looked_at = 512;
  const auto elements = weights.elements<float>();
  std::int64_t zeros = 0;
  for (std::int64_t i = 0; i < looked_at; ++i) zeros += elements[i * 7919 % weights.size()] == 0.0f ? 1 : 0;
  return zeros > looked_at * 2 / 5;
}

/// A 1x1 convolution of all channels that moves no pixels, with many of them for each output.
bool is_pointwise(const Graph& graph, const Node& node) {
  if (node.inputs.size() > 3 || !prefers_channels_last(graph, node) || node.get_int("group", 1) != 1) return false;
  const Tensor& weights = *graph.constant(node.input(1));
  const auto x = shape_of(graph, node.input(0)), y = shape_of(graph, node.output());
  if (!x || !y || weights.dim(1) < 2) return false;
  std::int64_t pixels = 1;
  for (std::size_t i = 2; i < x->size(); ++i) {
    if (weights.dim(static_cast<std::int64_t>(i)) != 1 || (*x)[i] != (*y)[i]) return false;
    pixels *= (*x)[i];
  }
  const std::vector<std::int64_t> pads = node.has("pads") ? node.get_ints("pads") : std::vector<std::int64_t>{};
  return pixels >= least_pixels_for_output * weights.dim(0) &&
         std::all_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad == 0; }) && !may_be_sparse(weights);
}

/// Which operand of the product is its gate: [N, C, 1, …] beside [N, C, H, …].
std::optional<std::size_t> gate_side(const Graph& graph, const Node& product) {
  const auto y = shape_of(graph, product.output());
  if (!y || product.inputs.size() != 2) return std::nullopt;
  Shape gate = *y;
  std::fill(gate.begin() + 2, gate.end(), 1);
  for (const std::size_t side : {0, 1}) {
    const ValueId id = product.inputs[side], other = product.inputs[1 - side];
    const bool made = graph.constant(id) == nullptr && graph.constant(other) == nullptr;
    if (made && shape_of(graph, id) == gate && shape_of(graph, other) == y) return side;
  }
  return std::nullopt;
}

}  // namespace

Graph fuse_gates(Graph graph) {
  const Uses uses(graph);
  bool changed = false;
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).kind != OpKind::Conv) continue;
    const ValueId read = graph.node(id).input(0);
    const Node* product = graph.producer_of(read);
    if (product == nullptr || product->kind != OpKind::Mul || !uses.single(read)) continue;
    if (!is_pointwise(graph, graph.node(id))) continue;
    const auto side = gate_side(graph, *product);
    if (!side) continue;
    set_gate(graph.node(id), product->inputs[1 - *side], product->inputs[*side]);
    changed = true;
  }
  if (changed) remove_dead_nodes(graph);
  return graph;
}

}  // namespace adze::engine
