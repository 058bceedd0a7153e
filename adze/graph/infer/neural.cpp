#include "adze/graph/infer/neural.h"

#include "adze/base/text.h"

namespace adze {

namespace neural {

DType first_dtype(const InferContext& context, std::initializer_list<std::size_t> inputs) {
  for (const std::size_t i : inputs) {
    if (context.dtype(i) != DType::Undefined) return context.dtype(i);
  }
  return DType::Undefined;
}

void require_rank(const InferContext& context, std::size_t input, std::int64_t rank) {
  const auto found = context.rank(input);
  if (found && *found != rank) {
    throw ModelError(cat("input ", input, " has shape ", shape_text(*context.shape(input)), ", expected rank ", rank));
  }
}

void require_equal(const Dim& a, const Dim& b, std::string_view what) {
  if (a.is_known() && b.is_known() && a.value != b.value) {
    throw ModelError(cat(what, ": ", a.value, " and ", b.value, " differ"));
  }
}

Dim unified(const Dim& a, const Dim& b, std::string_view what) {
  require_equal(a, b, what);
  if (a.is_known()) return a;
  if (b.is_known()) return b;
  return a.symbol.empty() ? b : a;
}

SymbolicShape unknown_dims(std::size_t count) {
  return SymbolicShape(count);
}

}  // namespace neural

std::span<const InferEntry> neural_inference() {
  using namespace neural;
  static constexpr InferEntry entries[] = {
      {OpKind::AffineGrid, infer_affine_grid},
      {OpKind::AveragePool, infer_pool},
      {OpKind::BatchNormalization, infer_batch_normalization},
      {OpKind::Col2Im, infer_col2im},
      {OpKind::Conv, infer_conv},
      {OpKind::ConvInteger, infer_conv_integer},
      {OpKind::ConvTranspose, infer_conv_transpose},
      {OpKind::Dropout, infer_dropout},
      {OpKind::Gemm, infer_gemm},
      {OpKind::GlobalAveragePool, infer_global_pool},
      {OpKind::GlobalLpPool, infer_global_pool},
      {OpKind::GlobalMaxPool, infer_global_pool},
      {OpKind::GridSample, infer_grid_sample},
      {OpKind::GroupNormalization, infer_channel_normalization},
      {OpKind::InstanceNormalization, infer_channel_normalization},
      {OpKind::LRN, infer_lrn},
      {OpKind::LayerNormalization, infer_layer_normalization},
      {OpKind::LpPool, infer_pool},
      {OpKind::MatMul, infer_matmul},
      {OpKind::MatMulInteger, infer_matmul_integer},
      {OpKind::MaxPool, infer_pool},
      {OpKind::MaxRoiPool, infer_max_roi_pool},
      {OpKind::MaxUnpool, infer_max_unpool},
      {OpKind::NonMaxSuppression, infer_non_max_suppression},
      {OpKind::Resize, infer_resize},
      {OpKind::RoiAlign, infer_roi_align},
      {OpKind::Upsample, infer_upsample},
  };
  return entries;
}

}  // namespace adze
