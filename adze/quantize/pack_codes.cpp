#include "adze/quantize/pack_codes.h"

#include <algorithm>

#include "adze/graph/infer.h"
#include "adze/numerics/tensor.h"
#include "adze/quantize/quantized_layers.h"

namespace adze::quantize {

namespace {

bool fits(const Tensor& codes) {
  if (codes.dtype() != DType::S8) return false;
  const auto values = codes.data<std::int8_t>();
  return std::all_of(values.begin(), values.end(), [](std::int8_t code) { return code >= -8 && code <= 7; });
}

Tensor packed(const Tensor& codes) {
  Tensor result(DType::S4, codes.shape());
  for (std::int64_t i = 0; i < codes.size(); ++i) result.set_int(i, codes.get_int(i));
  return result;
}

}  // namespace

int pack_codes(Graph& quantized) {
  int count = 0;
  for (const QuantizedLayer& layer : quantized_layers(quantized)) {
    if (!layer.zero_points.empty() || !fits(*quantized.constant(layer.codes))) continue;
    Tensor codes = packed(*quantized.constant(layer.codes));
    quantized.value(layer.codes).type = ValueType::tensor(DType::S4, symbolic(codes.shape()));
    quantized.value(layer.codes).constant = std::move(codes);
    // The zero points, all 0 and of the codes' type, are what a missing input stands for.
    Node& dequantize = quantized.node(quantized.value(quantized.node(layer.node).input(1)).producer);
    if (dequantize.inputs.size() > 2) dequantize.inputs.resize(2);
    ++count;
  }
  if (count > 0) {
    quantized.compact();
    infer_types(quantized);
  }
  return count;
}

}  // namespace adze::quantize
