#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adze/graph/graph.h"

namespace adze::onnx {

/// Gives names to values and nodes of one graph that nothing else in it has.
class NameSource {
 public:
  virtual ~NameSource() = default;
  /// base, or base_1, base_2 …
  virtual std::string fresh(std::string_view base) = 0;
};

/// One node of an older opset on its way into a graph. Rules edit it and may add nodes before and after it.
///
/// Attributes are as the file has them, not yet checked: rules take them with the typed functions below, which throw
/// ModelError for the wrong type.
class Upgrade {
 public:
  Upgrade(Graph& graph, Node& node, std::int64_t opset, NameSource& names)
      : graph(graph), node(node), opset(opset), names_(names) {}

  Graph& graph;
  Node& node;
  std::int64_t opset;

  /// The attribute, removed from the node; nothing when it is absent.
  std::optional<std::int64_t> take_int(std::string_view name) { return take<std::int64_t>(name); }
  std::optional<float> take_float(std::string_view name) { return take<float>(name); }
  std::optional<std::string> take_string(std::string_view name) { return take<std::string>(name); }
  std::optional<std::vector<std::int64_t>> take_ints(std::string_view name) {
    return take<std::vector<std::int64_t>>(name);
  }
  std::optional<std::vector<float>> take_floats(std::string_view name) { return take<std::vector<float>>(name); }
  /// The attribute as it is, left in place.
  std::optional<std::int64_t> peek_int(std::string_view name) const;

  ValueId constant(std::string_view suffix, Tensor tensor);
  ValueId constant(std::string_view suffix, const std::vector<std::int64_t>& values) {
    return constant(suffix, Tensor::ints(values));
  }
  /// A number in the dtype of like: a constant when that is known, else a cast at run time.
  ValueId number_like(std::string_view suffix, float number, ValueId like);
  /// Adds a node before this one, with its types inferred; returns its first output.
  ValueId add(OpKind kind, std::vector<ValueId> inputs, std::vector<std::pair<std::string, Attribute>> attributes,
              std::string_view suffix);
  /// Adds a node after this one that computes output from the new value that is returned, which this node computes now.
  ValueId insert_after(OpKind kind, std::size_t output, std::vector<ValueId> more_inputs,
                       std::vector<std::pair<std::string, Attribute>> attributes, std::string_view suffix);
  /// Puts value at input i, with absent inputs before it.
  void set_input(std::size_t i, ValueId value);

  const ValueType& type(std::size_t i) const;
  std::optional<std::int64_t> rank(std::size_t i) const;
  /// The rank of input i, or UnsupportedError: the old form cannot be expressed without it.
  std::int64_t known_rank(std::size_t i) const;
  /// The integers of constant input i, or UnsupportedError.
  std::vector<std::int64_t> constant_ints(std::size_t i) const;

  /// Nodes to add after this one.
  std::vector<Node> after;

 private:
  template <typename T>
  std::optional<T> take(std::string_view name);
  std::string fresh(std::string_view suffix);

  NameSource& names_;
};

using UpgradeFunction = void (*)(Upgrade&);

/// One change of an operator's form: nodes of opsets first to last are brought to the form that came after.
struct UpgradeRule {
  OpKind kind;
  int first, last;
  UpgradeFunction apply;
};

// One table per topic, in upgrade/<topic>.cpp. Rules of one operator are applied in the order of their table.
std::span<const UpgradeRule> arithmetic_upgrades();
std::span<const UpgradeRule> attribute_upgrades();
std::span<const UpgradeRule> control_upgrades();
std::span<const UpgradeRule> neural_upgrades();
std::span<const UpgradeRule> normalization_upgrades();
std::span<const UpgradeRule> resize_upgrades();
std::span<const UpgradeRule> softmax_upgrades();

/// Brings a node of the default domain from its opset to the form of opset 21.
void upgrade_node(Upgrade& upgrade);

/// Infers the types of a node's outputs that are not declared, for the rules of later nodes.
void infer_outputs(Graph& graph, const Node& node);

}  // namespace adze::onnx
