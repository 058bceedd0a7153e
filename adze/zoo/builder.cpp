#include "adze/zoo/builder.h"

#include <algorithm>
#include <cmath>

#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"

namespace adze::zoo {

namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::string_view past_prefix = "past_key_values.";

/// What values have after the activation.
Range range_after(Activation activation) {
  switch (activation) {
    case Activation::None:
      return Range::Linear;
    case Activation::Relu:
    case Activation::Relu6:
      return Range::Relu;
    case Activation::HardSwish:
      return Range::HardSwish;
    case Activation::Silu:
      return Range::Silu;
    case Activation::HardSigmoid:
    case Activation::Sigmoid:
      return Range::Sigmoid;
  }
  throw InternalError("zoo: an activation without a range");
}

/// Clips that the integer form of the operator before does itself: no quantized value lies between.
bool joins_operator(Activation activation) {
  return activation == Activation::None || activation == Activation::Relu || activation == Activation::Relu6;
}

void require_fit(std::int64_t size, std::int64_t kernel) {
  if (size < kernel) throw UsageError("the picture is too small for this network of the zoo", "a larger resolution");
}

struct Window {
  std::int64_t begin, end, output;
};

Window window(std::int64_t size, std::int64_t kernel, std::int64_t stride, Padding padding) {
  Window result{};
  if (padding == Padding::Half) result.begin = result.end = (kernel - 1) / 2;
  if (padding == Padding::Same) {
    const std::int64_t total = std::max<std::int64_t>(((size + stride - 1) / stride - 1) * stride + kernel - size, 0);
    result.begin = total / 2;
    result.end = total - result.begin;
  }
  const std::int64_t padded = size + result.begin + result.end;
  require_fit(padded, kernel);
  result.output = (padded - kernel) / stride + 1;
  return result;
}

}  // namespace

Builder::Builder(std::string name, const ZooOptions& options) : options_(options), random_(options.seed) {
  if (options_.training) options_.batch_norm = options_.logits = true;
  if (options_.quantized && options_.batch_norm) {
    throw UsageError("a quantized network of the zoo cannot keep its batch norms", "train it first, then quantize it");
  }
  graph_.name = std::move(name);
  graph_.producer = "adze zoo";
}

void Builder::require_float(std::string_view why) const {
  if (quantized()) throw UsageError(cat("network ", graph_.name, " of the zoo has no int8 form: ", why));
}

Feature Builder::input(const Shape& shape) {
  Feature x = declared_input(DType::F32, shape);
  x.value = quantize(x.value, Range::Input);
  return x;
}

Feature Builder::tokens(std::int64_t count) {
  return declared_input(DType::S64, {count});
}

Feature Builder::open_tokens() {
  const SymbolicShape shape{batch_dim(), Dim::named("new_tokens")};
  return {graph_.add_input("input", ValueType::tensor(DType::S64, shape)),
          {std::max<std::int64_t>(options_.batch, 1), 1},
          Range::Input};
}

ValueId Builder::past(std::string_view name, std::int64_t heads, std::int64_t size) {
  const SymbolicShape shape{batch_dim(), heads, Dim::named("past_tokens"), size};
  return graph_.add_input(cat(past_prefix, name), ValueType::tensor(DType::F32, shape));
}

ValueId Builder::remember(ValueId past, ValueId x) {
  const std::string name = std::as_const(graph_).value(past).name.substr(past_prefix.size());
  const ValueId present = node(OpKind::Concat, {past, x}, {{"axis", std::int64_t{2}}});
  graph_.value(present).name = cat("present.", name);
  remembered_.push_back(present);
  return present;
}

Feature Builder::declared_input(DType dtype, const Shape& shape) {
  Shape full{std::max<std::int64_t>(options_.batch, 1)};
  full.insert(full.end(), shape.begin(), shape.end());
  SymbolicShape symbols = symbolic(full);
  if (options_.batch == 0) symbols[0] = Dim::named("batch");
  return {graph_.add_input("input", ValueType::tensor(dtype, symbols)), full, Range::Input};
}

