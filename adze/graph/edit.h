#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adze/graph/graph.h"

namespace adze {

/// A change to a graph, described and not yet made. Rules return one; apply() makes the change and verifies it.
///
/// New values get ids that will be theirs once applied, so that later parts of the same edit can name them. An edit is
/// valid for the graph it was made for, as it was then.
class GraphEdit {
 public:
  GraphEdit(const Graph& graph, std::string why);

  const std::string& why() const { return why_; }

  /// A new constant. The name is made unique.
  ValueId add_constant(std::string_view name, Tensor tensor);
  /// A new node with num_outputs new outputs; returns the first (the others follow). The name is made unique.
  ValueId add_node(OpKind kind, std::vector<ValueId> inputs, std::vector<std::pair<std::string, Attribute>> attributes,
                   std::string_view name, int num_outputs = 1);
  /// Everything that reads old_value, the graph's outputs included, reads new_value instead; the new nodes of this
  /// edit do not, so that a node can be put behind a value. A graph output keeps its name; where new_value cannot carry
  /// it (an input, capture, constant or another output), an Identity is put between. An output that is itself an input
  /// of the graph stays. The types must be compatible.
  void replace(ValueId old_value, ValueId new_value);
  /// One input of one node reads another value.
  void set_input(NodeId node, std::size_t index, ValueId value);
  void set_attribute(NodeId node, std::string name, Attribute value);
  void erase_attribute(NodeId node, std::string name);
  /// The node goes; nothing may read its outputs afterwards.
  void remove(NodeId node);

 private:
  friend class EditApplication;

  struct NewValue {
    std::string name;
    std::optional<Tensor> constant;
  };
  struct Input {
    NodeId node;
    std::size_t index;
    ValueId value;
  };
  struct AttributeChange {
    NodeId node;
    std::string name;
    std::optional<Attribute> value;  ///< nothing: erased
  };

  std::string why_;
  std::int32_t first_new_value_ = 0;
  std::vector<NewValue> values_;
  std::vector<Node> nodes_;
  std::vector<std::pair<ValueId, ValueId>> replacements_;
  std::vector<Input> inputs_;
  std::vector<AttributeChange> attributes_;
  std::vector<NodeId> removals_;
};

/// Makes the change, removes nodes whose outputs nobody reads any more, and infers the types of what is new.
/// Throws InternalError when the edit does not fit: a type changes under a reader, a removed value is still read, or a
/// cycle appears.
void apply(Graph& graph, const GraphEdit& edit);

/// The same for many edits in a row: uses describes the graph, before and after. Returns the nodes around the change
/// (new, changed, or with other readers than before), where another rule may now apply.
std::vector<NodeId> apply(Graph& graph, Uses& uses, const GraphEdit& edit);

/// Removes nodes that no output needs. Returns how many.
int remove_dead_nodes(Graph& graph);

}  // namespace adze
