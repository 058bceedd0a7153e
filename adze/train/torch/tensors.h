#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "adze/numerics/tensor.h"

namespace adze::train {

/// libtorch's name of an element type; nothing for those that it does not have (u16, s4, strings …).
std::optional<at::ScalarType> scalar_type(DType dtype);

/// A copy. Throws UnsupportedError for a dtype that libtorch does not have.
at::Tensor to_torch(const Tensor& tensor);
/// A copy, detached from the gradient's record and in row-major order.
Tensor from_torch(const at::Tensor& tensor);

}  // namespace adze::train
