#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "adze/graph/edit.h"
#include "adze/graph/graph.h"

namespace adze::rewrite {

/// Computes a node whose inputs are all known (null = absent), or nothing when it cannot.
using Evaluator =
    std::function<std::optional<std::vector<Tensor>>(const Graph&, const Node&, std::span<const Tensor* const>)>;

/// How far the outputs of a network may move by a rewrite.
enum class Exactness {
  Exact,     ///< the same numbers (a zero may change its sign)
  Rounding,  ///< the same formula computed in another order: differences of a few roundings
};

/// What a rule sees of the graph and its surroundings.
struct RuleContext {
  const Graph& graph;
  const Uses& uses;
  const Evaluator& evaluate;
  std::int64_t max_fold_bytes = 0;

  const Node& node(NodeId id) const { return graph.node(id); }
  /// The node that computes the value when it is of this kind, else null.
  const Node* producer(ValueId id, OpKind kind) const;
  /// The one node that reads the value when nothing else does and it is no output of the graph, else null.
  const Node* only_reader(ValueId id) const;
  DType dtype(ValueId id) const { return id == ValueId::None ? DType::Undefined : graph.value(id).type.dtype; }
  /// The shape as far as known; null when not even the rank is.
  const SymbolicShape* shape(ValueId id) const;
  /// Every dimension, when all are known.
  std::optional<Shape> known_shape(ValueId id) const;
  std::optional<std::int64_t> rank(ValueId id) const;
  /// The number in a real constant of one element.
  std::optional<double> scalar(ValueId id) const;
  /// All elements of an integer constant of rank 0 or 1.
  std::optional<std::vector<std::int64_t>> ints(ValueId id) const;
};

/// A rewrite of one place. match looks at the graph around a node and answers with an edit or with nothing.
struct Rule {
  std::string_view name;
  Exactness exactness;
  std::vector<OpKind> roots;  ///< the operators it starts from; none = all
  std::optional<GraphEdit> (*match)(const RuleContext&, NodeId);
};

/// Certainly the same shape: known numbers or equal symbols throughout.
bool same_shape(const SymbolicShape* a, const SymbolicShape* b);

}  // namespace adze::rewrite
