#include "adze/engine/reference/detail/elements.h"

#include <bit>
#include <cmath>
#include <type_traits>

namespace adze::reference::detail {

namespace {

bool is_packed(DType dtype) {
  return dtype == DType::S4 || dtype == DType::U4;
}

}  // namespace

std::size_t count_to_compute(const Shape& shape) {
  const std::int64_t count = num_elements(shape);
  if (count > max_tensor_bytes() / static_cast<std::int64_t>(sizeof(double))) {
    throw LimitError(cat("computing a tensor of shape ", shape_text(shape), " takes more than the limit of ",
                         bytes_text(max_tensor_bytes())));
  }
  return static_cast<std::size_t>(count);
}

float narrow_to_odd(double value) {
  const auto nearest = static_cast<float>(value);
  if (std::isnan(value) || std::isinf(nearest) || static_cast<double>(nearest) == value) return nearest;
  // Inexact: of the two floats around value take the one with an odd code, so that no tie appears that was not there.
  const bool away = std::abs(static_cast<double>(nearest)) > std::abs(value);
  auto bits = std::bit_cast<std::uint32_t>(nearest);
  if (away) --bits;
  return std::bit_cast<float>(bits | 1u);
}

template <typename C>
std::vector<C> load(const Tensor& tensor) {
  std::vector<C> elements(static_cast<std::size_t>(tensor.size()));
  if (is_packed(tensor.dtype())) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      elements[i] = static_cast<C>(tensor.get_int(static_cast<std::int64_t>(i)));
    }
    return elements;
  }
  visit_dtype(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<C> && !std::is_integral_v<T>) {
      throw ModelError(cat("expected integers, found elements of type ", dtype_name(tensor.dtype())));
    } else {
      const auto data = tensor.data<T>();
      for (std::size_t i = 0; i < data.size(); ++i) elements[i] = static_cast<C>(data[i]);
    }
  });
  return elements;
}

template <typename C>
Tensor store(DType dtype, Shape shape, const std::vector<C>& elements) {
  Tensor tensor(dtype, std::move(shape));
  if (static_cast<std::size_t>(tensor.size()) != elements.size())
    throw InternalError("store: elements do not fill the shape");
  if (is_packed(dtype)) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      tensor.set_int(static_cast<std::int64_t>(i), static_cast<std::int64_t>(elements[i]));
    }
    return tensor;
  }
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto data = tensor.mutable_data<T>();
    if constexpr (std::is_integral_v<T> && !std::is_integral_v<C>) {
      throw InternalError("store: doubles are stored as floats only");
    } else if constexpr (std::is_same_v<T, bool>) {
      for (std::size_t i = 0; i < data.size(); ++i) data[i] = elements[i] != 0;
    } else if constexpr (!std::is_arithmetic_v<T>) {
      for (std::size_t i = 0; i < data.size(); ++i) data[i] = T(narrow_to_odd(static_cast<double>(elements[i])));
    } else {
      for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<T>(elements[i]);
    }
  });
  return tensor;
}

template std::vector<double> load(const Tensor&);
template std::vector<std::int64_t> load(const Tensor&);
template std::vector<std::uint64_t> load(const Tensor&);
template Tensor store(DType, Shape, const std::vector<double>&);
template Tensor store(DType, Shape, const std::vector<std::int64_t>&);
template Tensor store(DType, Shape, const std::vector<std::uint64_t>&);

}  // namespace adze::reference::detail
