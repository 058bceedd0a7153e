#include "adze/quantize/hardware.h"

#include <algorithm>
#include <set>

#include "adze/base/text.h"
#include "adze/quantize/layers.h"

namespace adze::quantize {

namespace {

bool is_stored(const Graph& graph, ValueId value) {
  const Node* producer = graph.producer_of(value);
  return producer != nullptr && producer->kind == OpKind::DequantizeLinear;
}

bool is_quantizer(OpKind kind) {
  return kind == OpKind::QuantizeLinear || kind == OpKind::DequantizeLinear;
}

/// All that reads the node's outputs quantizes them, perhaps behind a Relu or Clip.
bool ends_in_integers(const Graph& graph, const Uses& uses, const Node& node) {
  for (const ValueId output : node.outputs) {
    if (output == ValueId::None || uses.is_output(output)) return false;
    for (const NodeId reader : uses.of(output)) {
      const Node& next = graph.node(reader);
      if (next.kind == OpKind::QuantizeLinear) continue;
      const bool joins = next.kind == OpKind::Relu || next.kind == OpKind::Clip;
      if (!joins || !ends_in_integers(graph, uses, next)) return false;
    }
  }
  return true;
}

/// Its real inputs come out of dequantizers, perhaps through the operator that a Relu or Clip ends.
bool begins_in_integers(const Graph& graph, const Node& node) {
  for (const std::size_t input : data_inputs(node)) {
    const ValueId value = node.input(input);
    if (value == ValueId::None || graph.constant(value) != nullptr || is_stored(graph, value)) continue;
    const Node* before = graph.producer_of(value);
    const bool ends = node.kind == OpKind::Relu || node.kind == OpKind::Clip;
    if (!ends || before == nullptr || !begins_in_integers(graph, *before)) return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> apply_rules(const device::QuantizationRules& rules, const Graph& graph, PtqOptions& options) {
  std::vector<std::string> lines;
  if (!rules.operators.empty()) {
    std::set<std::string> missing;
    for (const NodeId id : graph.node_ids()) {
      const std::string name(op_name(graph.node(id).kind));
      if (std::find(rules.operators.begin(), rules.operators.end(), name) == rules.operators.end())
        missing.insert(name);
    }
    options.skip.insert(options.skip.end(), missing.begin(), missing.end());
    if (!missing.empty()) {
      lines.push_back(
          cat("not computed by the device: ", join(std::vector<std::string>(missing.begin(), missing.end()), ", ")));
    }
  }
  if (rules.per_tensor_weights && options.weights != Granularity::PerTensor) {
    options.weights = Granularity::PerTensor;
    lines.emplace_back("one scale for all weights of a layer");
  }
  if (rules.symmetric_activations && options.activations != Symmetry::Symmetric) {
    options.activations = Symmetry::Symmetric;
    options.activation_dtype = DType::S8;
    lines.emplace_back("zero points of activations are 0");
  }
  if (rules.power_of_two_scales && !options.power_of_two) {
    options.power_of_two = true;
    lines.emplace_back("scales are powers of two");
  }
  if (options.block > 0) throw UsageError("the device has no scales by block of inputs", "leave out --block");
  if (rules.weight_bits == 7) options.reduce_range = true;
  if (rules.weight_bits < 8) {
    options.bits.weights = std::min(options.bits.weights, rules.weight_bits);
    options.end_bits = std::min(options.end_bits, rules.weight_bits == 7 ? 8 : rules.weight_bits);
    lines.push_back(cat("weights of ", rules.weight_bits, " bits"));
  }
  return lines;
}

std::vector<std::string> float_nodes(const Graph& quantized) {
  const Uses uses(quantized);
  std::vector<std::string> names;
  for (const NodeId id : quantized.node_ids()) {
    const Node& node = quantized.node(id);
    if (is_quantizer(node.kind) || role_of(node.kind) == Role::Movement) continue;
    if (begins_in_integers(quantized, node) && ends_in_integers(quantized, uses, node)) continue;
    names.push_back(cat(node.name, " (", op_name(node.kind), ")"));
  }
  return names;
}

void check_rules(const device::QuantizationRules& rules, const std::string& device, const Graph& quantized) {
  if (!rules.integer_only) return;
  const std::vector<std::string> names = float_nodes(quantized);
  if (names.empty()) return;
  throw UnsupportedError(cat(device, " computes nothing in float, and these would be: ", join(names, ", ")), {},
                         "cut them off the network, or choose a device that has a processor for them");
}

}  // namespace adze::quantize
