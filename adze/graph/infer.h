#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adze/graph/graph.h"

namespace adze {

/// What an operator's inference rule sees of one node, and where it leaves the output types.
/// Unknown inputs (dtype Undefined, no shape) are normal: a rule then leaves the outputs as unknown as they must be.
/// A rule throws ModelError (without place: the caller adds it) when the inputs cannot be right.
class InferContext {
 public:
  InferContext(const Graph& graph, const Node& node);

  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  std::size_t num_inputs() const { return node_.inputs.size(); }
  std::size_t num_outputs() const { return node_.outputs.size(); }
  bool has_input(std::size_t i) const { return node_.input(i) != ValueId::None; }
  /// The input's type; an unknown tensor when the input is absent.
  const ValueType& type(std::size_t i) const;
  DType dtype(std::size_t i) const { return type(i).dtype; }
  const std::optional<SymbolicShape>& shape(std::size_t i) const { return type(i).shape; }
  std::optional<std::int64_t> rank(std::size_t i) const;
  const Tensor* constant(std::size_t i) const { return graph_.constant(node_.input(i)); }
  /// The integers of a rank-0 or rank-1 input as dimensions: from its constant, or from the dims fact.
  std::optional<SymbolicShape> dims(std::size_t i) const;
  /// The input as known integers, when all are known.
  std::optional<std::vector<std::int64_t>> ints(std::size_t i) const;

  void set_output(std::size_t i, ValueType type);
  void set_output(std::size_t i, DType dtype, std::optional<SymbolicShape> shape = std::nullopt) {
    set_output(i, ValueType::tensor(dtype, std::move(shape)));
  }
  /// States that output i is an integer tensor holding these dimensions.
  void set_dims(std::size_t i, SymbolicShape dims);

  std::vector<ValueType> output_types;
  std::vector<std::optional<SymbolicShape>> output_dims;
  /// Subgraph attributes with their values' types inferred: infer_types() puts them back into the node.
  std::vector<std::pair<std::string, Subgraph>> subgraphs;

 private:
  const Graph& graph_;
  const Node& node_;
};

using InferFunction = void (*)(InferContext&);

/// One line of a family's inference table.
struct InferEntry {
  OpKind kind;
  InferFunction infer;
};

/// The rule of an operator; null when there is none (outputs stay unknown).
InferFunction infer_function(OpKind kind);

// One table per family, in infer/<family>.cpp.
std::span<const InferEntry> adze_inference();
std::span<const InferEntry> control_inference();
std::span<const InferEntry> elementwise_inference();
std::span<const InferEntry> movement_inference();
std::span<const InferEntry> neural_inference();
std::span<const InferEntry> quantization_inference();
std::span<const InferEntry> reduction_inference();
/// random, recurrent, signal, text and training operators.
std::span<const InferEntry> various_inference();

/// NumPy broadcasting of symbolic shapes. Throws ModelError when known dimensions contradict.
SymbolicShape broadcast(const SymbolicShape& a, const SymbolicShape& b);

/// The more precise of two descriptions of one value; where both name a dimension, inferred's name stands.
/// Throws ModelError when they contradict.
ValueType merge_types(const ValueType& declared, const ValueType& inferred);

/// The types of a node's outputs from those of its inputs; place added to errors.
InferContext infer_node(const Graph& graph, const Node& node);

/// Infers the types and dims facts of all values in topological order, into subgraphs too. What the file declared is
/// kept where inference knows less; where the two contradict, ModelError names the node.
void infer_types(Graph& graph);

}  // namespace adze
