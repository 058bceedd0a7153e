#include "adze/quantize/bits.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "adze/base/text.h"
#include "adze/quantize/layers.h"

namespace adze::quantize {

namespace {

constexpr const char* low_key = "adze.code_low";
constexpr const char* high_key = "adze.code_high";

bool is_layer(const Graph& graph, NodeId id) {
  return role_of(graph.node(id).kind) == Role::Layer;
}

/// Layers with no layer before them, or (in reverse) after them.
std::vector<bool> end_layers(const Graph& graph, const Uses& uses, bool last) {
  std::vector<NodeId> order = topological_order(graph);
  if (last) std::reverse(order.begin(), order.end());
  std::vector<bool> seen(static_cast<std::size_t>(graph.num_nodes()), false), ends = seen;
  for (const NodeId id : order) {
    bool beyond = false;
    if (last) {
      for (const ValueId output : graph.node(id).outputs) {
        if (output == ValueId::None) continue;
        for (const NodeId reader : uses.of(output)) beyond = beyond || seen[static_cast<std::size_t>(reader)];
      }
    } else {
      for (const ValueId read : values_read(graph.node(id))) {
        const NodeId producer = graph.value(read).producer;
        beyond = beyond || (producer != NodeId::None && seen[static_cast<std::size_t>(producer)]);
      }
    }
    ends[static_cast<std::size_t>(id)] = is_layer(graph, id) && !beyond;
    seen[static_cast<std::size_t>(id)] = is_layer(graph, id) || beyond;
  }
  return ends;
}

std::int64_t number(const Node& node, const char* key) {
  return std::strtoll(node.metadata.at(key).c_str(), nullptr, 10);
}

/// The interval that a Relu or Clip with constant bounds lets through.
std::optional<std::pair<float, float>> bounds_of(const Graph& graph, const Node& node) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (node.kind == OpKind::Relu) return std::pair{0.0F, infinity};
  if (node.kind != OpKind::Clip) return std::nullopt;
  std::pair<float, float> bounds{-infinity, infinity};
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (node.input(i) == ValueId::None) continue;
    const Tensor* bound = graph.constant(node.input(i));
    if (bound == nullptr || bound->dtype() != DType::F32 || bound->size() != 1) return std::nullopt;
    (i == 1 ? bounds.first : bounds.second) = bound->data<float>()[0];
  }
  return bounds;
}

}  // namespace

void set_layer_bits(PtqOptions& options, const std::vector<LayerBits>& layer_bits) {
  options.layer_bits.clear();
  for (const LayerBits& one : layer_bits) {
    if (one.bits.weights == float_bits) {
      options.skip.push_back(one.pattern);
    } else {
      options.layer_bits.push_back(one);
    }
  }
}

LayerWidths::LayerWidths(const Graph& graph, const PtqOptions& options)
    : widths_(static_cast<std::size_t>(graph.num_nodes()), options.bits), general_(options.bits.activations) {
  const Uses uses(graph);
  const std::vector<bool> first = end_layers(graph, uses, false), last = end_layers(graph, uses, true);
  for (const NodeId id : graph.node_ids()) {
    if (!is_layer(graph, id)) continue;
    const auto at = static_cast<std::size_t>(id);
    const auto named = std::find_if(options.layer_bits.begin(), options.layer_bits.end(),
                                    [&](const LayerBits& one) { return is_skipped(graph.node(id), {one.pattern}); });
    if (named != options.layer_bits.end()) {
      widths_[at] = named->bits;
    } else if (first[at] || last[at]) {
      widths_[at].weights = std::max(widths_[at].weights, options.end_bits);
      widths_[at].activations = std::max(widths_[at].activations, options.end_bits);
    }
    if (options.reduce_range) widths_[at].weights = std::min(widths_[at].weights, 7);
  }
}

int LayerWidths::of_value(const Graph& graph, const Uses& uses, ValueId value) const {
  int widest = 0;
  bool read = false;
  std::vector<ValueId> open{value};
  for (std::size_t i = 0; i < open.size(); ++i) {
    for (const NodeId reader : uses.of(open[i])) {
      const Node& node = graph.node(reader);
      read = true;
      if (is_layer(graph, reader)) {
        widest = std::max(widest, of(reader).activations);
      } else if (role_of(node.kind) == Role::Movement) {
        for (const ValueId output : node.outputs) {
          if (output != ValueId::None && std::find(open.begin(), open.end(), output) == open.end()) {
            open.push_back(output);
          }
        }
      }
    }
  }
  if (widest > 0) return widest;
  return read ? general_ : std::max(8, general_);
}

void set_code_window(Node& quantize, std::int64_t low, std::int64_t high) {
  quantize.metadata[low_key] = cat(low);
  quantize.metadata[high_key] = cat(high);
}

void clip_code_windows(Graph& graph) {
  const Uses uses(graph);
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).kind != OpKind::QuantizeLinear || !graph.node(id).metadata.contains(low_key)) continue;
    const Node quantize = graph.node(id);
    const Tensor* scale = graph.constant(quantize.input(1));
    const Tensor* zero_point = graph.constant(quantize.input(2));
    if (scale == nullptr || scale->size() != 1) throw InternalError("a window of codes with several scales");
    const auto step = static_cast<float>(scale->get_double(0));
    const auto zero = zero_point != nullptr ? zero_point->get_int(0) : 0;
    float low = step * static_cast<float>(number(quantize, low_key) - zero);
    float high = step * static_cast<float>(number(quantize, high_key) - zero);
    ValueId source = quantize.input(0);
    const Node* before = graph.producer_of(source);
    if (before != nullptr && uses.single(source)) {
      if (const auto bounds = bounds_of(graph, *before)) {
        low = std::max(low, bounds->first);
        high = std::min(high, bounds->second);
        source = before->input(0);
      }
    }
    const std::string name = graph.value(quantize.input(0)).name;
    const ValueId lowest = graph.add_constant(graph.unique_name(cat(name, "_lowest")), Tensor::scalar(low));
    const ValueId highest = graph.add_constant(graph.unique_name(cat(name, "_highest")), Tensor::scalar(high));
    const ValueId clipped =
        graph.add(OpKind::Clip, {source, lowest, highest}, {}, graph.unique_name(cat(name, "_clip")));
    Node& node = graph.node(id);
    node.inputs[0] = clipped;
    node.metadata.erase(low_key);
    node.metadata.erase(high_key);
  }
}

void open_code_windows(Graph& graph) {
  const Uses uses(graph);
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).kind != OpKind::QuantizeLinear) continue;
    Node& quantize = graph.node(id);
    const Node* clip = graph.producer_of(quantize.input(0));
    const Tensor* scale = graph.constant(quantize.input(1));
    const Tensor* zero_point = graph.constant(quantize.input(2));
    if (clip == nullptr || clip->kind != OpKind::Clip || !uses.single(quantize.input(0))) continue;
    if (scale == nullptr || scale->size() != 1 || zero_point == nullptr) continue;
    const auto bounds = bounds_of(graph, *clip);
    if (!bounds || !std::isfinite(bounds->first) || !std::isfinite(bounds->second)) continue;
    const double low = bounds->first / scale->get_double(0), high = bounds->second / scale->get_double(0);
    constexpr double rounding = 1e-3;
    if (std::abs(low - std::round(low)) > rounding || std::abs(high - std::round(high)) > rounding) continue;
    const std::int64_t zero = zero_point->get_int(0);
    set_code_window(quantize, std::llround(low) + zero, std::llround(high) + zero);
    quantize.inputs[0] = clip->input(0);
  }
}

}  // namespace adze::quantize
