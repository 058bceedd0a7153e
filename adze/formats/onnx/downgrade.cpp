#include "adze/formats/onnx/downgrade.h"

#include "adze/formats/onnx/downgrade_rules.h"

namespace adze::onnx {

namespace {

/// The first opset that knows the element type.
int opset_of_dtype(DType dtype) {
  switch (dtype) {
    case DType::S4:
    case DType::U4:
      return 21;
    case DType::F8E4M3:
    case DType::F8E4M3Fnuz:
    case DType::F8E5M2:
    case DType::F8E5M2Fnuz:
      return 19;
    case DType::BF16:
      return 13;
    default:
      return 1;
  }
}

void check_dtypes(const Downgrade& down) {
  const auto check = [&](ValueId id) {
    if (id == ValueId::None) return;
    const DType dtype = down.graph.value(id).type.dtype;
    if (opset_of_dtype(dtype) > down.opset) down.refuse(cat("element type ", dtype_name(dtype)));
    const bool quantizes = down.node.kind == OpKind::QuantizeLinear || down.node.kind == OpKind::DequantizeLinear;
    if (quantizes && down.opset < 21 && (dtype == DType::S16 || dtype == DType::U16)) {
      down.refuse(cat("quantization to ", dtype_name(dtype)));
    }
  };
  for (const ValueId id : down.node.inputs) check(id);
  for (const ValueId id : down.node.outputs) check(id);
}

void downgrade_node(Graph& graph, Node& node, int opset) {
  const OpInfo& info = op_info(node.kind);
  if (info.domain != Domain::Onnx) return;
  Downgrade down{graph, node, opset};
  if (info.since > opset) {
    down.refuse(cat("operator ", info.name, ", which came with opset ", info.since));
  }
  check_dtypes(down);
  for (const auto table : {dtype_downgrades(), form_downgrades()}) {
    for (const DowngradeRule& rule : table) {
      if (rule.kind == node.kind && opset < rule.before) rule.apply(down);
    }
  }
}

}  // namespace

Graph downgraded(Graph graph, int opset) {
  for (const NodeId id : graph.node_ids()) {
    Node node = graph.node(id);
    try {
      downgrade_node(graph, node, opset);
    } catch (const Error& error) {
      rethrow_with_place(error, place_of(graph, node));
    }
    for (auto& [name, attribute] : node.attributes) {
      auto* subgraph = std::get_if<Subgraph>(&attribute);
      if (subgraph != nullptr) subgraph->graph = std::make_shared<const Graph>(downgraded(*subgraph->graph, opset));
    }
    graph.node(id) = std::move(node);
  }
  return graph;
}

}  // namespace adze::onnx
