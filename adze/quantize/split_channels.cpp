#include "adze/quantize/split_channels.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "adze/graph/infer.h"
#include "adze/quantize/equalize.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

WeightLayout layout_of(const Graph& graph, NodeId layer) {
  return *weight_layout(graph.node(layer), graph.constant(graph.node(layer).input(1))->shape());
}

/// Weights as [channels][outputs][taps], so that channels can be appended.
struct Columns {
  std::vector<std::vector<float>> channels;

  float reach(std::size_t channel) const {
    float largest = 0;
    for (const float weight : channels[channel]) largest = std::max(largest, std::abs(weight));
    return largest;
  }
};

Columns columns_of(const Graph& graph, NodeId layer) {
  const WeightLayout layout = layout_of(graph, layer);
  const auto weights = graph.constant(graph.node(layer).input(1))->data<float>();
  Columns columns;
  for (std::int64_t channel = 0; channel < layout.channels; ++channel) {
    std::vector<float>& column = columns.channels.emplace_back();
    for (std::int64_t output = 0; output < layout.outputs; ++output) {
      for (std::int64_t tap = 0; tap < layout.taps; ++tap) {
        column.push_back(weights[layout.index(0, output, channel * layout.taps + tap)]);
      }
    }
  }
  return columns;
}

/// Splits so many channels, the one with the largest weight first; which channel each appended one is a copy of. step:
/// that codes will have.
std::vector<std::size_t> split(Columns& columns, std::size_t count, float step) {
  std::vector<std::size_t> sources(columns.channels.size());
  for (std::size_t i = 0; i < sources.size(); ++i) sources[i] = i;
  std::vector<std::size_t> copies;
  for (std::size_t n = 0; n < count; ++n) {
    std::size_t worst = 0;
    for (std::size_t i = 1; i < columns.channels.size(); ++i) {
      if (columns.reach(i) > columns.reach(worst)) worst = i;
    }
    std::vector<float> half = columns.channels[worst];
    for (float& weight : half) weight = (weight + step / 2) / 2;
    for (std::size_t i = 0; i < half.size(); ++i) columns.channels[worst][i] -= half[i];
    columns.channels.push_back(std::move(half));
    sources.push_back(sources[worst]);
    copies.push_back(sources[worst]);
  }
  return copies;
}

/// The step of codes of so many bits once so many channels are split.
float step_after(Columns columns, std::size_t count, int bits) {
  split(columns, count, 0);
  float largest = 0;
  for (std::size_t i = 0; i < columns.channels.size(); ++i) largest = std::max(largest, columns.reach(i));
  return largest / static_cast<float>((1 << (bits - 1)) - 1);
}

/// A tensor with slices along an axis appended: copies of those named.
Tensor with_copies(const Tensor& tensor, std::size_t axis, const std::vector<std::size_t>& copies) {
  Shape shape = tensor.shape();
  const std::int64_t length = shape[axis];
  std::int64_t inner = 1, outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  shape[axis] += std::ssize(copies);
  Tensor result(DType::F32, shape);
  const auto from = tensor.data<float>();
  float* to = result.mutable_data<float>().data();
  for (std::int64_t i = 0; i < outer; ++i) {
    const float* slices = from.data() + i * length * inner;
    to = std::copy_n(slices, length * inner, to);
    for (const std::size_t copy : copies) to = std::copy_n(slices + static_cast<std::int64_t>(copy) * inner, inner, to);
  }
  return result;
}

std::size_t output_axis(const Node& layer) {
  if (layer.kind == OpKind::Conv) return 0;
  if (layer.kind == OpKind::Gemm) return layer.get_int("transB") != 0 ? 0 : 1;
  return 1;
}

std::size_t channel_axis_of_inputs(const Node& layer) {
  return output_axis(layer) == 0 ? 1 : 0;
}

void replace_constant(Graph& graph, NodeId node, std::size_t input, Tensor tensor) {
  const std::string name = graph.unique_name(graph.value(graph.node(node).input(input)).name);
  const ValueId fresh = graph.add_constant(name, std::move(tensor));
  graph.node(node).inputs[input] = fresh;
}

void set_columns(Graph& graph, NodeId layer, const Columns& columns, const std::vector<std::size_t>& copies) {
  Tensor tensor =
      with_copies(*graph.constant(graph.node(layer).input(1)), channel_axis_of_inputs(graph.node(layer)), copies);
  const WeightLayout layout = *weight_layout(graph.node(layer), tensor.shape());
  const auto values = tensor.mutable_data<float>();
  for (std::int64_t channel = 0; channel < layout.channels; ++channel) {
    std::size_t at = 0;
    for (std::int64_t output = 0; output < layout.outputs; ++output) {
      for (std::int64_t tap = 0; tap < layout.taps; ++tap) {
        values[layout.index(0, output, channel * layout.taps + tap)] =
            columns.channels[static_cast<std::size_t>(channel)][at++];
      }
    }
  }
  replace_constant(graph, layer, 1, std::move(tensor));
}

bool can_split(const Graph& graph, const LayerPair& pair) {
  for (const NodeId id : {pair.first, pair.second}) {
    const Node& layer = graph.node(id);
    if (layer.kind == OpKind::ConvTranspose || layout_of(graph, id).groups != 1) return false;
  }
  return pair.spread == 1;
}

}  // namespace

SplitReport split_outlier_channels(Graph& graph, double share, int bits) {
  SplitReport report;
  for (const LayerPair& pair : layer_pairs(graph)) {
    if (!can_split(graph, pair)) continue;
    Columns columns = columns_of(graph, pair.second);
    const auto count = static_cast<std::size_t>(std::ceil(share * static_cast<double>(columns.channels.size())));
    const std::vector<std::size_t> copies = split(columns, count, step_after(columns, count, bits));
    set_columns(graph, pair.second, columns, copies);
    const Node& first = graph.node(pair.first);
    const std::size_t axis = output_axis(first);
    replace_constant(graph, pair.first, 1, with_copies(*graph.constant(first.input(1)), axis, copies));
    if (const auto bias = bias_input(graph.node(pair.first))) {
      const ValueId old = graph.node(pair.first).input(*bias);
      replace_constant(graph, pair.first, *bias, with_copies(*graph.constant(old), 0, copies));
    }
    ++report.layers;
    report.channels += std::ssize(copies);
  }
  for (std::int32_t id = 0; id < graph.num_values(); ++id) {  // shapes between have grown: found anew
    const auto value = static_cast<ValueId>(id);
    if (graph.value(value).producer != NodeId::None) graph.value(value).type = {};
  }
  infer_types(graph);
  return report;
}

}  // namespace adze::quantize
