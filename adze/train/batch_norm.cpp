#include "adze/train/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"

namespace adze::train {

namespace {

constexpr float epsilon = 1e-5F;

struct ChannelSums {
  std::vector<double> sums, squares;
  double count = 0;  ///< numbers of one channel

  void add(const Tensor& value) {
    const std::int64_t channels = value.dim(1), inner = value.size() / (value.dim(0) * channels);
    sums.resize(static_cast<std::size_t>(channels));
    squares.resize(sums.size());
    const auto numbers = value.data<float>();
    for (std::int64_t run = 0; run < value.dim(0) * channels; ++run) {
      const auto channel = static_cast<std::size_t>(run % channels);
      for (std::int64_t i = run * inner; i < (run + 1) * inner; ++i) {
        const double number = numbers[static_cast<std::size_t>(i)];
        sums[channel] += number;
        squares[channel] += number * number;
      }
    }
    count += static_cast<double>(value.dim(0) * inner);
  }
};

/// Convolutions that nothing normalizes yet.
std::vector<NodeId> bare_convolutions(const Graph& graph) {
  const Uses uses(graph);
  std::vector<NodeId> result;
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (node.kind != OpKind::Conv || graph.constant(node.input(1)) == nullptr) continue;
    if (node.input(2) != ValueId::None && graph.constant(node.input(2)) == nullptr) continue;
    const auto readers = uses.of(node.output());
    const bool normalized = std::any_of(readers.begin(), readers.end(), [&](NodeId reader) {
      return graph.node(reader).kind == OpKind::BatchNormalization;
    });
    if (!normalized) result.push_back(id);
  }
  return result;
}

void normalize(Graph& graph, NodeId id, const ChannelSums& seen) {
  const Node node = graph.node(id);
  const Tensor* bias = graph.constant(node.input(2));
  const auto channels = static_cast<std::int64_t>(seen.sums.size());
  Tensor scale(DType::F32, {channels}), shift(DType::F32, {channels}), mean = shift, variance = scale;
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto at = static_cast<std::size_t>(c);
    const double average = seen.sums[at] / seen.count;
    const double spread = std::max(0.0, seen.squares[at] / seen.count - average * average);
    scale.set_double(c, std::sqrt(spread + static_cast<double>(epsilon)));
    variance.set_double(c, spread);
    shift.set_double(c, average);
    mean.set_double(c, average - (bias != nullptr ? bias->get_double(c) : 0.0));
  }
  const std::string name = graph.value(node.output()).name;
  const auto constant = [&](const char* what, const Tensor& tensor) {
    return graph.add_constant(graph.unique_name(cat(name, "_bn_", what)), tensor);
  };
  const ValueId plain = graph.add_value(graph.unique_name(cat(name, "_plain")));
  Node conv = node;
  conv.inputs.resize(2);
  conv.outputs = {plain};
  Node norm;
  norm.kind = OpKind::BatchNormalization;
  norm.name = graph.unique_name(cat(node.name, "_bn"));
  norm.inputs = {plain, constant("scale", scale), constant("shift", shift), constant("mean", mean),
                 constant("variance", variance)};
  norm.outputs = {node.output()};
  norm.set("epsilon", epsilon);
  graph.remove_node(id);
  graph.add_node(std::move(conv));
  graph.add_node(std::move(norm));
}

}  // namespace

Graph unfold_batch_norms(Graph graph, const BatchSource& batches) {
  const std::vector<NodeId> convolutions = bare_convolutions(graph);
  std::map<std::string, ChannelSums, std::less<>> seen;
  for (const NodeId id : convolutions) seen[graph.value(graph.node(id).output()).name];
  {
    SessionOptions options;
    options.integer = false;
    Session session(graph, options);
    session.observe([&](std::string_view name, const Tensor& value) {
      if (const auto found = seen.find(name); found != seen.end()) found->second.add(value);
    });
    while (const auto batch = batches()) {
      check_cancelled();
      session.run(*batch);
    }
  }
  for (const NodeId id : convolutions) {
    const ChannelSums& sums = seen[graph.value(graph.node(id).output()).name];
    if (sums.count == 0) throw ModelError("there is no data to take batch statistics from");
    normalize(graph, id, sums);
  }
  graph.compact();
  infer_types(graph);
  return graph;
}

}  // namespace adze::train
