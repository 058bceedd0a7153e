#include "adze/engine/reference/adze.h"

namespace adze::reference {

namespace integer {

std::vector<std::int32_t> widened(const Tensor& tensor) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(tensor.size()));
  visit_dtype(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto data = tensor.data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(data[i]);
  });
  return values;
}

Tensor narrowed(DType dtype, Shape shape, std::span<const std::int32_t> values) {
  Tensor tensor(dtype, std::move(shape));
  if (tensor.size() != std::ssize(values)) throw InternalError("narrowed: values do not fill the shape");
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto data = tensor.mutable_data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) data[i] = static_cast<T>(values[i]);
  });
  return tensor;
}

}  // namespace integer

std::span<const KernelEntry> adze_kernels() {
  static constexpr KernelEntry entries[] = {
      {OpKind::QAdd, integer::q_add},
      {OpKind::QAveragePool, integer::q_average_pool},
      {OpKind::QConv, integer::q_conv},
      {OpKind::QGemm, integer::q_gemm},
      {OpKind::QMatMul, integer::q_matmul},
      {OpKind::QMul, integer::q_mul},
      {OpKind::QReduceMean, integer::q_reduce_mean},
      {OpKind::QRequantize, integer::q_requantize},
      {OpKind::QSoftmax, integer::q_softmax},
      {OpKind::QSub, integer::q_add},
      {OpKind::QTable, integer::q_table},
  };
  return entries;
}

}  // namespace adze::reference
