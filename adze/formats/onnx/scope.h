#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "adze/formats/onnx/messages.h"
#include "adze/formats/onnx/upgrade.h"

namespace adze::onnx {

/// The names that one graph uses, for its values and nodes together.
class GraphNames : public NameSource {
 public:
  void reserve(std::string_view name) { taken_.emplace(name); }
  std::string fresh(std::string_view base) override;

 private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> next_;
};

/// A graph being built, and what it captures from the one around it.
struct Target {
  Graph& graph;
  GraphNames names;
  std::vector<ValueId> captured;
  int depth = 0;
};

/// What names mean at one place of the file: in a graph, a subgraph (which sees the names around it) or the body of a
/// function (which sees its own only, but builds into the graph of the call).
struct Scope {
  Target& target;
  Scope* surrounding = nullptr;
  const OpsetImports& opsets;
  std::unordered_map<std::string_view, ValueId> values;
  std::unordered_map<std::string_view, const ValueType*> declared;
  /// In a function body: what its values and nodes are called, names of its outputs, and its attributes.
  std::string prefix;
  std::unordered_map<std::string_view, std::string> output_names;
  std::map<std::string_view, AttributeMessage> attributes;
  bool is_function = false;

  /// The value that name stands for, captured from around when it must be. An absent function input gives None.
  std::optional<ValueId> find(std::string_view name);
  /// What a value defined here is called in the graph.
  std::string value_name(std::string_view name);
  /// Binds name to id. Throws ModelError when it is defined already.
  void define(std::string_view name, ValueId id);
};

}  // namespace adze::onnx
