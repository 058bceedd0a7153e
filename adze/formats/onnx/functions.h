#pragma once

#include <map>
#include <tuple>

#include "adze/formats/onnx/messages.h"

namespace adze::onnx {

/// The functions of a model, found by the nodes that call them. Refers to the model.
class FunctionTable {
 public:
  /// Throws ModelError when two functions have the same name.
  explicit FunctionTable(const ModelMessage& model);

  /// The function that the node calls, or null when it is an operator.
  const FunctionMessage* find(const NodeMessage& node) const;

  /// Checks that expanding all calls ends, within the options' budgets: no function calls itself, even through others
  /// or through subgraphs. Counts each function once, however often it is called. The error names the node of the main
  /// graph that starts it.
  void check_expansion(const ReadOptions& options) const;

 private:
  using Key = std::tuple<std::string_view, std::string_view, std::string_view>;

  const ModelMessage& model_;
  std::map<Key, const FunctionMessage*> functions_;
};

}  // namespace adze::onnx
