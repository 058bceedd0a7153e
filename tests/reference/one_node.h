#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adze/engine/reference/reference.h"

namespace adze::reference {

using Attributes = std::vector<std::pair<std::string, Attribute>>;

/// Runs one operator. An input that is_none() is absent.
inline std::vector<Datum> run_data(OpKind kind, const std::vector<Datum>& inputs, const Attributes& attributes = {},
                                   int num_outputs = 1, const RunOptions& options = {}) {
  Graph graph;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ids.push_back(inputs[i].is_none() ? ValueId::None : graph.add_input("input_" + std::to_string(i), {}));
  }
  const ValueId first = graph.add(kind, ids, attributes, "node", num_outputs);
  const Node node = *graph.producer_of(first);
  return run_node(graph, node, inputs, options);
}

/// The same with tensors in and out.
inline std::vector<Tensor> run_one(OpKind kind, const std::vector<Datum>& inputs, const Attributes& attributes = {},
                                   int num_outputs = 1, const RunOptions& options = {}) {
  std::vector<Tensor> outputs;
  for (const Datum& datum : run_data(kind, inputs, attributes, num_outputs, options)) outputs.push_back(datum.tensor());
  return outputs;
}

}  // namespace adze::reference
