#include "adze/engine/reference/pieces.h"

#include <algorithm>
#include <cstring>

#include "adze/base/checked.h"
#include "adze/base/text.h"

namespace adze::reference {

namespace {

struct Copy {
  std::int64_t from, to, count;  ///< in elements
};

/// Copies rows × count elements between tensors of one dtype, stepping by the given strides.
void copy_rows(const Tensor& source, Tensor& target, std::int64_t rows, Copy start, std::int64_t from_step,
               std::int64_t to_step) {
  if (rows == 0 || start.count == 0) return;
  if (source.dtype() == DType::String) {
    const auto from = source.data<std::string>();
    const auto to = target.mutable_data<std::string>();
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < start.count; ++i) {
        to[static_cast<std::size_t>(start.to + row * to_step + i)] =
            from[static_cast<std::size_t>(start.from + row * from_step + i)];
      }
    }
    return;
  }
  const int bits = dtype_bits(source.dtype());
  if (bits % 8 != 0) throw UnsupportedError("packed 4-bit tensors cannot be cut into pieces");
  const std::int64_t width = bits / 8;
  const std::byte* from = source.bytes().data() + start.from * width;
  std::byte* to = target.mutable_bytes().data() + start.to * width;
  for (std::int64_t row = 0; row < rows; ++row) {
    std::memcpy(to + row * to_step * width, from + row * from_step * width,
                static_cast<std::size_t>(start.count * width));
  }
}

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t result = 1;
  for (std::size_t i = begin; i < end; ++i) result *= shape[i];
  return result;
}

}  // namespace

Tensor slice_of(const Tensor& tensor, std::int64_t axis, std::int64_t begin, std::int64_t length) {
  const auto at = static_cast<std::size_t>(normalize_axis(axis, tensor.rank()));
  if (begin < 0 || length < 0 || begin > tensor.shape()[at] - length) {
    throw ModelError(cat("elements ", begin, " to ", begin + length, " are outside of ", type_text(tensor)));
  }
  Shape shape = tensor.shape();
  const std::int64_t outer = product(shape, 0, at), inner = product(shape, at + 1, shape.size());
  const std::int64_t whole = shape[at] * inner;
  shape[at] = length;
  Tensor result(tensor.dtype(), shape);
  copy_rows(tensor, result, outer, {begin * inner, 0, length * inner}, whole, length * inner);
  return result;
}

Tensor concatenated(std::span<const Tensor> tensors, std::int64_t axis) {
  if (tensors.empty()) throw ModelError("nothing to concatenate");
  const auto at = static_cast<std::size_t>(normalize_axis(axis, tensors[0].rank()));
  Shape shape = tensors[0].shape();
  shape[at] = 0;
  for (const Tensor& tensor : tensors) {
    Shape other = tensor.shape();
    if (other.size() != shape.size() || tensor.dtype() != tensors[0].dtype()) {
      throw ModelError(cat(type_text(tensor), " and ", type_text(tensors[0]), " cannot be concatenated"));
    }
    const std::int64_t length = other[at];
    other[at] = shape[at];
    if (other != shape)
      throw ModelError(cat(type_text(tensor), " and ", type_text(tensors[0]), " cannot be concatenated"));
    shape[at] = checked_add(shape[at], length, "concatenated dimension");
  }
  Tensor result(tensors[0].dtype(), shape);
  if (result.empty()) return result;
  const std::int64_t outer = product(shape, 0, at), inner = product(shape, at + 1, shape.size());
  std::int64_t begin = 0;
  for (const Tensor& tensor : tensors) {
    const std::int64_t block = tensor.shape()[at] * inner;
    copy_rows(tensor, result, outer, {0, begin, block}, block, shape[at] * inner);
    begin += block;
  }
  return result;
}

Tensor stacked(std::span<const Tensor> tensors, std::int64_t axis) {
  if (tensors.empty()) throw ModelError("nothing to stack");
  const std::int64_t at = normalize_axis(axis, tensors[0].rank() + 1);
  std::vector<Tensor> rows;
  for (const Tensor& tensor : tensors)
    rows.push_back(tensor.reshaped(with_axis(tensor.shape(), std::min(at, tensor.rank()))));
  return concatenated(rows, at);
}

Shape without_axis(Shape shape, std::int64_t axis) {
  shape.erase(shape.begin() + axis);
  return shape;
}

Shape with_axis(Shape shape, std::int64_t axis) {
  shape.insert(shape.begin() + axis, 1);
  return shape;
}

}  // namespace adze::reference
