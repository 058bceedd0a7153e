#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "adze/base/error.h"
#include "adze/graph/op.h"
#include "adze/numerics/tensor.h"

namespace adze {

class Graph;

/// Index of a value in its graph. Stays the same through edits of that graph. None = an absent optional input.
enum class ValueId : std::int32_t { None = -1 };
/// Index of a node in its graph. Stays the same through edits of that graph.
enum class NodeId : std::int32_t { None = -1 };

/// The type of a value: a tensor of known or unknown dtype and shape, or a sequence or optional of something.
struct ValueType {
  enum class Kind : std::uint8_t { Tensor, Sequence, Optional };

  Kind kind = Kind::Tensor;
  DType dtype = DType::Undefined;            ///< Undefined: not known (yet)
  std::optional<SymbolicShape> shape;        ///< nothing: not even the rank is known
  std::shared_ptr<const ValueType> element;  ///< what a sequence or optional holds

  static ValueType tensor(DType dtype, std::optional<SymbolicShape> shape = std::nullopt) {
    return {Kind::Tensor, dtype, std::move(shape), nullptr};
  }
  static ValueType sequence(ValueType of) {
    return {Kind::Sequence, DType::Undefined, std::nullopt, std::make_shared<const ValueType>(std::move(of))};
  }
  static ValueType optional(ValueType of) {
    return {Kind::Optional, DType::Undefined, std::nullopt, std::make_shared<const ValueType>(std::move(of))};
  }
  bool is_tensor() const { return kind == Kind::Tensor; }
};

/// "f32[batch, 3, 32, 32]", "seq(s64[])", "?" …
std::string type_text(const ValueType& type);

/// A graph held by an attribute of If, Loop, Scan or SequenceMap. captured[i] is the value of the surrounding graph
/// that graph->captures()[i] stands for.
struct Subgraph {
  std::shared_ptr<const Graph> graph;
  std::vector<ValueId> captured;
};

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor, Subgraph, ValueType>;

/// An operator with its inputs, outputs and attributes.
struct Node {
  OpKind kind{};
  std::string name;
  std::vector<ValueId> inputs;                                ///< None for an optional input that is left out
  std::vector<ValueId> outputs;                               ///< None for an output that nobody asked for
  std::vector<std::pair<std::string, Attribute>> attributes;  ///< sorted by name
  std::map<std::string, std::string> metadata;                ///< free text kept through reading and writing
  bool alive = true;                                          ///< false: removed; its index is not used again

  const Attribute* find(std::string_view attribute) const;
  bool has(std::string_view attribute) const { return find(attribute) != nullptr; }
  /// The attribute, else the op table's default, else (int 0, empty text, empty list). InternalError on another type.
  std::int64_t get_int(std::string_view attribute) const;
  std::int64_t get_int(std::string_view attribute, std::int64_t fallback) const;
  float get_float(std::string_view attribute) const;
  std::string get_string(std::string_view attribute) const;
  std::vector<std::int64_t> get_ints(std::string_view attribute) const;
  std::vector<float> get_floats(std::string_view attribute) const;
  std::vector<std::string> get_strings(std::string_view attribute) const;
  void set(std::string attribute, Attribute value);
  void erase(std::string_view attribute);
  /// The input at index, or None beyond the end.
  ValueId input(std::size_t index) const { return index < inputs.size() ? inputs[index] : ValueId::None; }
  ValueId output(std::size_t index = 0) const { return index < outputs.size() ? outputs[index] : ValueId::None; }
};

/// What flows between nodes.
struct Value {
  std::string name;  ///< unique in its graph
  ValueType type;
  NodeId producer = NodeId::None;  ///< None for graph inputs, captures and constants
  std::optional<Tensor> constant;  ///< the content, when it is fixed
  /// Facts: for a small integer tensor that holds dimensions, their symbolic values (Shape, Gather, Concat … chains).
  std::optional<SymbolicShape> dims;
};

/// A network: nodes that compute values from values. ONNX meaning throughout; operators in the form of opset 21.
/// Copies share constants and subgraphs. Nodes and values are never renumbered, except by compact().
class Graph {
 public:
  std::string name = "graph";
  std::string doc;
  /// Model metadata. Keys of ours start with "adze.": "adze.rounding" is tflm, litert or onnx.
  std::map<std::string, std::string> metadata;
  std::string producer;  ///< program that made the model, for information
  /// The file that the graph came from, for messages. Not compared, not written.
  std::string source_file;

