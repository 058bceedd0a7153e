#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "adze/graph/graph.h"
#include "adze/numerics/affine.h"

namespace adze::quantize {

/// Adds quantization nodes to a graph, with names made from those of the values they serve.
class Inserter {
 public:
  explicit Inserter(Graph& graph);

  Graph& graph() { return graph_; }
  std::string unique_name(std::string name);
  ValueId constant(std::string name, Tensor tensor);
  /// A node of one output that gets the given name; its type follows from the inputs' once infer_types has run.
  ValueId node(OpKind kind, std::vector<ValueId> inputs, std::string name,
               std::vector<std::pair<std::string, Attribute>> attributes = {});
  /// Renames a value; its new name must be unique.
  void rename(ValueId id, std::string name);

  /// DequantizeLinear over stored codes. Zero points are left out where all are 0. The name is copied: a value's own
  /// may be given.
  ValueId dequantized_constant(std::string name, Tensor codes, const TensorScales& scales);
  struct Pair {
    ValueId quantized;
    ValueId dequantized;
  };
  /// value → QuantizeLinear → DequantizeLinear. The readers are not changed.
  Pair quantize_dequantize(ValueId value, const AffineScale& affine, DType dtype);
  /// The scale of each row (along the last axis) of a value, found at each run: its largest magnitude over
  /// largest_code, at least `least`. Nodes are called name_….
  ValueId row_scale(ValueId value, const std::string& name, double largest_code, float least);

 private:
  Graph& graph_;
  std::unordered_set<std::string> names_;
};

/// A zero point as the operators take it.
Tensor integer_tensor(DType dtype, const Shape& shape, std::int64_t value);

}  // namespace adze::quantize