Feature Builder::conv(const Feature& x, std::int64_t channels, const ConvSettings& s) {
  const Window rows = window(x.shape[2], s.kernel_height, s.stride_height > 0 ? s.stride_height : s.stride, s.padding);
  const Window columns = window(x.shape[3], s.kernel_width, s.stride, s.padding);
  const std::int64_t depth = x.channels() / s.groups;
  double gain = s.gain > 0 ? s.gain : s.activation == Activation::None ? 1.0 : 2.0;
  const bool keeps_norm = options_.batch_norm && s.normalized;
  if (keeps_norm && training()) gain = 2.0;  // He et al., arXiv:1502.01852; the norm takes care of sizes
  std::vector<float> scales;
  const ValueId w = weight({channels, depth, s.kernel_height, s.kernel_width}, 0,
                           depth * s.kernel_height * s.kernel_width, gain, &scales);
  std::vector<ValueId> inputs = {x.value, w};
  if (keeps_norm) {
    ++tensors_;  // the bias that is not there: weights are the same with and without norms
  } else {
    inputs.push_back(bias(channels, x.range, scales));
  }
  ValueId y = node(OpKind::Conv, std::move(inputs),
                   {{"kernel_shape", Ints{s.kernel_height, s.kernel_width}},
                    {"strides", Ints{s.stride_height > 0 ? s.stride_height : s.stride, s.stride}},
                    {"pads", Ints{rows.begin, columns.begin, rows.end, columns.end}},
                    {"group", s.groups}});
  if (keeps_norm) y = batch_norm(y, channels);
  Feature result{y, {x.shape[0], channels, rows.output, columns.output}, Range::Linear};
  if (joins_operator(s.activation)) {
    result.range = range_after(s.activation);
    result.value = quantize(apply(y, s.activation), result.range);
    return result;
  }
  result.value = quantize(y, Range::Linear);
  return activate(result, s.activation);
}

Feature Builder::conv(const Feature& x, std::int64_t channels, std::int64_t kernel, std::int64_t stride,
                      Activation activation, Padding padding) {
  return conv(x, channels,
              {.kernel_height = kernel,
               .kernel_width = kernel,
               .stride = stride,
               .padding = padding,
               .activation = activation});
}

Feature Builder::depthwise(const Feature& x, std::int64_t kernel, std::int64_t stride, Activation activation,
                           Padding padding) {
  return conv(x, x.channels(),
              {.kernel_height = kernel,
               .kernel_width = kernel,
               .stride = stride,
               .groups = x.channels(),
               .padding = padding,
               .activation = activation});
}

Feature Builder::dense(const Feature& x, std::int64_t outputs, Activation activation) {
  const std::int64_t inputs = x.shape.back();
  std::vector<float> scales;
  const ValueId w = weight({outputs, inputs}, 0, inputs, activation == Activation::None ? 1.0 : 2.0, &scales);
  const ValueId b = bias(outputs, x.range, scales);
  const ValueId y = apply(node(OpKind::Gemm, {x.value, w, b}, {{"transB", std::int64_t{1}}}), activation);
  const Range range = range_after(activation);
  return {quantize(y, range), {x.shape[0], outputs}, range};
}

Feature Builder::normalized_dense(const Feature& x, std::int64_t outputs, Activation activation) {
  if (!options_.batch_norm) return dense(x, outputs, activation);
  const std::int64_t inputs = x.shape.back();
  const ValueId w = weight({outputs, inputs}, 0, inputs, 2.0);
  ++tensors_;  // the bias that is not there
  const ValueId y = node(OpKind::Gemm, {x.value, w}, {{"transB", std::int64_t{1}}});
  return {apply(batch_norm(y, outputs), activation), {x.shape[0], outputs}, range_after(activation)};
}

/// As at the start of training: it changes nothing.
ValueId Builder::batch_norm(ValueId value, std::int64_t channels) {
  const ValueId scale = filled_constant("bn_scale", {channels}, 1);
  const ValueId shift = filled_constant("bn_shift", {channels}, 0);
  const ValueId mean = filled_constant("bn_mean", {channels}, 0);
  const ValueId variance = filled_constant("bn_variance", {channels}, 1);
  return node(OpKind::BatchNormalization, {value, scale, shift, mean, variance}, {{"epsilon", 1e-5f}});
}

ValueId Builder::apply(ValueId value, Activation activation) {
  switch (activation) {
    case Activation::None:
      return value;
    case Activation::Relu:
      return node(OpKind::Relu, {value});
    case Activation::Relu6:
      return node(OpKind::Clip, {value, scalar("zero", 0.0f), scalar("six", 6.0f)});
    case Activation::HardSwish:
      return node(OpKind::HardSwish, {value});
    case Activation::HardSigmoid:
      return node(OpKind::HardSigmoid, {value}, {{"alpha", 1.0f / 6.0f}, {"beta", 0.5f}});
    case Activation::Sigmoid:
      return node(OpKind::Sigmoid, {value});
    case Activation::Silu:
      return node(OpKind::Mul, {value, quantize(node(OpKind::Sigmoid, {value}), Range::Sigmoid)});
  }
  throw InternalError("zoo: an activation without an operator");
}

Feature Builder::activate(const Feature& x, Activation activation) {
  const Range range = range_after(activation);
  return {quantize(apply(x.value, activation), range), x.shape, range};
}

Feature Builder::add(const Feature& a, const Feature& b, Activation activation) {
  const Range range = range_after(activation);
  return {quantize(apply(node(OpKind::Add, {a.value, b.value}), activation), range), a.shape, range};
}

Feature Builder::multiply(const Feature& x, const Feature& gate) {
  return {quantize(node(OpKind::Mul, {x.value, gate.value}), x.range), x.shape, x.range};
}

