// Gemm and MatMul: FULLY_CONNECTED by constant weights, else BATCH_MATMUL.
#include <algorithm>

#include "adze/formats/tflite/write_window.h"
#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

namespace {

Tensor scaled(const Tensor& tensor, float factor) {
  if (factor == 1.0f) return tensor;
  Tensor result(DType::F32, tensor.shape());
  for (std::int64_t i = 0; i < tensor.size(); ++i)
    result.set_double(i, tensor.get_double(i) * static_cast<double>(factor));
  return result;
}

/// Weights [O, C*H*W] for rows that lie as H, W, C.
Tensor turned_rows(const Tensor& weights, const Shape& nchw) {
  const Shape wide = {weights.dim(0), nchw[1], nchw[2], nchw[3]};
  return permuted(weights.reshaped(wide), to_channels_last).reshaped(weights.shape());
}

/// A bias row of one number an output, or nothing where it is something else (added by an ADD then).
std::optional<std::int32_t> bias_row(Writer& w, const Step& step, ValueId bias, std::int64_t outputs, float factor) {
  const Tensor* content = w.stored_constant(bias);
  if (content == nullptr || (content->size() != outputs && content->size() != 1)) return std::nullopt;
  if (content->rank() > 2 || (content->rank() == 2 && content->dim(0) != 1)) return std::nullopt;
  if (step.quantized) {
    if (content->size() != outputs) return std::nullopt;
    return integer_bias(w, step, bias);
  }
  const Tensor real = w.float_constant(bias);
  Tensor row(DType::F32, {outputs});
  for (std::int64_t i = 0; i < outputs; ++i) {
    row.set_double(i, real.get_double(real.size() == 1 ? 0 : i) * static_cast<double>(factor));
  }
  return w.constant(w.graph().value(bias).name, std::move(row));
}

void write_fully_connected(Writer& w, const Step& step, bool transposed_weights, float alpha, ValueId bias,
                           float beta) {
  const ValueId x = step.node.input(0), weights = step.node.input(1);
  Tensor content = step.quantized ? *w.stored_constant(weights) : scaled(w.float_constant(weights), alpha);
  const std::string& name = w.graph().value(w.stored(weights)).name;
  if (!transposed_weights) content = permuted(content, {1, 0});
  if (const Shape* nchw = w.flattened(x)) content = turned_rows(content, *nchw);
  std::optional<Quantization> scales;
  if (step.quantized) {
    scales = *w.quantization(weights);
    const std::int64_t axis = scales->scales.size() == 1 ? 0 : normalize_axis(scales->axis, 2);
    if (scales->scales.size() > 1 && axis != (transposed_weights ? 0 : 1)) {
      throw UnsupportedError("the weights have scales along their inputs");
    }
    scales->axis = 0;
  }
  const std::int64_t outputs = content.dim(0);
  std::vector<std::int32_t> inputs = {w.operand(step, x, false), w.constant(name, std::move(content), scales)};
  if (bias != ValueId::None) {
    const auto row = bias_row(w, step, bias, outputs, beta);
    if (!row) throw UnsupportedError("the bias is not a constant of one number an output");
    inputs.push_back(*row);
  } else if (const auto zeros = missing_bias(w, step, outputs)) {
    inputs.push_back(*zeros);
  }
  const bool wide = w.rank(step.targets.at(0).raw) != 2;
  Emission emission{.code = 9, .options_kind = 8, .version = wide ? 5 : step.quantized ? 4 : 1};
  if (step.quantized && w.graph().value(w.stored(x)).type.dtype == DType::S16) emission.version = 7;
  if (wide) emission.fields = {option_field<std::uint8_t>(field::fully_connected::keep_num_dims, 1)};
  emission.activation_field = field::fully_connected::activation;
  w.finish(step, emission, std::move(inputs), false);
}

void write_gemm(Writer& w, const Step& step) {
  const Node& node = step.node;
  const float alpha = node.get_float("alpha"), beta = node.get_float("beta");
  if (node.get_int("transA") != 0) throw UnsupportedError("a transposed left operand is not supported");
  if (!w.is_constant(node.input(1))) throw UnsupportedError("the right operand must be constant in TFLite");
  if (step.quantized && (alpha != 1.0f || (node.input(2) != ValueId::None && beta != 1.0f))) {
    throw UnsupportedError("alpha and beta must be 1 in quantized products");
  }
  write_fully_connected(w, step, node.get_int("transB") != 0, alpha, node.input(2), beta);
}

void write_matmul(Writer& w, const Step& step) {
  const ValueId a = step.node.input(0), b = step.node.input(1);
  const Tensor* weights = w.stored_constant(b);
  if (weights != nullptr && weights->rank() == 2 && w.rank(a) >= 2) {
    write_fully_connected(w, step, false, 1.0f, step.bias, 1.0f);
    return;
  }
  if (w.rank(a) < 2 || w.rank(b) < 2) throw UnsupportedError("products of vectors have no form in TFLite");
  if (step.quantized && w.quantization(b)->scales.size() != 1)
    throw UnsupportedError("the right operand has many scales");
  Emission emission{.code = 126, .options_kind = 101, .version = step.quantized ? 2 : 1};
  w.finish(step, emission, {w.operand(step, a, false), w.operand(step, b, false)}, false);
}

constexpr WriteEntry table[] = {
    {OpKind::Gemm, LayoutNeed::Plain, Integers::AnyScale, true, write_gemm},
    {OpKind::MatMul, LayoutNeed::Plain, Integers::AnyScale, true, write_matmul},
};

}  // namespace

std::span<const WriteEntry> product_writers() {
  return table;
}

}  // namespace adze::tflite
