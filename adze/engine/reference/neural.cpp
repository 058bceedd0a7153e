#include "adze/engine/reference/neural.h"

namespace adze::reference {

std::span<const KernelEntry> neural_kernels() {
  using namespace neural;
  static constexpr KernelEntry entries[] = {
      {OpKind::AffineGrid, affine_grid},
      {OpKind::AveragePool, average_pool},
      {OpKind::BatchNormalization, batch_normalization},
      {OpKind::Col2Im, col2im},
      {OpKind::Conv, conv},
      {OpKind::ConvInteger, conv_integer},
      {OpKind::ConvTranspose, conv_transpose},
      {OpKind::Dropout, dropout},
      {OpKind::Gemm, gemm},
      {OpKind::GlobalAveragePool, global_pool},
      {OpKind::GlobalLpPool, global_pool},
      {OpKind::GlobalMaxPool, global_pool},
      {OpKind::GridSample, grid_sample},
      {OpKind::GroupNormalization, group_normalization},
      {OpKind::InstanceNormalization, instance_normalization},
      {OpKind::LRN, lrn},
      {OpKind::LayerNormalization, layer_normalization},
      {OpKind::LpPool, lp_pool},
      {OpKind::MatMul, matmul},
      {OpKind::MatMulInteger, matmul_integer},
      {OpKind::MaxPool, max_pool},
      {OpKind::MaxRoiPool, max_roi_pool},
      {OpKind::MaxUnpool, max_unpool},
      {OpKind::NonMaxSuppression, non_max_suppression},
      {OpKind::Resize, resize},
      {OpKind::RoiAlign, roi_align},
      {OpKind::Upsample, upsample},
  };
  return entries;
}

}  // namespace adze::reference
