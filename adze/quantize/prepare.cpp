#include <algorithm>

#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/insert.h"
#include "adze/quantize/ptq.h"
#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/fold_batch_norm.h"

namespace adze::quantize {

namespace {

Tensor scaled(const Tensor& tensor, float factor) {
  Tensor result = tensor;
  for (float& value : result.mutable_data<float>()) value *= factor;
  return result;
}

/// Before  Gemm with alpha, beta and a bias [1], [N], [1, N] … of constants
/// After   Gemm with alpha = beta = 1 and a bias [N]
void plain_gemm(Inserter& inserter, NodeId id) {
  Graph& graph = inserter.graph();
  const Node node = graph.node(id);
  const Tensor* weight = graph.constant(node.input(1));
  if (weight == nullptr || weight->dtype() != DType::F32 || weight->rank() != 2) return;
  const Tensor* bias = graph.constant(node.input(2));
  const std::int64_t channels = weight->dim(node.get_int("transB") != 0 ? 0 : 1);
  if (bias == nullptr && node.input(2) != ValueId::None) return;
  if (bias != nullptr && bias->size() != 1 && (bias->size() != channels || bias->dim(bias->rank() - 1) != channels)) {
    return;
  }
  const float alpha = node.get_float("alpha");
  const float beta = node.get_float("beta");
  const Shape plain{channels};
  if (bias != nullptr && (beta != 1 || bias->shape() != plain)) {
    Tensor spread(DType::F32, plain);
    const auto from = bias->data<float>();
    const auto to = spread.mutable_data<float>();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = beta * from[from.size() == 1 ? 0 : i];
    const ValueId value = inserter.constant(cat(graph.value(node.input(2)).name, "_plain"), spread);
    graph.node(id).inputs[2] = value;
  }
  weight = graph.constant(node.input(1));
  if (alpha != 1) {
    const ValueId value = inserter.constant(cat(graph.value(node.input(1)).name, "_plain"), scaled(*weight, alpha));
    graph.node(id).inputs[1] = value;
  }
  graph.node(id).erase("alpha");
  graph.node(id).erase("beta");
}

bool has_batch_norm(const Graph& graph) {
  const std::vector<NodeId> ids = graph.node_ids();
  return std::any_of(ids.begin(), ids.end(),
                     [&](NodeId id) { return graph.node(id).kind == OpKind::BatchNormalization; });
}

}  // namespace

Graph prepared(Graph graph) {
  infer_types(graph);
  note_batch_norms(graph);
  if (has_batch_norm(graph)) rewrite::rewrite(graph, rewrite::fold_batch_norm_rules());
  Inserter inserter(graph);
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).kind == OpKind::Gemm) plain_gemm(inserter, id);
  }
  infer_types(graph);
  return graph;
}

}  // namespace adze::quantize
