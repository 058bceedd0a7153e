#include "adze/emit/c/signed_bytes.h"

#include <string>
#include <vector>

namespace adze::emit {

namespace {

Tensor signed_tensor(const Tensor& tensor) {
  Tensor result(DType::S8, tensor.shape());
  for (std::int64_t i = 0; i < tensor.size(); ++i) result.set_int(i, tensor.get_int(i) - 128);
  return result;
}

void lower_by_128(Node& node, const std::string& attribute) {
  node.set(attribute, node.get_int(attribute) - 128);
}

bool has_stored_weights(OpKind kind) {
  return kind == OpKind::QConv || kind == OpKind::QGemm;
}

class Changer {
 public:
  explicit Changer(Graph& graph) : graph_(graph), was_unsigned_(static_cast<std::size_t>(graph.num_values()), false) {}

  void run() {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(was_unsigned_.size()); ++i) {
      const Value& value = std::as_const(graph_).value(static_cast<ValueId>(i));
      was_unsigned_[static_cast<std::size_t>(i)] =
          value.constant ? value.constant->dtype() == DType::U8 : value.type.dtype == DType::U8;
    }
    for (const NodeId id : graph_.node_ids()) change(graph_.node(id));
    for (std::size_t i = 0; i < was_unsigned_.size(); ++i) {
      Value& value = graph_.value(static_cast<ValueId>(i));
      if (was_unsigned_[i] && !value.constant) value.type.dtype = DType::S8;
    }
  }

 private:
  bool is_unsigned(ValueId id) const { return id != ValueId::None && was_unsigned_[static_cast<std::size_t>(id)]; }

  void change(Node& node) {
    const bool weights = has_stored_weights(node.kind);
    if (is_unsigned(node.input(0)) && node.has("x_scale")) {
      lower_by_128(node, "x_zero_point");
      if (node.kind == OpKind::QAveragePool) node.set("raw_offset", std::int64_t{128});
    }
    if (is_unsigned(node.input(0)) && node.has("a_scale")) lower_by_128(node, "a_zero_point");
    if (is_unsigned(node.input(1)) && node.has("b_scale")) lower_by_128(node, "b_zero_point");
    if (is_unsigned(node.output()) && node.has("y_scale")) {
      for (const char* attribute : {"y_zero_point", "y_min", "y_max"}) lower_by_128(node, attribute);
      node.set("y_dtype", static_cast<std::int64_t>(DType::S8));
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Tensor* constant = std::as_const(graph_).constant(node.inputs[i]);
      if (constant == nullptr || constant->dtype() != DType::U8 || (weights && i == 1)) continue;
      const Tensor changed = signed_tensor(*constant);
      node.inputs[i] = graph_.add_constant(graph_.unique_name("signed"), changed);
    }
    // Without a zero point the bytes are unsigned and zero is zero.
    const bool to_bytes = node.kind == OpKind::QuantizeLinear && is_unsigned(node.output());
    const bool from_bytes = node.kind == OpKind::DequantizeLinear && is_unsigned(node.input(0));
    if ((to_bytes || from_bytes) && node.input(2) == ValueId::None) {
      const ValueId zero = graph_.add_constant(graph_.unique_name("zero_point"), Tensor::scalar<std::int8_t>(-128));
      node.inputs.resize(3, zero);
      node.inputs[2] = zero;
    }
  }

  Graph& graph_;
  std::vector<bool> was_unsigned_;  ///< by value of the given graph
};

}  // namespace

Graph with_signed_bytes(Graph lowered) {
  Changer(lowered).run();
  return lowered;
}

}  // namespace adze::emit
