#include "adze/recipe/fold_evaluator.h"

#include "adze/engine/reference/reference.h"

namespace adze {

rewrite::Evaluator reference_evaluator() {
  return [](const Graph& graph, const Node& node,
            std::span<const Tensor* const> inputs) -> std::optional<std::vector<Tensor>> {
    if (reference::kernel_function(node.kind) == nullptr) return std::nullopt;
    std::vector<reference::Datum> data;
    for (const Tensor* input : inputs) data.push_back(input != nullptr ? reference::Datum(*input) : reference::Datum());
    std::vector<Tensor> outputs;
    for (const reference::Datum& output : reference::run_node(graph, node, data)) {
      if (output.is_sequence()) return std::nullopt;
      outputs.push_back(output.is_tensor() ? output.tensor() : Tensor());
    }
    return outputs;
  };
}

}  // namespace adze
