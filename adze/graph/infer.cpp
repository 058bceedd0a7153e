#include "adze/graph/infer.h"

#include <algorithm>

#include "adze/base/text.h"

namespace adze {

InferContext::InferContext(const Graph& graph, const Node& node)
    : output_types(node.outputs.size()), output_dims(node.outputs.size()), graph_(graph), node_(node) {}

const ValueType& InferContext::type(std::size_t i) const {
  static const ValueType unknown;
  return has_input(i) ? graph_.value(node_.input(i)).type : unknown;
}

std::optional<std::int64_t> InferContext::rank(std::size_t i) const {
  if (!shape(i)) return std::nullopt;
  return static_cast<std::int64_t>(shape(i)->size());
}

std::optional<SymbolicShape> InferContext::dims(std::size_t i) const {
  if (!has_input(i)) return std::nullopt;
  if (const Tensor* tensor = constant(i)) {
    constexpr std::int64_t most_dims = 4096;
    if (!is_integer(tensor->dtype()) || tensor->size() > most_dims) return std::nullopt;
    const auto values = to_ints(*tensor);
    return SymbolicShape(values.begin(), values.end());
  }
  return graph_.value(node_.input(i)).dims;
}

std::optional<std::vector<std::int64_t>> InferContext::ints(std::size_t i) const {
  if (const Tensor* tensor = constant(i)) {
    if (!is_integer(tensor->dtype())) throw ModelError(cat("input ", i, " must hold integers"));
    return to_ints(*tensor);
  }
  const auto known = dims(i);
  if (!known) return std::nullopt;
  return concrete(*known);
}

void InferContext::set_output(std::size_t i, ValueType type) {
  if (i < output_types.size()) output_types[i] = std::move(type);
}

void InferContext::set_dims(std::size_t i, SymbolicShape dims) {
  if (i < output_dims.size()) output_dims[i] = std::move(dims);
}

InferFunction infer_function(OpKind kind) {
  static const auto table = [] {
    std::array<InferFunction, num_op_kinds> functions{};
    for (const auto family :
         {adze_inference(), control_inference(), elementwise_inference(), movement_inference(), neural_inference(),
          quantization_inference(), reduction_inference(), various_inference()}) {
      for (const InferEntry& entry : family) functions[static_cast<std::size_t>(entry.kind)] = entry.infer;
    }
    return functions;
  }();
  return table[static_cast<std::size_t>(kind)];
}

SymbolicShape broadcast(const SymbolicShape& a, const SymbolicShape& b) {
  SymbolicShape result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const Dim x = i < a.size() ? a[a.size() - 1 - i] : Dim(1);
    const Dim y = i < b.size() ? b[b.size() - 1 - i] : Dim(1);
    Dim& out = result[result.size() - 1 - i];
    if (x == Dim(1)) {
      out = y;
    } else if (y == Dim(1)) {
      out = x;
    } else if (x.is_known() && y.is_known()) {
      if (x.value != y.value) {
        throw ModelError(cat("shapes ", shape_text(a), " and ", shape_text(b), " do not broadcast"));
      }
      out = x;
    } else if (x.is_known()) {
      out = x;  // y is 1 or the same number
    } else if (y.is_known()) {
      out = y;
    } else if (x == y) {
      out = x;
    }
  }
  return result;
}

InferContext infer_node(const Graph& graph, const Node& node) {
  InferContext context(graph, node);
  const InferFunction infer = infer_function(node.kind);
  if (infer == nullptr) return context;
  try {
    infer(context);
  } catch (const Error& error) {
    rethrow_with_place(error, place_of(graph, node));
  }
  return context;
}

ValueType merge_types(const ValueType& declared, const ValueType& inferred) {
  if (inferred.kind != ValueType::Kind::Tensor) return inferred;
  if (declared.kind != ValueType::Kind::Tensor) {
    if (inferred.dtype == DType::Undefined && !inferred.shape) return declared;
    throw ModelError(cat("declared as ", type_text(declared), " but computes ", type_text(inferred)));
  }
  ValueType result = inferred;
  if (result.dtype == DType::Undefined) result.dtype = declared.dtype;
  if (declared.dtype != DType::Undefined && declared.dtype != result.dtype) {
    throw ModelError(cat("declared as ", type_text(declared), " but computes ", type_text(inferred)));
  }
  if (!declared.shape) return result;
  if (!result.shape) {
    result.shape = declared.shape;
    return result;
  }
  if (!compatible(*declared.shape, *result.shape)) {
    throw ModelError(cat("declared as ", type_text(declared), " but computes ", type_text(inferred)));
  }
  for (std::size_t i = 0; i < result.shape->size(); ++i) {
    Dim& dim = (*result.shape)[i];
    const Dim& known = (*declared.shape)[i];
    if (!dim.is_known() && (known.is_known() || dim.symbol.empty())) dim = known;
  }
  return result;
}

void infer_types(Graph& graph) {
  for (const NodeId id : topological_order(graph)) {
    InferContext context = infer_node(graph, graph.node(id));
    for (auto& [name, subgraph] : context.subgraphs) graph.node(id).set(name, std::move(subgraph));
    const Node& node = graph.node(id);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == ValueId::None) continue;
      Value& value = graph.value(node.outputs[i]);
      try {
        value.type = merge_types(value.type, context.output_types[i]);
      } catch (const Error& error) {
        rethrow_with_place(ModelError(cat("output ", quoted(value.name), " is ", error.message())),
                           place_of(graph, node));
      }
      value.dims = context.output_dims[i];
    }
  }
}

}  // namespace adze
