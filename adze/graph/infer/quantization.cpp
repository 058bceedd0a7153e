#include "adze/graph/infer.h"

#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"

namespace adze {

namespace {

/// The scale's shape against the data's: one number, one per index of axis, or one per block along it.
void check_scale(const InferContext& context) {
  if (!context.shape(0) || !context.shape(1)) return;
  const SymbolicShape& x = *context.shape(0);
  const SymbolicShape& scale = *context.shape(1);
  const std::int64_t block = context.node().get_int("block_size");
  if (block < 0) throw ModelError(cat("block_size is ", block));
  if (block == 0 && (scale.empty() || (scale.size() == 1 && scale[0] == Dim(1)))) return;
  const auto axis = static_cast<std::size_t>(normalize_axis(context.node().get_int("axis"), *context.rank(0)));
  if (block == 0) {
    if (scale.size() != 1) throw ModelError(cat("the scale has shape ", shape_text(scale), ", expected rank 0 or 1"));
    neural::require_equal(scale[0], x[axis], "scales and axis length");
    return;
  }
  if (scale.size() != x.size()) throw ModelError("block scales must have the rank of the data");
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Dim expected = i != axis ? x[i] : x[i].is_known() ? Dim((x[i].value + block - 1) / block) : Dim();
    neural::require_equal(scale[i], expected, "block scales and data");
  }
}

void check_zero_point(const InferContext& context) {
  if (!context.has_input(2) || !context.shape(1) || !context.shape(2)) return;
  if (!compatible(*context.shape(1), *context.shape(2))) {
    throw ModelError(cat("scale ", shape_text(*context.shape(1)), " and zero point ", shape_text(*context.shape(2)),
                         " differ in shape"));
  }
}

void infer_quantize(InferContext& context) {
  check_scale(context);
  check_zero_point(context);
  DType dtype = context.has_input(2) ? context.dtype(2) : DType::U8;
  const std::int64_t wanted = context.node().get_int("output_dtype");
  if (wanted < 0 || wanted >= num_dtypes) throw ModelError(cat("output_dtype is ", wanted));
  if (wanted != 0 && !context.has_input(2)) dtype = static_cast<DType>(wanted);
  context.set_output(0, dtype, context.shape(0));
}

void infer_dequantize(InferContext& context) {
  check_scale(context);
  check_zero_point(context);
  context.set_output(0, context.dtype(1), context.shape(0));
}

void infer_dynamic_quantize(InferContext& context) {
  context.set_output(0, DType::U8, context.shape(0));
  context.set_output(1, DType::F32, SymbolicShape{});
  context.set_output(2, DType::U8, SymbolicShape{});
}

/// QLinearConv is Conv on inputs 0 and 3 with the bias 8; QLinearMatMul is MatMul on 0 and 3.
void infer_as(InferContext& context, OpKind kind, void (*infer)(InferContext&)) {
  Node node = context.node();
  node.kind = kind;
  node.inputs = {context.node().input(0), context.node().input(3)};
  if (kind == OpKind::Conv && context.has_input(8)) node.inputs.push_back(context.node().input(8));
  InferContext inner(context.graph(), node);
  infer(inner);
  context.set_output(0, context.dtype(7), inner.output_types.empty() ? std::nullopt : inner.output_types[0].shape);
}

void infer_qlinear_conv(InferContext& context) {
  infer_as(context, OpKind::Conv, neural::infer_conv);
}
void infer_qlinear_matmul(InferContext& context) {
  infer_as(context, OpKind::MatMul, neural::infer_matmul);
}

}  // namespace

std::span<const InferEntry> quantization_inference() {
  static constexpr InferEntry entries[] = {
      {OpKind::DequantizeLinear, infer_dequantize}, {OpKind::DynamicQuantizeLinear, infer_dynamic_quantize},
      {OpKind::QLinearConv, infer_qlinear_conv},    {OpKind::QLinearMatMul, infer_qlinear_matmul},
      {OpKind::QuantizeLinear, infer_quantize},
  };
  return entries;
}

}  // namespace adze
