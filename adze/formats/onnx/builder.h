#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adze/formats/onnx/functions.h"
#include "adze/formats/onnx/scope.h"
#include "adze/formats/onnx/tensors.h"

namespace adze::onnx {

/// How build_graph() works: one graph after the other, from its initializers over its nodes to its outputs. Calls of
/// functions are in build_calls.cpp.
class Builder {
 public:
  Builder(const ModelMessage& model, const FunctionTable& functions, const ReadOptions& options,
          const TensorSource& source, std::string file)
      : model_(model), functions_(functions), options_(options), source_(source), file_(std::move(file)) {}

  Graph build();

 private:
  void fill(Scope& scope, const GraphMessage& message);
  void add_initializers(Scope& scope, const GraphMessage& message);
  void add_inputs(Scope& scope, const GraphMessage& message);
  void add_outputs(Scope& scope, const GraphMessage& message);
  void build_nodes(Scope& scope, const std::vector<NodeMessage>& nodes);
  void build_node(Scope& scope, const NodeMessage& message);
  void build_operator(Scope& scope, const NodeMessage& message, Node node);
  void build_constant(Scope& scope, const NodeMessage& message, const Node& node);
  void build_call(Scope& scope, const NodeMessage& message, const FunctionMessage& function, const std::string& name);
  void bind_attributes(Scope& scope, const NodeMessage& message, const FunctionMessage& function, Scope& body);
  void finish_call(Scope& scope, const NodeMessage& message, const FunctionMessage& function, Scope& body);
  Attribute decode_attribute(Scope& scope, const AttributeMessage& message);
  Subgraph build_subgraph(Scope& scope, const GraphMessage& message);
  std::vector<ValueId> find_inputs(Scope& scope, const NodeMessage& message);
  ValueId add_constant(Scope& scope, std::string_view name, Tensor tensor);
  void add_checked(Scope& scope, Node node);

  const ModelMessage& model_;
  const FunctionTable& functions_;
  const ReadOptions& options_;
  const TensorSource& source_;
  std::string file_;
  std::int64_t num_nodes_ = 0;
};

}  // namespace adze::onnx
