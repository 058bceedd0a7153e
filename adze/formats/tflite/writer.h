#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adze/formats/tflite/translator.h"
#include "adze/formats/tflite/write_model.h"

namespace adze::tflite {

/// How an operator of TFLite treats 8-bit operands.
enum class Integers : std::uint8_t {
  None,        ///< floats only: DEQUANTIZE and QUANTIZE are put around it
  AnyScale,    ///< input and output scales are independent
  SameScale,   ///< the output has the scale and zero point of the inputs
  FixedScale,  ///< the output's scale is given by the operator
};

/// One output of a step: the value that the graph's node computes, and what stands for it in the file after the
/// activation and the QuantizeLinear behind it were taken in.
struct Target {
  ValueId raw = ValueId::None;
  ValueId result = ValueId::None;
  Activation activation = Activation::None;
  std::optional<std::pair<float, float>> clip;  ///< bounds that no fused activation expresses
};

/// A node of the graph, with what is fused into it.
struct Step {
  Node node;
  bool quantized = false;        ///< works on the stored integers
  ValueId bias = ValueId::None;  ///< MatMul → Add of a constant row
  std::vector<Target> targets;
};

using Fields = std::vector<std::pair<int, FlatScalar>>;

template <typename T>
std::pair<int, FlatScalar> option_field(int number, T value) {
  return {number, FlatScalar(reinterpret_cast<const char*>(&value), sizeof value)};
}

/// What one TFLite operator is made of besides its tensors.
struct Emission {
  std::int32_t code = 0;
  std::uint8_t options_kind = 0;  ///< in BuiltinOptions; 0: no options
  Fields fields = {};
  std::int32_t version = 1;
  int activation_field = -1;  ///< where the options take the activation; -1: the operator fuses none
};

/// Builds the TFLite model node by node; the functions of write_*.cpp call it.
///
/// A value of rank 4 lies in the file as in the graph (Plain) or with channels last (ChannelsFirst of the graph's
/// value, NHWC in the file); a TRANSPOSE is added where a reader needs the other.
class Writer {
 public:
  explicit Writer(const Graph& graph);
  OutputModel run();

  const Graph& graph() const { return graph_; }

  // Values of the graph.
  /// Its dimensions, the batch replaced by 1 when it is open.
  const Shape& shape(ValueId value) const;
  std::int64_t rank(ValueId value) const { return std::ssize(shape(value)); }
  bool is_constant(ValueId value) const { return stored_constant(value) != nullptr; }
  /// The content of a constant, or of the constant behind its DequantizeLinear.
  const Tensor* stored_constant(ValueId value) const;
  /// The floats of a constant, dequantized where it is stored as integers; ModelError when it is computed.
  Tensor float_constant(ValueId value) const;
  /// UnsupportedError unless the value is a constant.
  std::vector<std::int64_t> constant_ints(ValueId value, const char* what) const;
  /// Does the value lie with channels last in the file?
  bool lies_last(ValueId value) const;
  /// The scale and zero point of the stored integers behind value.
  const Quantization* quantization(ValueId value) const;
  ValueId stored(ValueId value) const;

  // Tensors of the file.
  /// The tensor that holds an operand of the step in this layout.
  std::int32_t operand(const Step& step, ValueId value, bool last);
  std::int32_t operand(const Step& step, ValueId value) { return operand(step, value, lies_last(value)); }
  /// The same with another scale: a QUANTIZE is put between where they differ.
  std::int32_t rescaled(std::int32_t tensor, const Quantization& wanted);
  std::int32_t transposed(std::int32_t tensor, const std::vector<std::int64_t>& permutation);
  std::int32_t reshaped(std::int32_t tensor, const Shape& shape);
  std::int32_t constant(std::string_view name, Tensor content, std::optional<Quantization> quantization = std::nullopt);
  std::int32_t ints(std::string_view name, const std::vector<std::int64_t>& values);
  OutputTensor& tensor(std::int32_t index) { return model_.tensors[static_cast<std::size_t>(index)]; }
  /// A tensor like another one, of this shape, that an operator of the file will compute.
  std::int32_t new_tensor(std::string_view name, std::int32_t like, Shape shape);

