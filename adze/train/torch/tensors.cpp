#include "adze/train/torch/tensors.h"

#include <ATen/ATen.h>

#include <cstring>

#include "adze/base/text.h"

namespace adze::train {

namespace {

struct Pair {
  DType dtype;
  at::ScalarType scalar;
};
constexpr Pair pairs[] = {
    {DType::F32, at::kFloat}, {DType::F64, at::kDouble}, {DType::F16, at::kHalf},  {DType::BF16, at::kBFloat16},
    {DType::U8, at::kByte},   {DType::S8, at::kChar},    {DType::S16, at::kShort}, {DType::S32, at::kInt},
    {DType::S64, at::kLong},  {DType::Bool, at::kBool},
};

DType dtype_of_scalar(at::ScalarType scalar) {
  for (const Pair& pair : pairs) {
    if (pair.scalar == scalar) return pair.dtype;
  }
  throw InternalError(cat("no dtype for libtorch's ", at::toString(scalar)));
}

}  // namespace

std::optional<at::ScalarType> scalar_type(DType dtype) {
  for (const Pair& pair : pairs) {
    if (pair.dtype == dtype) return pair.scalar;
  }
  return std::nullopt;
}

at::Tensor to_torch(const Tensor& tensor) {
  const auto scalar = scalar_type(tensor.dtype());
  if (!scalar) throw UnsupportedError(cat("training has no tensors of ", dtype_name(tensor.dtype())));
  at::Tensor result = at::empty(tensor.shape(), at::TensorOptions().dtype(*scalar));
  const auto bytes = tensor.bytes();
  if (!bytes.empty()) std::memcpy(result.data_ptr(), bytes.data(), bytes.size());
  return result;
}

Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().to(at::kCPU).contiguous(at::MemoryFormat::Contiguous);
  Tensor result(dtype_of_scalar(dense.scalar_type()), dense.sizes().vec());
  const auto bytes = result.mutable_bytes();
  if (!bytes.empty()) std::memcpy(bytes.data(), dense.data_ptr(), bytes.size());
  return result;
}

}  // namespace adze::train
