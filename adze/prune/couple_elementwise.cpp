#include <array>
#include <vector>

#include "adze/prune/coupling.h"

namespace adze::prune {

namespace {

/// NumPy broadcasting: axes aligned at the right.
void link_broadcast(Coupling& coupling, ValueId operand, ValueId y) {
  const std::int64_t missing = coupling.rank(y) - coupling.rank(operand);
  for (std::int64_t axis = 0; axis < coupling.rank(operand); ++axis) {
    coupling.link(operand, axis, y, axis + missing);
  }
}

void couple_broadcast(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId y = node.output();
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId operand = node.inputs[i];
    if (operand == ValueId::None) continue;
    link_broadcast(coupling, operand, y);
    for (std::int64_t axis = 0; axis < coupling.rank(operand); ++axis) {
      if (coupling.dim(operand, axis) > 1) coupling.set_role(operand, axis, id, i, Role::PerChannel);
    }
  }
}

/// Only the first input has elements; further ones are settings.
void couple_unary(Coupling& coupling, NodeId, const Node& node) {
  coupling.link_all(node.input(0), node.output());
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != ValueId::None) coupling.link_all(node.input(0), node.outputs[i]);
  }
}

/// Scales and zero points: one for all, or one an index of the axis.
void couple_quantization(Coupling& coupling, NodeId id, const Node& node) {
  const ValueId x = node.input(0), y = node.output();
  coupling.link_all(x, y);
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const ValueId parameter = node.inputs[i];
    if (parameter == ValueId::None || coupling.rank(parameter) == 0) continue;
    if (coupling.rank(parameter) == 1) {
      const std::int64_t axis = normalize_axis(node.get_int("axis", 1), coupling.rank(x));
      coupling.link(parameter, 0, x, axis);
      coupling.set_role(parameter, 0, id, i, Role::PerChannel);
    } else {
      coupling.pin_all(x, "quantized in blocks");
      coupling.pin_all(parameter, "quantized in blocks");
    }
  }
}

constexpr OpKind unary_kinds[] = {OpKind::Clip, OpKind::Cast, OpKind::CastLike, OpKind::Dropout, OpKind::Identity};

/// Every operator of the class Elementwise that is not handled otherwise broadcasts.
std::vector<CouplingEntry> make_table() {
  std::vector<CouplingEntry> table;
  for (const OpKind kind : unary_kinds) table.push_back({kind, couple_unary});
  table.push_back({OpKind::QuantizeLinear, couple_quantization});
  table.push_back({OpKind::DequantizeLinear, couple_quantization});
  for (int kind = 0; kind < num_op_kinds; ++kind) {
    const OpInfo& info = op_info(static_cast<OpKind>(kind));
    if (info.op_class == OpClass::Elementwise && info.domain == Domain::Onnx && info.max_outputs == 1) {
      table.push_back({info.kind, couple_broadcast});
    }
  }
  return table;
}

}  // namespace

std::span<const CouplingEntry> elementwise_coupling() {
  static const std::vector<CouplingEntry> table = make_table();
  return table;
}

}  // namespace adze::prune
