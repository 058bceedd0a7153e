#include "adze/rewrite/constants.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace adze::rewrite {

std::vector<double> to_doubles(const Tensor& tensor) {
  const Tensor doubles = converted(tensor, DType::F64);
  const auto data = doubles.data<double>();
  return {data.begin(), data.end()};
}

Tensor from_doubles(DType dtype, Shape shape, std::span<const double> values) {
  return converted(Tensor::from<double>(std::move(shape), {values.begin(), values.end()}), dtype);
}

std::optional<std::vector<double>> per_channel(const Tensor& constant, std::int64_t channels, std::int64_t rank,
                                               std::int64_t axis) {
  if (constant.rank() > rank || !is_float(constant.dtype())) return std::nullopt;
  for (std::int64_t i = 0; i < constant.rank(); ++i) {
    const bool is_channel = i + rank - constant.rank() == axis;
    if (constant.dim(i) != 1 && !(is_channel && constant.dim(i) == channels)) return std::nullopt;
  }
  std::vector<double> values = to_doubles(constant);
  if (values.size() == 1) values.assign(static_cast<std::size_t>(channels), values[0]);
  return values;
}

bool broadcasts_into(const Tensor& constant, const SymbolicShape* shape) {
  if (constant.rank() == 0) return true;
  if (shape == nullptr || constant.rank() > std::ssize(*shape)) return false;
  for (std::int64_t i = 0; i < constant.rank(); ++i) {
    const Dim& dim = (*shape)[shape->size() - static_cast<std::size_t>(constant.rank() - i)];
    if (constant.dim(i) != 1 && dim != Dim(constant.dim(i))) return false;
  }
  return true;
}

bool all_equal(const Tensor& tensor, double value) {
  if (!is_float(tensor.dtype()) && !is_integer(tensor.dtype())) return false;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (tensor.get_double(i) != value) return false;
  }
  return true;
}

Tensor transposed(const Tensor& tensor, std::span<const std::int64_t> perm) {
  Shape shape(perm.size()), strides(perm.size());
  const Shape from = row_major_strides(tensor.shape());
  for (std::size_t i = 0; i < perm.size(); ++i) {
    shape[i] = tensor.dim(perm[i]);
    strides[i] = from[static_cast<std::size_t>(perm[i])];
  }
  Tensor result(tensor.dtype(), shape);
  const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype())) / 8;
  const auto input = width > 0 ? tensor.bytes() : std::span<const std::byte>{};
  const auto output = width > 0 ? result.mutable_bytes() : std::span<std::byte>{};
  Shape index(perm.size(), 0);
  for (std::int64_t i = 0; i < result.size(); ++i) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) offset += index[axis] * strides[axis];
    if (width > 0) {
      std::memcpy(output.data() + static_cast<std::size_t>(i) * width,
                  input.data() + static_cast<std::size_t>(offset) * width, width);
    } else {
      result.set_int(i, tensor.get_int(offset));  // 4-bit types
    }
    for (std::size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace adze::rewrite
