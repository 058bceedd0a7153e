#pragma once

#include <span>
#include <string>
#include <string_view>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/graph/graph.h"
#include "adze/graph/op.h"

namespace adze::onnx {

/// A node on its way to an older opset.
struct Downgrade {
  Graph& graph;
  Node& node;
  int opset;

  [[noreturn]] void refuse(const std::string& what) const {
    throw UnsupportedError(cat("opset ", opset, " has no ", what), {}, "write a newer opset");
  }
  const ValueType& type(std::size_t i) const {
    static const ValueType unknown;
    return node.input(i) == ValueId::None ? unknown : graph.value(node.input(i)).type;
  }
  bool has_input(std::size_t i) const { return node.input(i) != ValueId::None; }
  void drop_input(std::size_t i) {
    if (i < node.inputs.size()) node.inputs[i] = ValueId::None;
    while (!node.inputs.empty() && node.inputs.back() == ValueId::None) node.inputs.pop_back();
  }
  const Tensor& constant(std::size_t i, const char* what) const {
    const Tensor* tensor = graph.constant(node.input(i));
    if (tensor == nullptr) refuse(cat("computed ", what));
    return *tensor;
  }
  /// Input i, which must be constant, becomes an attribute.
  void ints_to_attribute(std::size_t i, const char* name) {
    if (!has_input(i)) return;
    node.set(name, to_ints(constant(i, name)));
    drop_input(i);
  }
  void drop_int(const char* name, std::int64_t neutral) {
    if (node.get_int(name) != neutral) refuse(cat("attribute ", name, " for this operator"));
    node.erase(name);
  }
  void drop_text(const char* name, std::string_view neutral) {
    if (node.get_string(name) != neutral) refuse(cat(name, " = ", node.get_string(name), " for this operator"));
    node.erase(name);
  }
  void drop_ints(const char* name, std::int64_t neutral) {
    for (const std::int64_t value : node.get_ints(name)) {
      if (value != neutral) refuse(cat("attribute ", name, " for this operator"));
    }
    node.erase(name);
  }
};

/// Nodes written at an opset before `before` need `apply`, which edits the node or refuses.
struct DowngradeRule {
  OpKind kind;
  int before;
  void (*apply)(Downgrade&);
};

/// Operators whose attributes and inputs changed.
std::span<const DowngradeRule> form_downgrades();
/// Operators that got new element types.
std::span<const DowngradeRule> dtype_downgrades();

}  // namespace adze::onnx
