#include <algorithm>
#include <map>

#include "adze/base/text.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/insert.h"
#include "adze/quantize/layers.h"
#include "adze/quantize/static.h"
#include "adze/quantize/weight_blocks.h"
#include "adze/quantize/weight_layout.h"
#include "adze/quantize/weights.h"

namespace adze::quantize {

namespace {

/// Smaller constants are not worth the nodes.
constexpr std::int64_t least_elements = 64;

std::vector<std::size_t> weight_inputs(const Node& node) {
  switch (node.kind) {
    case OpKind::Conv:
    case OpKind::ConvTranspose:
    case OpKind::Gemm:
      return {1};
    case OpKind::MatMul:
      return {0, 1};
    case OpKind::LSTM:
    case OpKind::GRU:
    case OpKind::RNN:
      return {1, 2};
    case OpKind::Gather:
      return {0};
    default:
      return {};
  }
}

/// Recurrent weights are [directions, gates · hidden, …]: one scale per gate row. Embeddings: one per entry.
std::optional<std::int64_t> axis_of(const Node& node, std::size_t input, std::int64_t rank) {
  switch (node.kind) {
    case OpKind::LSTM:
    case OpKind::GRU:
    case OpKind::RNN:
      return 1;
    case OpKind::Gather:
      return rank == 2 && node.get_int("axis") == 0 ? std::optional<std::int64_t>(0) : std::nullopt;
    case OpKind::MatMul:
      return input == 1 ? channel_axis(node, rank) : std::nullopt;
    default:
      return channel_axis(node, rank);
  }
}

bool is_layer(const Node& node) {
  return role_of(node.kind) == Role::Layer;
}

/// Codes with scales by block, put into the graph.
ValueId insert_blocks(Inserter& inserter, NodeId id, std::size_t input, const BlockedWeight& weight,
                      WeightReport& report) {
  Graph& graph = inserter.graph();
  const ValueId value = graph.node(id).input(input);
  const Tensor exact = *graph.constant(value);
  const std::string name = graph.value(value).name;
  report.value = name;
  report.node = graph.node(id).name;
  report.shape = exact.shape();
  report.num_scales = weight.scales.size();
  report.sqnr_db = sqnr_db(exact.data<float>(), restored(weight));
  const ValueId codes = inserter.constant(inserter.unique_name(cat(name, "_quantized")), weight.codes);
  const ValueId scales = inserter.constant(inserter.unique_name(cat(name, "_scale")), weight.scales);
  return inserter.node(OpKind::DequantizeLinear, {codes, scales}, inserter.unique_name(cat(name, "_dequantized")),
                       {{"axis", weight.axis}, {"block_size", weight.block}});
}

}  // namespace

QuantizeOutcome quantize_weights_only(Graph graph, const PtqOptions& options) {
  QuantizeOutcome outcome{std::move(graph), {}};
  Inserter inserter(outcome.graph);
  const LayerWidths widths(outcome.graph, options);
  std::map<std::pair<ValueId, std::int64_t>, ValueId> stored;
  for (const NodeId id : outcome.graph.node_ids()) {
    if (is_skipped(outcome.graph.node(id), options.skip)) continue;
    for (const std::size_t input : weight_inputs(outcome.graph.node(id))) {
      const Node& node = outcome.graph.node(id);
      const ValueId weight = node.input(input);
      const Tensor* tensor = outcome.graph.constant(weight);
      if (tensor == nullptr || tensor->dtype() != DType::F32 || tensor->rank() < 2 || tensor->size() < least_elements) {
        continue;
      }
      std::optional<std::int64_t> axis = axis_of(node, input, tensor->rank());
      if (options.weights == Granularity::PerTensor) axis = std::nullopt;
      const int bits = is_layer(node) ? widths.of(id).weights : 8;
      if (is_layer(node) && options.block > 0 && weight_layout(node, tensor->shape())) {
        const std::int64_t along = input_axis(node, tensor->shape()), length = tensor->dim(along);
        const std::int64_t block = std::min(options.block, length);
        const std::pair key{weight, 1000 * along + bits};
        if (!stored.contains(key)) {
          WeightReport report;
          stored[key] = insert_blocks(inserter, id, input, quantize_blocks(*tensor, along, block, bits), report);
          outcome.report.weights.push_back(std::move(report));
        }
        outcome.graph.node(id).inputs[input] = stored.at(key);
        continue;
      }
      const std::pair key{weight, 1000 * axis.value_or(-1) + bits};
      if (!stored.contains(key)) {
        const QuantizedWeight codes = quantize_weight(outcome.graph, node, weight, {axis, options.channel_group, bits});
        outcome.report.weights.push_back(report_weight(outcome.graph, node, weight, codes));
        const std::string name = outcome.graph.value(weight).name;
        stored[key] = inserter.dequantized_constant(name, codes.codes, codes.scales);
      }
      outcome.graph.node(id).inputs[input] = stored.at(key);
    }
  }
  return outcome;
}

}  // namespace adze::quantize
