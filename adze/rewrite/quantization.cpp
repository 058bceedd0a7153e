#include "adze/rewrite/quantization.h"

#include <cmath>

namespace adze::rewrite {

namespace {

bool is_safe_scale(const Tensor& scale) {
  if (scale.dtype() != DType::F32 && scale.dtype() != DType::F64) return false;
  for (std::int64_t i = 0; i < scale.size(); ++i) {
    const double value = scale.get_double(i);
    if (!(value > 1e-30 && value < 1e30)) return false;  // products with codes stay normal floats
  }
  return true;
}

bool all_zero(const Tensor& tensor) {
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (tensor.get_int(i) != 0) return false;
  }
  return true;
}

/// Equal zero points, an absent one standing for zeros.
bool same_zero_point(const RuleContext& context, ValueId a, ValueId b) {
  if (a == b) return true;
  const Tensor* x = context.graph.constant(a);
  const Tensor* y = context.graph.constant(b);
  if (a == ValueId::None) return y != nullptr && all_zero(*y);
  if (b == ValueId::None) return x != nullptr && all_zero(*x);
  return x != nullptr && y != nullptr && identical(*x, *y);
}

}  // namespace

bool is_per_tensor(const RuleContext& context, const Node& quantization) {
  const Tensor* scale = context.graph.constant(quantization.input(1));
  return scale != nullptr && scale->rank() == 0 && quantization.get_int("block_size") == 0;
}

bool same_quantization(const RuleContext& context, const Node& dequantize, const Node& quantize) {
  const DType codes = context.dtype(dequantize.input(0));
  if (!is_integer(codes) || dtype_bits(codes) > 8) return false;
  const Tensor* x = context.graph.constant(dequantize.input(1));
  const Tensor* y = context.graph.constant(quantize.input(1));
  if (x == nullptr || y == nullptr || !identical(*x, *y) || !is_safe_scale(*x)) return false;
  if (!same_zero_point(context, dequantize.input(2), quantize.input(2))) return false;
  if (x->rank() == 0) return true;
  const auto rank = context.rank(dequantize.input(0));
  if (!rank || dequantize.get_int("block_size") != quantize.get_int("block_size")) return false;
  return normalize_axis(dequantize.get_int("axis"), *rank) == normalize_axis(quantize.get_int("axis"), *rank);
}

}  // namespace adze::rewrite
