#pragma once

#include <span>
#include <vector>

#include "adze/numerics/tensor.h"

namespace adze::reference {

/// Elements [begin, begin + length) along an axis. Any dtype of whole bytes, and strings.
Tensor slice_of(const Tensor& tensor, std::int64_t axis, std::int64_t begin, std::int64_t length);
/// The tensors one after the other along an axis. Throws ModelError when dtypes or the other dimensions differ.
Tensor concatenated(std::span<const Tensor> tensors, std::int64_t axis);
/// The tensors along a new axis.
Tensor stacked(std::span<const Tensor> tensors, std::int64_t axis);
/// The shape without, or with, a dimension of 1 at the axis.
Shape without_axis(Shape shape, std::int64_t axis);
Shape with_axis(Shape shape, std::int64_t axis);

}  // namespace adze::reference
