#include "adze/engine/reference/neural.h"

namespace adze::reference {

std::span<const KernelEntry> neural_kernels() {
  using namespace neural;
  static constexpr KernelEntry entries[] = {
      {OpKind::AveragePool, average_pool},
      {OpKind::BatchNormalization, batch_normalization},
      {OpKind::Conv, conv},
      {OpKind::ConvInteger, conv_integer},
      {OpKind::ConvTranspose, conv_transpose},
      {OpKind::Dropout, dropout},
      {OpKind::Gemm, gemm},
      {OpKind::GlobalAveragePool, global_pool},
      {OpKind::GlobalLpPool, global_pool},
      {OpKind::GlobalMaxPool, global_pool},
      {OpKind::GroupNormalization, group_normalization},
      {OpKind::InstanceNormalization, instance_normalization},
      {OpKind::LRN, lrn},
      {OpKind::LayerNormalization, layer_normalization},
      {OpKind::LpPool, lp_pool},
      {OpKind::MatMul, matmul},
      {OpKind::MatMulInteger, matmul_integer},
      {OpKind::MaxPool, max_pool},
  };
  return entries;
}

}  // namespace adze::reference
