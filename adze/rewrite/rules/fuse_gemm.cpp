#include "adze/rewrite/rules/fuse_gemm.h"

#include "adze/base/text.h"

namespace adze::rewrite {

namespace {

/// Does c broadcast to [rows, columns] without making it larger?
bool is_bias(const Tensor& c, const Dim& columns) {
  if (c.rank() > 2 || !is_float(c.dtype())) return false;
  for (std::int64_t i = 0; i < c.rank(); ++i) {
    const bool is_last = i == c.rank() - 1;
    if (c.dim(i) != 1 && !(is_last && columns == Dim(c.dim(i)))) return false;
  }
  return true;
}

std::optional<GraphEdit> fuse_gemm(const RuleContext& context, NodeId id) {
  const Node& add = context.node(id);
  for (std::size_t side = 0; side < 2; ++side) {
    const ValueId product = add.input(side);
    const Tensor* c = context.graph.constant(add.input(1 - side));
    const Node* matmul = context.producer(product, OpKind::MatMul);
    if (c == nullptr || matmul == nullptr || !context.uses.single(product)) continue;
    const SymbolicShape* weights = context.shape(matmul->input(1));
    if (context.rank(matmul->input(0)) != 2 || weights == nullptr || weights->size() != 2) continue;
    if (!is_bias(*c, (*weights)[1]) || c->dtype() != context.dtype(product)) continue;
    GraphEdit edit(context.graph, cat(matmul->name, " and ", add.name, " are a Gemm"));
    edit.replace(add.output(), edit.add_node(OpKind::Gemm, {matmul->input(0), matmul->input(1), add.input(1 - side)},
                                             {}, matmul->name));
    return edit;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Rule> fuse_gemm_rules() {
  return {{"fuse-gemm", Exactness::Rounding, {OpKind::Add}, fuse_gemm}};
}

}  // namespace adze::rewrite
