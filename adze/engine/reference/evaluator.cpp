#include "adze/engine/reference/evaluator.h"

#include "adze/engine/reference/reference.h"

namespace adze::reference {

namespace {

std::optional<std::vector<Tensor>> evaluate(const Graph& graph, const Node& node,
                                            std::span<const Tensor* const> inputs) {
  if (op_info(node.kind).op_class == OpClass::Control || kernel_function(node.kind) == nullptr) return std::nullopt;
  std::vector<Datum> data;
  for (const Tensor* input : inputs) data.push_back(input != nullptr ? Datum(*input) : Datum());
  std::vector<Tensor> results;
  for (const Datum& output : run_node(graph, node, data)) {
    if (output.is_sequence()) return std::nullopt;
    results.push_back(output.is_tensor() ? output.tensor() : Tensor());
  }
  return results;
}

}  // namespace

rewrite::Evaluator evaluator() {
  return evaluate;
}

}  // namespace adze::reference
