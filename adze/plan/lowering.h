#pragma once

// Internal to plan/lower_integers: one QuantizeLinear and what leads to it.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/numerics/requantize.h"

namespace adze::lowering {

/// A quantized tensor as one DequantizeLinear reads it.
struct Quantized {
  ValueId stored = ValueId::None;
  DType dtype = DType::Undefined;
  std::vector<float> scales;  ///< one, or one per index of axis
  std::int64_t axis = 0;
  std::int32_t zero_point = 0;  ///< the same for all scales
  bool per_tensor() const { return scales.size() == 1; }
  bool eight_bits() const { return dtype == DType::S8 || dtype == DType::U8; }
  /// 16 bits without a zero point.
  bool sixteen_bits() const { return dtype == DType::S16 && zero_point == 0; }
  Affine affine() const { return {scales[0], zero_point, 0, 0}; }
};

/// DequantizeLinear … → op → Relu / Clip … → QuantizeLinear.
struct Group {
  RoundingProfile profile = RoundingProfile::Onnx;
  NodeId op = NodeId::None;  ///< None: the activation (or nothing) reads the quantized tensor directly
  NodeId quantize = NodeId::None;
  ValueId result = ValueId::None;  ///< the QuantizeLinear's output
  Quantized x;                     ///< only when op is None
  Affine y;                        ///< with the clamp of the activations
  DType y_dtype = DType::Undefined;
  /// Have x and the result the same number of bits?
  bool as_wide_as(const Quantized& from) const { return from.sixteen_bits() == (y_dtype == DType::S16); }
};

using Attributes = std::vector<std::pair<std::string, Attribute>>;

class Lowering {
 public:
  Lowering(Graph& graph, const Uses& uses) : graph_(graph), uses_(uses) {}

  Graph& graph() { return graph_; }
  const Uses& uses() const { return uses_; }
  /// What a DequantizeLinear with constant scales makes of value; nothing for another producer.
  std::optional<Quantized> quantized(ValueId value) const;
  /// The same, only for one scale, and 8 bits or 16 without zero point.
  std::optional<Quantized> activation(ValueId value) const;
  /// The same, only for constants, unpacked to 8 bits, as s8 without zero point where that is enough; the scales' axis
  /// must be channel_axis when there are several.
  std::optional<Quantized> weights(ValueId value, std::int64_t channel_axis);
  /// A bias as s32 in units of x_scale × w_scale, shape [channels]. Nothing: not a constant that fits. For x of 16 bits
  /// as s64, unless the graph's metadata adze.int16_sums says s32: then zeros as well where value is None.
  std::optional<ValueId> bias(ValueId value, const Quantized& x, const std::vector<float>& w_scales,
                              std::int64_t channels);

  /// Replaces the group's QuantizeLinear by a node of this kind with the same output.
  void replace(const Group& group, OpKind kind, std::vector<ValueId> inputs, Attributes attributes);
  /// A new node in front, its output named after the group's result.
  ValueId add(const Group& group, OpKind kind, std::vector<ValueId> inputs, Attributes attributes);
  /// rounding, y_scale, y_zero_point, y_min, y_max, y_dtype.
  Attributes output_attributes(const Group& group) const;

 private:
  /// Takes the zero point out of constant weights where s8 still holds them.
  void centre(Quantized& weights);

  Graph& graph_;
  const Uses& uses_;
};

/// prefix_scale and prefix_zero_point.
void append_affine(Attributes& attributes, const std::string& prefix, const Quantized& tensor);
/// The attributes of node named here that it has.
void append_copies(Attributes& attributes, const Node& node, std::initializer_list<const char*> names);
/// Is the clamp the whole range of the output's dtype?
bool clamps_nothing(const Group& group);
/// value / y.scale + zero point as the profile rounds it, into the dtype's range.
std::int32_t quantized_bound(float value, const Affine& y, RoundingProfile profile);

/// Brings movement in front of a DequantizeLinear that a matrix product reads through it; how often.
int move_stored_values(Graph& graph);

// Each lowers the group when it can, and says whether it did.
bool lower_compute(Lowering& lowering, const Group& group);
bool lower_arithmetic(Lowering& lowering, const Group& group);
bool lower_movement(Lowering& lowering, const Group& group);
bool lower_table(Lowering& lowering, const Group& group);
/// The group without operator, and the operators that do nothing.
bool lower_requantize(Lowering& lowering, const Group& group);

}  // namespace adze::lowering
