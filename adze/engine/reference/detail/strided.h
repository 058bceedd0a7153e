#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "adze/numerics/shape.h"

namespace adze::reference::detail {

/// Walks a shape in row-major order and follows one element offset for each of N operands with strides of their own.
template <std::size_t N>
class StridedWalk {
 public:
  StridedWalk(Shape shape, std::array<Shape, N> strides, std::array<std::int64_t, N> start = {})
      : shape_(std::move(shape)), strides_(std::move(strides)), offsets_(start), index_(shape_.size(), 0) {}

  std::int64_t offset(std::size_t operand = 0) const { return offsets_[operand]; }
  const Shape& index() const { return index_; }

  void next() {
    for (std::size_t axis = shape_.size(); axis-- > 0;) {
      if (++index_[axis] < shape_[axis]) {
        for (std::size_t n = 0; n < N; ++n) offsets_[n] += strides_[n][axis];
        return;
      }
      index_[axis] = 0;
      for (std::size_t n = 0; n < N; ++n) offsets_[n] -= strides_[n][axis] * (shape_[axis] - 1);
    }
  }

 private:
  Shape shape_;
  std::array<Shape, N> strides_;
  std::array<std::int64_t, N> offsets_;
  Shape index_;
};

/// Strides that read a tensor of shape from as if it had shape to: 0 where a dimension is repeated.
inline Shape broadcast_strides(const Shape& from, const Shape& to) {
  const Shape own = row_major_strides(from);
  Shape strides(to.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) strides[to.size() - from.size() + i] = own[i];
  }
  return strides;
}

/// Sizes around an axis: elements of a tensor are at (outer * size + i) * inner + k.
struct AxisSplit {
  std::int64_t outer = 1;
  std::int64_t size = 1;
  std::int64_t inner = 1;
};

/// axis must be in [0, rank).
inline AxisSplit split_at(const Shape& shape, std::int64_t axis) {
  const auto at = static_cast<std::ptrdiff_t>(axis);
  return {num_elements({shape.begin(), shape.begin() + at}), shape[static_cast<std::size_t>(axis)],
          num_elements({shape.begin() + at + 1, shape.end()})};
}

}  // namespace adze::reference::detail
