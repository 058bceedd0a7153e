#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/plan/plan.h"

namespace adze {

namespace {

using Symbols = std::map<std::string, std::int64_t>;

[[noreturn]] void refuse(const Graph& graph, const Value& input, const std::string& found) {
  throw ModelError(cat("input ", quoted(input.name), " is ", type_text(input.type), ", got ", found),
                   {graph.source_file, "", ""});
}

/// Notes what the symbols of the declared shape stand for when the input has this shape.
void bind_symbols(const Graph& graph, const Value& input, const Shape& shape, Symbols& symbols) {
  if (!input.type.is_tensor()) refuse(graph, input, "a shape");
  if (!input.type.shape) return;
  const SymbolicShape& declared = *input.type.shape;
  if (declared.size() != shape.size()) refuse(graph, input, cat("shape ", shape_text(shape)));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (declared[i].is_known() ? declared[i].value != shape[i] : shape[i] < 0) {
      refuse(graph, input, cat("shape ", shape_text(shape)));
    }
    if (declared[i].is_known() || declared[i].symbol.empty()) continue;
    const auto [known, fresh] = symbols.emplace(declared[i].symbol, shape[i]);
    if (!fresh && known->second != shape[i]) {
      refuse(graph, input, cat("shape ", shape_text(shape), " although ", declared[i].symbol, " is ", known->second));
    }
  }
}

void substitute(SymbolicShape& shape, const Symbols& symbols) {
  for (Dim& dim : shape) {
    if (dim.is_known() || dim.symbol.empty()) continue;
    if (const auto found = symbols.find(dim.symbol); found != symbols.end()) dim = Dim(found->second);
  }
}

}  // namespace

Graph with_input_shapes(Graph graph, const std::map<std::string, Shape>& shapes) {
  Symbols symbols;
  std::size_t used = 0;
  for (const ValueId id : graph.inputs()) {
    Value& input = graph.value(id);
    const auto found = shapes.find(input.name);
    if (found == shapes.end()) continue;
    ++used;
    bind_symbols(graph, input, found->second, symbols);
    input.type.shape = symbolic(found->second);
  }
  if (used != shapes.size()) {
    for (const auto& [name, shape] : shapes) {
      const ValueId id = graph.find_value(name);
      const bool is_input = id != ValueId::None && graph.producer_of(id) == nullptr && !graph.value(id).constant;
      if (!is_input) throw ModelError(cat("the model has no input ", quoted(name)), {graph.source_file, "", ""});
    }
  }
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    Value& value = graph.value(static_cast<ValueId>(i));
    if (value.type.shape) substitute(*value.type.shape, symbols);
  }
  infer_types(graph);
  return graph;
}

Graph with_unknown_dims(Graph graph, std::int64_t value) {
  Symbols symbols;
  for (const ValueId id : graph.inputs()) {
    Value& input = graph.value(id);
    if (!input.type.is_tensor() || !input.type.shape) continue;
    for (Dim& dim : *input.type.shape) {
      if (dim.is_known()) continue;
      if (!dim.symbol.empty()) symbols.emplace(dim.symbol, value);
      dim = Dim(value);
    }
  }
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    ValueType& type = graph.value(static_cast<ValueId>(i)).type;
    if (type.shape) substitute(*type.shape, symbols);
  }
  infer_types(graph);
  return graph;
}

}  // namespace adze
