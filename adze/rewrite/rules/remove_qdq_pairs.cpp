#include "adze/rewrite/rules/remove_qdq_pairs.h"

#include "adze/base/text.h"
#include "adze/rewrite/quantization.h"

namespace adze::rewrite {

namespace {

std::optional<GraphEdit> remove_pair(const RuleContext& context, NodeId id) {
  const Node& quantize = context.node(id);
  const Node* dequantize = context.producer(quantize.input(0), OpKind::DequantizeLinear);
  if (dequantize == nullptr || !same_quantization(context, *dequantize, quantize)) return std::nullopt;
  const ValueId codes = dequantize->input(0);
  if (context.dtype(codes) == DType::Undefined || context.dtype(codes) != context.dtype(quantize.output()))
    return std::nullopt;
  GraphEdit edit(context.graph, cat(dequantize->name, " and ", quantize.name, " cancel"));
  edit.replace(quantize.output(), codes);
  return edit;
}

}  // namespace

std::vector<Rule> remove_qdq_pairs_rules() {
  return {{"remove-qdq-pair", Exactness::Exact, {OpKind::QuantizeLinear}, remove_pair}};
}

}  // namespace adze::rewrite