  // Values.
  ValueId add_input(std::string name, ValueType type);
  ValueId add_constant(std::string name, Tensor tensor);
  /// In a subgraph: a value of the surrounding graph.
  ValueId add_capture(std::string name, ValueType type);
  /// A value without producer yet; add_node fills it in.
  ValueId add_value(std::string name, ValueType type = {});
  std::int32_t num_values() const { return static_cast<std::int32_t>(values_.size()); }
  const Value& value(ValueId id) const { return values_[index(id)]; }
  Value& value(ValueId id) {
    note_access(accessed_values_, noted_values_, static_cast<std::int32_t>(id));
    return values_[index(id)];
  }
  const Tensor* constant(ValueId id) const {
    return id != ValueId::None && value(id).constant ? &*value(id).constant : nullptr;
  }
  /// The value of that name, or None. Linear the first time after a change, then by hash.
  ValueId find_value(std::string_view name) const;
  /// base, or base_1, base_2 … whichever no value and no node has or had yet.
  std::string unique_name(std::string_view base) const;

  // Nodes.
  /// Adds a node that computes the given outputs, which must have no producer. Returns its id.
  NodeId add_node(Node node);
  /// Adds a node with num_outputs new values named after it. Returns the first output's value.
  ValueId add(OpKind kind, std::vector<ValueId> inputs, std::vector<std::pair<std::string, Attribute>> attributes = {},
              std::string name = {}, int num_outputs = 1);
  std::int32_t num_nodes() const { return static_cast<std::int32_t>(nodes_.size()); }
  const Node& node(NodeId id) const { return nodes_[index(id)]; }
  Node& node(NodeId id) {
    note_access(accessed_nodes_, noted_nodes_, static_cast<std::int32_t>(id));
    return nodes_[index(id)];
  }
  /// Ids of the nodes that have not been removed, in the order they were added.
  std::vector<NodeId> node_ids() const;
  std::int64_t num_alive_nodes() const;
  /// The node that computes id, or null for inputs, captures and constants.
  const Node* producer_of(ValueId id) const;
  void remove_node(NodeId id);

  // The interface.
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  const std::vector<ValueId>& captures() const { return captures_; }
  void set_inputs(std::vector<ValueId> inputs) { inputs_ = std::move(inputs); }
  void set_outputs(std::vector<ValueId> outputs) { outputs_ = std::move(outputs); }
  void add_output(ValueId id) { outputs_.push_back(id); }

  /// Renumbers nodes in topological order and values by first use, dropping what is dead. Ids change.
  void compact();

 private:
  static std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }
  static std::size_t index(NodeId id) { return static_cast<std::size_t>(id); }

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_, outputs_, captures_;
  mutable std::map<std::string, ValueId, std::less<>> by_name_;  ///< filled lazily; entries are checked when used
  mutable std::size_t indexed_values_ = 0;

  /// What unique_name knows: names seen so far, and who may have been renamed since.
  static void note_access(std::vector<std::int32_t>& accessed, std::size_t& noted, std::int32_t id) {
    if (static_cast<std::size_t>(id) >= noted || (!accessed.empty() && accessed.back() == id)) return;
    accessed.push_back(id);
    if (accessed.size() > noted + 1024) {  // so many that looking at all again is cheaper
      accessed.clear();
      noted = 0;
    }
  }
  void note_names() const;
  mutable std::unordered_set<std::string> taken_;
  mutable std::unordered_map<std::string, int> next_suffix_;
  mutable std::size_t noted_values_ = 0, noted_nodes_ = 0;
  mutable std::vector<std::int32_t> accessed_values_, accessed_nodes_;
};

/// Every value that the node reads: its inputs (None left out), then what its subgraphs capture.
std::vector<ValueId> values_read(const Node& node);

/// Nodes in an order in which every value is computed before it is read; stable by id. Iterative.
/// Throws ModelError naming a node on a cycle.
std::vector<NodeId> topological_order(const Graph& graph);

/// Who reads each value: consumers[value] lists node ids, ascending, one entry per reading input.
class Uses {
 public:
  explicit Uses(const Graph& graph);
  std::span<const NodeId> of(ValueId id) const { return consumers_[static_cast<std::size_t>(id)]; }
  bool is_output(ValueId id) const { return is_output_[static_cast<std::size_t>(id)]; }
  /// Read by exactly one input of one node and not an output of the graph.
  bool single(ValueId id) const { return of(id).size() == 1 && !is_output(id); }
  bool none(ValueId id) const { return of(id).empty() && !is_output(id); }

  // Following edits, so that it need not be built again.
  void grow(const Graph& graph) {
    consumers_.resize(static_cast<std::size_t>(graph.num_values()));
    is_output_.resize(consumers_.size(), false);
  }
  void add(ValueId id, NodeId reader);
  void remove(ValueId id, NodeId reader);
  void set_output(ValueId id, bool is_output) { is_output_[static_cast<std::size_t>(id)] = is_output; }

 private:
  std::vector<std::vector<NodeId>> consumers_;
  std::vector<bool> is_output_;
};

/// Where the node stands, for errors: file, node name, operator.
ErrorPlace place_of(const Graph& graph, const Node& node);

}  // namespace adze