  // Operators of the file.
  void add(const Emission& emission, std::vector<std::int32_t> inputs, std::vector<std::int32_t> outputs,
           Activation activation = Activation::None);
  /// Adds the operator that computes the step's first output, which lies so, and what follows it: rescaling, clamps.
  /// own: the scale that the operator gives its output, when it is not free.
  void finish(const Step& step, const Emission& emission, std::vector<std::int32_t> inputs, bool last,
              const std::optional<Quantization>& own = std::nullopt);
  /// The same for all outputs of a step that has several.
  void finish_many(const Step& step, const Emission& emission, std::vector<std::int32_t> inputs, bool last,
                   const std::optional<Quantization>& own = std::nullopt);
  /// The value stands for a tensor that exists already.
  void alias(const Step& step, std::int32_t tensor, bool last);
  /// A tensor for what an operator gives before the step's clamps and rescaling.
  std::int32_t begin(const Target& target, bool last, bool quantized, const std::optional<Quantization>& own);
  /// Rescaling and clamps behind begin()'s tensor.
  void end(const Target& target, std::int32_t tensor, bool last, bool quantized, Activation activation);

  /// Rows of a flattened NHWC picture that the graph has in the order C, H, W: the weights behind are turned.
  void set_flattened(ValueId value, Shape nchw) { flattened_[value] = std::move(nchw); }
  const Shape* flattened(ValueId value) const;
  /// Do only products by constant weights read the value?
  bool feeds_products_only(ValueId value) const;
  bool wants_last(ValueId value) const { return wanted_.contains(value); }
  bool has_open_batch(ValueId value) const { return open_.contains(value); }

 private:
  void find_quantization();
  void find_wanted_layouts();
  void add_inputs();
  void add_outputs();
  void add_node(NodeId id);
  void add_quantize(const Node& node);
  Step step_of(NodeId id);
  bool absorb_clip(const Node& node, Target& target) const;
  void absorb(Target& target, bool fuses);
  bool can_be_quantized(const Step& step, Integers integers) const;
  std::int32_t tensor_of(ValueId value, bool last);
  std::int32_t constant_tensor(ValueId value, bool last);
  std::int32_t dequantized(ValueId value, bool last);
  std::string fresh(std::string_view base);
  Shape shape_in_file(ValueId value, bool last) const;
  void clamp(const Target& target, std::int32_t from, std::int32_t to);

  Graph graph_;
  Uses uses_;
  OutputModel model_;
  std::map<ValueId, Shape> shapes_;
  std::map<ValueId, Quantization> quantizations_;  ///< of stored integers
  std::map<std::pair<ValueId, bool>, std::int32_t> tensors_;
  std::map<std::pair<ValueId, bool>, std::int32_t> floats_;  ///< dequantized twins, by stored value
  std::map<ValueId, bool> last_;                             ///< the layout in which a value was computed
  std::map<ValueId, Shape> flattened_;
  std::set<ValueId> wanted_;  ///< values that spatial operators want with channels last
  std::set<ValueId> open_;    ///< values whose first dimension was open in the graph
  std::set<NodeId> done_;     ///< nodes that another step took in
  std::set<std::string, std::less<>> names_;
};

using WriteFunction = void (*)(Writer&, const Step&);

struct WriteEntry {
  OpKind kind;
  LayoutNeed need;
  Integers integers;
  bool fuses;  ///< takes an activation into its options
  WriteFunction write;
};

const WriteEntry* find_writer(OpKind kind);
std::span<const WriteEntry> neural_writers();
std::span<const WriteEntry> product_writers();
std::span<const WriteEntry> elementwise_writers();
std::span<const WriteEntry> movement_writers();
std::span<const WriteEntry> slicing_writers();
std::span<const WriteEntry> reduction_writers();
std::span<const WriteEntry> composed_writers();

/// The dimensions or list in the order in which a channels-last value lies.
template <typename T>
std::vector<T> in_file_order(const std::vector<T>& nchw) {
  return {nchw[0], nchw[2], nchw[3], nchw[1]};
}
/// Where an axis of NCHW lies in NHWC.
inline constexpr std::int64_t channels_last_axis[4] = {0, 3, 1, 2};

}  // namespace adze::tflite
