#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adze/formats/tflite/schema.h"
#include "adze/graph/graph.h"

namespace adze::tflite {

using Attributes = std::vector<std::pair<std::string, Attribute>>;

/// How the elements of a rank-4 tensor lie in its value: as in the file (NHWC), or turned to NCHW.
enum class Layout : std::uint8_t { Plain, ChannelsFirst };

/// The axis of NCHW that an axis of NHWC becomes.
inline constexpr std::int64_t channels_first_axis[4] = {0, 2, 3, 1};
/// The Transpose from NHWC to NCHW, and back.
inline const std::vector<std::int64_t> to_channels_first = {0, 3, 1, 2};
inline const std::vector<std::int64_t> to_channels_last = {0, 2, 3, 1};

/// Elements of a constant moved as Transpose does.
Tensor permuted(const Tensor& tensor, const std::vector<std::int64_t>& permutation);

/// Builds the graph operator by operator; the functions of translate_*.cpp call it.
class Translator {
 public:
  Translator(const Model& model, std::shared_ptr<const void> owner);
  Graph run();

  const Model& model() const { return model_; }
  Graph& graph() { return graph_; }

  // Tensors of the model, by index.
  const TensorInfo& info(std::int32_t tensor) const { return model_.tensors[static_cast<std::size_t>(tensor)]; }
  std::int64_t rank(std::int32_t tensor) const { return std::ssize(info(tensor).shape); }
  bool is_constant(std::int32_t tensor) const { return info(tensor).data.has_value(); }
  bool is_quantized(std::int32_t tensor) const { return info(tensor).quantization.has_value(); }
  /// Inputs and outputs of an operator; ModelError when there are fewer.
  std::int32_t input(const Operator& op, std::size_t i) const;
  std::int32_t output(const Operator& op, std::size_t i = 0) const;
  bool has_input(const Operator& op, std::size_t i) const { return i < op.inputs.size() && op.inputs[i] >= 0; }
  /// The content of a constant as a tensor over the file; ModelError when it is computed.
  Tensor constant(std::int32_t tensor) const;
  /// A constant's integers; ModelError when it is computed.
  std::vector<std::int64_t> constant_ints(std::int32_t tensor) const;

  // Values.
  Layout layout(std::int32_t tensor) const { return states_[static_cast<std::size_t>(tensor)].layout; }
  /// The tensor's numbers in the layout wanted: floats for quantized tensors (dequantized), else as stored.
  ValueId numbers(std::int32_t tensor, Layout wanted);
  ValueId numbers(std::int32_t tensor) { return numbers(tensor, layout(tensor)); }
  /// A constant of any rank, quantized or not, to be broadcast against a rank-4 value in NCHW.
  ValueId broadcast_constant(std::int32_t tensor);
  /// A constant after change was applied to its stored elements, with a DequantizeLinear along axis when quantized.
  ValueId changed_constant(std::int32_t tensor, const Tensor& stored, std::int64_t axis, std::string_view suffix);
  ValueId add_constant(std::string_view name, Tensor tensor);
  ValueId ints(std::string_view name, const std::vector<std::int64_t>& values) {
    return add_constant(name, Tensor::ints(values));
  }
  ValueId floats(std::string_view name, float value) { return add_constant(name, Tensor::scalar(value)); }

  // Building. Node and value names derive from the operator's first output.
  ValueId add(const Operator& op, OpKind kind, std::vector<ValueId> inputs, Attributes attributes = {});
  std::vector<ValueId> add_many(const Operator& op, OpKind kind, std::vector<ValueId> inputs, Attributes attributes,
                                std::size_t num_outputs);
  ValueId transpose(ValueId value, const std::vector<std::int64_t>& permutation, std::string_view name);
  /// A fused activation, or nothing to do.
  ValueId activate(const Operator& op, ValueId value, Activation activation);
  /// Declares value to be the tensor's: quantizes it when the tensor is quantized, and gives it the tensor's name.
  void finish(std::int32_t tensor, ValueId value, Layout layout);
  /// The same for a value that already has the tensor's stored dtype.
  void finish_stored(std::int32_t tensor, ValueId value, Layout layout);

  /// Reshape of a spatial value to [N, -1] that kept NCHW order: the tensor's rows are in the order C, H, W of these
  /// NHWC dimensions. Fully-connected weights are turned to match.
  void set_flattened(std::int32_t tensor, Shape nhwc) {
    states_[static_cast<std::size_t>(tensor)].flattened = std::move(nhwc);
  }
  const Shape& flattened(std::int32_t tensor) const { return states_[static_cast<std::size_t>(tensor)].flattened; }
  /// Do only fully-connected operators with constant weights read the tensor, and is it no graph output?
  bool feeds_fully_connected_only(std::int32_t tensor) const;
  bool wants_channels_first(std::int32_t tensor) const { return wanted_[static_cast<std::size_t>(tensor)]; }

  // Options.
  template <typename T>
  T option(const Operator& op, int field, T otherwise = T{}) const {
    return op.options ? op.options->scalar<T>(field, otherwise) : otherwise;
  }
  Activation activation(const Operator& op, int field) const;

 private:
  struct State {
    ValueId stored = ValueId::None;
    ValueId real[2] = {ValueId::None, ValueId::None};  ///< by layout
    Layout layout = Layout::Plain;
    Shape flattened;
  };

  State& state(std::int32_t tensor) { return states_[static_cast<std::size_t>(tensor)]; }
  std::string fresh(std::string_view base);
  Node make_node(OpKind kind, std::string_view name, std::vector<ValueId> inputs, Attributes attributes);
  ValueId stored(std::int32_t tensor);
  ValueId wide_constant(std::int32_t tensor, std::string_view name);
  ValueId dequantize(std::int32_t tensor, ValueId stored, std::int64_t axis, std::string_view name);
  std::pair<ValueId, ValueId> scale_constants(std::int32_t tensor);
  ValueType declared_type(std::int32_t tensor, Layout layout) const;
  void check_supported() const;
  void find_wanted_layouts();
  void add_inputs();
  void translate(const Operator& op);

  const Model& model_;
  std::shared_ptr<const void> owner_;
  Graph graph_;
  std::vector<State> states_;
  std::vector<bool> wanted_;
  std::set<std::string, std::less<>> names_;
  std::set<std::string, std::less<>> node_names_;
  std::set<ValueId> unnamed_;  ///< results of the operator at hand, until a tensor's name is given to them
  bool dynamic_batch_ = false;
};

using TranslateFunction = void (*)(Translator&, const Operator&);

/// What an operator does to layouts, for deciding which graph inputs become NCHW.
enum class LayoutNeed : std::uint8_t { Spatial, Follows, Plain };

struct OperatorEntry {
  std::int32_t code;
  LayoutNeed need;
  TranslateFunction translate;
};

const OperatorEntry* find_operator(std::int32_t code);
std::span<const OperatorEntry> neural_operators();
std::span<const OperatorEntry> elementwise_operators();
std::span<const OperatorEntry> movement_operators();
std::span<const OperatorEntry> slicing_operators();
std::span<const OperatorEntry> reduction_operators();

/// Do convolutions and fully connected layers on 16-bit activations have biases of 32 bits? They add up in so many
/// then.
bool has_short_sums(const Model& model);

}  // namespace adze::tflite