Feature Builder::max_pool(const Feature& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool ceil) {
  const auto outputs = [&](std::int64_t size) {
    require_fit(size + 2 * padding, kernel);
    return (size + 2 * padding - kernel + (ceil ? stride - 1 : 0)) / stride + 1;
  };
  const ValueId y = node(OpKind::MaxPool, {x.value},
                         {{"kernel_shape", Ints{kernel, kernel}},
                          {"strides", Ints{stride, stride}},
                          {"pads", Ints(4, padding)},
                          {"ceil_mode", std::int64_t{ceil}}});
  return {quantize(y, x.range), {x.shape[0], x.channels(), outputs(x.shape[2]), outputs(x.shape[3])}, x.range};
}

Feature Builder::subsample(const Feature& x, std::int64_t channels, std::int64_t stride) {
  const Feature kept = max_pool(x, 1, stride, 0, false);
  const std::int64_t added = channels - x.channels();
  if (added == 0) return kept;
  const ValueId pads = constant("pads", Tensor::ints({0, 0, 0, 0, 0, added, 0, 0}));
  const ValueId y = node(OpKind::Pad, {kept.value, pads, scalar("zero", 0)}, {{"mode", std::string("constant")}});
  return {quantize(y, x.range), {kept.shape[0], channels, kept.shape[2], kept.shape[3]}, x.range};
}

Feature Builder::mean(const Feature& x) {
  return {quantize(node(OpKind::GlobalAveragePool, {x.value}), x.range), {x.shape[0], x.channels(), 1, 1}, x.range};
}

Feature Builder::flatten(const Feature& x) {
  std::int64_t size = 1;
  for (std::size_t axis = 1; axis < x.shape.size(); ++axis) size *= x.shape[axis];
  return {quantize(node(OpKind::Flatten, {x.value}), x.range), {x.shape[0], size}, x.range};
}

Feature Builder::concat(const std::vector<Feature>& parts) {
  Feature result = parts.at(0);
  result.shape[1] = 0;
  std::vector<ValueId> values;
  for (const Feature& part : parts) {
    values.push_back(part.value);
    result.shape[1] += part.channels();
  }
  result.value = quantize(node(OpKind::Concat, std::move(values), {{"axis", std::int64_t{1}}}), result.range);
  return result;
}

Feature Builder::softmax(const Feature& x) {
  if (options_.logits) return x;
  return {node(OpKind::Softmax, {x.value}, {{"axis", std::int64_t{-1}}}), x.shape, Range::Softmax};
}

/// Found from the end, so that networks need not know.
void Builder::drop_before_last_layer() {
  for (std::int32_t i = graph_.num_nodes(); i-- > 0;) {
    const auto id = static_cast<NodeId>(i);
    const OpKind kind = graph_.node(id).kind;
    if (kind != OpKind::Gemm && kind != OpKind::MatMul && kind != OpKind::Conv) continue;
    const ValueId x = graph_.node(id).input(0);
    const ValueId dropped = node(OpKind::Dropout, {x, scalar("ratio", static_cast<float>(options_.dropout))});
    graph_.node(id).inputs[0] = dropped;
    return;
  }
}

Graph Builder::finish(const Feature& output) {
  if (options_.dropout > 0) drop_before_last_layer();
  graph_.value(output.value).name = "output";
  graph_.set_outputs({output.value});
  for (const ValueId present : remembered_) graph_.add_output(present);
  infer_types(graph_);
  verify(graph_);
  return std::move(graph_);
}

std::string Builder::next_name(OpKind kind) {
  return cat(op_name(kind), "_", ++counters_[std::string(op_name(kind))]);
}

ValueId Builder::node(OpKind kind, std::vector<ValueId> inputs, Attributes attributes) {
  std::sort(attributes.begin(), attributes.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return graph_.add(kind, std::move(inputs), std::move(attributes), next_name(kind));
}

ValueId Builder::node_output(OpKind kind, std::vector<ValueId> inputs, Attributes attributes, int index) {
  std::sort(attributes.begin(), attributes.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const ValueId first = graph_.add(kind, std::move(inputs), std::move(attributes), next_name(kind), index + 1);
  return graph_.producer_of(first)->outputs[static_cast<std::size_t>(index)];
}

ValueId Builder::constant(std::string_view name, Tensor tensor) {
  return graph_.add_constant(graph_.unique_name(name), std::move(tensor));
}

std::int64_t rounded_channels(double channels, std::int64_t divisor) {
  const auto half = static_cast<double>(divisor) / 2;
  const std::int64_t rounded = std::max(divisor, static_cast<std::int64_t>(channels + half) / divisor * divisor);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + divisor : rounded;
}

std::int64_t scaled_channels(std::int64_t channels, double factor) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(channels) * factor));
}

}  // namespace adze::zoo
