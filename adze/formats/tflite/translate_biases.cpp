// Biases of 16-bit activations.
#include <algorithm>
#include <limits>
#include <optional>

#include "adze/formats/tflite/translator.h"

namespace adze::tflite {

bool has_short_sums(const Model& model) {
  return std::ranges::any_of(model.operators, [&](const Operator& op) {
    const bool products = op.code == 3 || op.code == 4 || op.code == 9;
    if (!products || op.inputs.size() < 3 || op.inputs[0] < 0 || op.inputs[2] < 0) return false;
    const auto dtype = [&](std::size_t i) { return model.tensors[static_cast<std::size_t>(op.inputs[i])].dtype; };
    return dtype(0) == DType::S16 && dtype(2) == DType::S32;
  });
}

namespace {

/// As s32 where that holds them all.
std::optional<Tensor> narrowed(const Tensor& content, const Quantization& quantization) {
  if (std::ranges::any_of(quantization.zero_points, [](std::int64_t zero) { return zero != 0; })) return std::nullopt;
  Tensor result(DType::S32, content.shape());
  for (std::int64_t i = 0; i < content.size(); ++i) {
    const std::int64_t value = content.get_int(i);
    if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max()) {
      return std::nullopt;
    }
    result.set_int(i, value);
  }
  return result;
}

}  // namespace

/// ONNX dequantizes 32 bits at most: 64-bit biases of int16x8 models become s32 where they fit, else floats.
ValueId Translator::wide_constant(std::int32_t tensor, std::string_view name) {
  const Tensor content = constant(tensor);
  const Quantization& quantization = *info(tensor).quantization;
  if (content.rank() != 1) throw UnsupportedError(cat("quantized ", type_text(content), " is not supported"));
  if (const auto narrow = narrowed(content, quantization)) {
    const auto count = std::ssize(quantization.scales);
    const Tensor scales = Tensor::from<float>(count == 1 ? Shape{} : Shape{count}, quantization.scales);
    Node node = make_node(OpKind::DequantizeLinear, cat(name, "/dequantize"),
                          {add_constant(cat(name, "/s32"), *narrow), add_constant(cat(name, "/scale"), scales)}, {});
    if (count > 1) node.set("axis", std::int64_t{0});
    node.outputs = {graph_.add_value(fresh(cat(name, "/dequantized")))};
    graph_.add_node(node);
    return node.outputs[0];
  }
  Tensor real(DType::F32, content.shape());
  for (std::int64_t i = 0; i < content.size(); ++i) {
    const std::size_t at = quantization.scales.size() == 1 ? 0 : static_cast<std::size_t>(i);
    const auto offset = static_cast<double>(content.get_int(i)) - static_cast<double>(quantization.zero_points[at]);
    real.set_double(i, offset * static_cast<double>(quantization.scales[at]));
  }
  return add_constant(cat(name, "/dequantized"), std::move(real));
}

}  // namespace adze::tflite
