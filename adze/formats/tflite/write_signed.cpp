// TFLite multiplies signed weights by signed activations only: networks that mix them get signed activations.
#include "adze/formats/tflite/write_signed.h"

#include <map>
#include <set>

#include "adze/graph/infer.h"

namespace adze::tflite {

namespace {

constexpr std::int64_t shift = 128;

bool is_unsigned(const Graph& graph, ValueId id) {
  const Tensor* content = graph.constant(id);
  return (content != nullptr ? content->dtype() : graph.value(id).type.dtype) == DType::U8;
}

/// Does a product take unsigned activations and signed weights?
bool mixes_signs(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (node.kind != OpKind::Conv && node.kind != OpKind::Gemm && node.kind != OpKind::MatMul) continue;
    const Node* x = graph.producer_of(node.input(0));
    const Node* w = graph.producer_of(node.input(1));
    const bool both =
        x != nullptr && w != nullptr && x->kind == OpKind::DequantizeLinear && w->kind == OpKind::DequantizeLinear;
    if (both && is_unsigned(graph, x->input(0)) && !is_unsigned(graph, w->input(0))) return true;
  }
  return false;
}

Tensor shifted(const Tensor& content) {
  Tensor result(DType::S8, content.shape());
  for (std::int64_t i = 0; i < content.size(); ++i) result.set_int(i, content.get_int(i) - shift);
  return result;
}

class Signer {
 public:
  explicit Signer(Graph graph) : graph_(std::move(graph)) {}

  Graph run() {
    const std::set<ValueId> inputs(graph_.inputs().begin(), graph_.inputs().end());
    for (const NodeId id : graph_.node_ids()) {
      const OpKind kind = graph_.node(id).kind;
      if (kind != OpKind::QuantizeLinear && kind != OpKind::DequantizeLinear) continue;
      const bool quantize = kind == OpKind::QuantizeLinear;
      const ValueId integers = quantize ? graph_.node(id).output() : graph_.node(id).input(0);
      if (!is_unsigned(graph_, integers) && !changed_.contains(integers)) continue;
      const ValueId zero_point = signed_zero_point(id);
      if (graph_.constant(integers) != nullptr) {
        const ValueId content = signed_constant(integers);
        graph_.node(id).inputs[0] = content;
      } else if (!quantize && inputs.contains(integers)) {
        const ValueId turned = signed_input(id, zero_point);
        graph_.node(id).inputs[0] = turned;
      } else {
        changed_.insert(integers);
      }
      set_zero_point(id, zero_point);
    }
    keep_outputs();
    for (std::int32_t i = 0; i < graph_.num_values(); ++i) {
      Value& value = graph_.value(static_cast<ValueId>(i));
      const bool computed = !value.constant && !inputs.contains(static_cast<ValueId>(i));
      if (computed && value.type.dtype == DType::U8 && !kept_.contains(static_cast<ValueId>(i))) {
        value.type.dtype = DType::Undefined;
      }
    }
    infer_types(graph_);
    return std::move(graph_);
  }

 private:
  void set_zero_point(NodeId id, ValueId zero_point) {
    Node& node = graph_.node(id);
    node.inputs.resize(3, ValueId::None);
    node.inputs[2] = zero_point;
    node.erase("output_dtype");
  }

  ValueId signed_zero_point(NodeId id) {
    const Node node = graph_.node(id);
    const Tensor* scale = graph_.constant(node.input(1));
    const Tensor* given = graph_.constant(node.input(2));
    if (scale == nullptr || (node.input(2) != ValueId::None && given == nullptr)) {
      throw UnsupportedError("the scale is computed", place_of(graph_, node));
    }
    const Tensor content = given != nullptr ? *given : Tensor(DType::U8, scale->shape());
    return graph_.add_constant(graph_.unique_name(node.name + "/signed_zero_point"), shifted(content));
  }

  ValueId signed_constant(ValueId id) {
    const auto found = constants_.find(id);
    if (found != constants_.end()) return found->second;
    const Tensor content = shifted(*graph_.constant(id));
    return constants_[id] = graph_.add_constant(graph_.unique_name(graph_.value(id).name + "/signed"), content);
  }

  /// The input stays unsigned; its signed form follows it.
  ValueId signed_input(NodeId dequantize, ValueId zero_point) {
    const Node node = graph_.node(dequantize);
    const auto found = constants_.find(node.input(0));
    if (found != constants_.end()) return found->second;
    const std::string name = graph_.value(node.input(0)).name;
    const ValueId real = graph_.add(OpKind::DequantizeLinear, node.inputs, {}, name + "/unsigned");
    return constants_[node.input(0)] =
               graph_.add(OpKind::QuantizeLinear, {real, node.input(1), zero_point}, {}, name + "/signed");
  }

  /// Unsigned outputs stay so: a requantization follows the signed value, which takes another name.
  void keep_outputs() {
    std::vector<ValueId> outputs = graph_.outputs();
    for (ValueId& output : outputs) {
      const Node* producer = graph_.producer_of(output);
      if (!changed_.contains(output) || producer == nullptr || producer->kind != OpKind::QuantizeLinear) continue;
      const Node quantize = *producer;
      const std::string name = graph_.value(output).name;
      graph_.value(output).name = graph_.unique_name(name + "/signed");
      const ValueId real = graph_.add(OpKind::DequantizeLinear, {output, quantize.input(1), quantize.input(2)});
      const std::int64_t zero_point = graph_.constant(quantize.input(2))->get_int(0) + shift;
      const ValueId unsigned_zero = graph_.add_constant(graph_.unique_name(name + "/zero_point"),
                                                        Tensor::scalar(static_cast<std::uint8_t>(zero_point)));
      output = graph_.add(OpKind::QuantizeLinear, {real, quantize.input(1), unsigned_zero});
      graph_.value(output).name = name;
      kept_.insert(output);
    }
    graph_.set_outputs(std::move(outputs));
  }

  Graph graph_;
  std::map<ValueId, ValueId> constants_;  ///< signed forms of constants and inputs
  std::set<ValueId> changed_;             ///< computed values that are signed now
  std::set<ValueId> kept_;                ///< unsigned outputs
};

}  // namespace

Graph with_signed_activations(Graph graph) {
  if (!mixes_signs(graph)) return graph;
  return Signer(std::move(graph)).run();
}

}  // namespace adze::tflite
