#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adze/base/random.h"
#include "adze/graph/graph.h"
#include "adze/zoo/zoo.h"

namespace adze::zoo {

enum class Activation : std::uint8_t { None, Relu, Relu6, HardSwish, HardSigmoid, Silu, Sigmoid };

/// What a value's numbers are like: decides the fixed uint8 range of a quantized network.
enum class Range : std::uint8_t { Input, Linear, Relu, HardSwish, Silu, Sigmoid, Softmax };

/// A value while a network is being built, with its shape (an open batch counts as 1).
struct Feature {
  ValueId value = ValueId::None;
  Shape shape;
  Range range = Range::Linear;

  std::int64_t channels() const { return shape[1]; }
};

enum class Padding : std::uint8_t {
  Half,   ///< (kernel - 1) / 2 on every side
  Same,   ///< TensorFlow's: output = ceil(input / stride), the odd pixel at the end
  Valid,  ///< none
};

struct ConvSettings {
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride = 1;
  std::int64_t stride_height = 0;  ///< 0: as stride
  std::int64_t groups = 1;
  Padding padding = Padding::Half;
  Activation activation = Activation::None;
  bool normalized = true;  ///< a batch norm follows in networks that keep theirs
  /// Variance of the weights times their number per output. 0: 2 before an activation, 1 without, which keeps the size
  /// of the numbers through the layers.
  double gain = 0;
};

/// Writes networks as graphs. In a quantized one every weight is int8 per output channel with a DequantizeLinear, every
/// bias int32, and a QuantizeLinear/DequantizeLinear pair follows each operator that has an 8-bit form.
class Builder {
 public:
  Builder(std::string name, const ZooOptions& options);

  bool quantized() const { return options_.quantized; }
  /// A start for training: batch norms kept, biases 0, He's variances.
  bool training() const { return options_.training; }
  /// Keys and values of the tokens so far are inputs and outputs.
  bool cached() const { return options_.cache; }
  /// shape without the batch.
  Feature input(const Shape& shape);
  /// Whole numbers, s64 [batch, count].
  Feature tokens(std::int64_t count);
  /// Any number of them, s64 [batch, tokens]; counted as 1.
  Feature open_tokens();
  /// An input past_key_values.NAME [batch, heads, tokens, size] of what earlier calls were told to remember.
  ValueId past(std::string_view name, std::int64_t heads, std::int64_t size);
  /// That with this call's x behind it, which is an output present.NAME of the network as well.
  ValueId remember(ValueId past, ValueId x);

  Feature conv(const Feature& x, std::int64_t channels, const ConvSettings& settings = {});
  /// A square kernel.
  Feature conv(const Feature& x, std::int64_t channels, std::int64_t kernel, std::int64_t stride, Activation activation,
               Padding padding = Padding::Half);
  Feature depthwise(const Feature& x, std::int64_t kernel, std::int64_t stride, Activation activation,
                    Padding padding = Padding::Half);
  /// [N, in] → [N, outputs].
  Feature dense(const Feature& x, std::int64_t outputs, Activation activation = Activation::None);
  /// The same with a batch norm before the activation, in networks that keep theirs.
  Feature normalized_dense(const Feature& x, std::int64_t outputs, Activation activation);
  Feature activate(const Feature& x, Activation activation);
  Feature add(const Feature& a, const Feature& b, Activation activation = Activation::None);
  /// x times a gate [N, C, 1, 1].
  Feature multiply(const Feature& x, const Feature& gate);
  /// Every stride-th pixel, and zeros behind the channels.
  Feature subsample(const Feature& x, std::int64_t channels, std::int64_t stride);
  Feature max_pool(const Feature& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool ceil);
  /// Mean over height and width: [N, C, 1, 1].
  Feature mean(const Feature& x);
  Feature flatten(const Feature& x);
  Feature concat(const std::vector<Feature>& parts);
  /// Over the last axis; as the last operator it stays in float. Left out where logits were asked for.
  Feature softmax(const Feature& x);

  /// Throws UsageError when a quantized network was asked for.
  void require_float(std::string_view why) const;
  /// The graph with output "output", its types inferred.
  Graph finish(const Feature& output);

  // For networks with operators of their own.
  using Attributes = std::vector<std::pair<std::string, Attribute>>;
  ValueId node(OpKind kind, std::vector<ValueId> inputs, Attributes attributes = {});
  /// A node of several outputs; the value of the one with that index.
  ValueId node_output(OpKind kind, std::vector<ValueId> inputs, Attributes attributes, int index);
  ValueId constant(std::string_view name, Tensor tensor);
  ValueId scalar(std::string_view name, float value) { return constant(name, Tensor::scalar(value)); }
  /// Normal numbers with variance gain / fan_in; in a quantized network int8 with one scale for each index of axis.
  /// scales, when given, receives them.
  ValueId weight(const Shape& shape, std::int64_t axis, std::int64_t fan_in, double gain,
                 std::vector<float>* scales = nullptr);
  ValueId normal_constant(std::string_view name, const Shape& shape, double deviation);
  ValueId filled_constant(std::string_view name, const Shape& shape, float value);
  /// What biases begin with: small random numbers, so that tests see them; zeros for training.
  ValueId float_bias(std::int64_t count);
  /// In a quantized network the value quantized and dequantized again; otherwise the value itself.
  ValueId quantize(ValueId value, Range range);

 private:
  ValueId apply(ValueId value, Activation activation);
  double bias_deviation() const { return training() ? 0.0 : 0.1; }
  void drop_before_last_layer();
  Dim batch_dim() const { return options_.batch > 0 ? Dim(options_.batch) : Dim::named("batch"); }
  Feature declared_input(DType dtype, const Shape& shape);
  ValueId batch_norm(ValueId value, std::int64_t channels);
  ValueId bias(std::int64_t count, Range input, const std::vector<float>& weight_scales);
  ValueId dequantize_weight(const Tensor& weight, std::int64_t axis, std::vector<float>* scales);
  Tensor normal(const Shape& shape, double deviation);
  std::string next_name(OpKind kind);

  ZooOptions options_;
  Graph graph_;
  Random random_;
  std::uint64_t tensors_ = 0;                         ///< random tensors drawn: each has a stream of its own
  std::map<std::string, int, std::less<>> counters_;  ///< for names: Conv_1, Conv_2 …
  std::map<Range, std::pair<ValueId, ValueId>> ranges_;
  std::vector<ValueId> remembered_;
};

/// channels × factor rounded to a multiple of 8, never below 90 %: how the MobileNets and EfficientNet scale.
/// Source  Sandler et al., MobileNetV2, arXiv:1801.04381 (reference code, _make_divisible)
std::int64_t rounded_channels(double channels, std::int64_t divisor = 8);

/// channels × factor rounded down, at least 1: how the others scale.
std::int64_t scaled_channels(std::int64_t channels, double factor);

}  // namespace adze::zoo
