#pragma once

#include <string>
#include <vector>

#include "adze/graph/infer.h"

namespace adze {

/// A graph of one node at the end of a chain, for asking what is inferred of it.
class Inferred {
 public:
  Graph graph;

  ValueId input(SymbolicShape shape, DType dtype = DType::F32) {
    return graph.add_input(graph.unique_name("x"), ValueType::tensor(dtype, std::move(shape)));
  }
  ValueId unknown() { return graph.add_input(graph.unique_name("x"), {}); }
  ValueId ints(const std::vector<std::int64_t>& values) {
    return graph.add_constant(graph.unique_name("c"), Tensor::ints(values));
  }
  ValueId scalar(std::int64_t value) {
    return graph.add_constant(graph.unique_name("c"), Tensor::scalar<std::int64_t>(value));
  }
  ValueId add(OpKind kind, std::vector<ValueId> inputs, std::vector<std::pair<std::string, Attribute>> attributes = {},
              int num_outputs = 1) {
    const ValueId first = graph.add(kind, std::move(inputs), std::move(attributes), "node", num_outputs);
    infer_types(graph);
    return first;
  }
  /// "f32[batch, 3]", of the output-th output.
  std::string type(ValueId first, int output = 0) const {
    return type_text(graph.value(static_cast<ValueId>(static_cast<int>(first) + output)).type);
  }
  /// The dims fact: "[batch, 3]", or "none".
  std::string dims(ValueId id) const {
    const auto& dims = graph.value(id).dims;
    return dims ? shape_text(*dims) : "none";
  }
};

}  // namespace adze
