#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "adze/base/text.h"
#include "adze/numerics/tensor.h"

namespace adze::reference::detail {

/// An element that is only moved: its bytes, of any alignment.
template <std::size_t N>
struct Raw {
  std::byte bytes[N];
};

/// Calls f(TypeTag<T>{}) with the type that elements of dtype are moved as: Raw<1, 2, 4, 8 or 16> or std::string.
/// Packed types must have been unpacked.
template <typename F>
decltype(auto) visit_storage(DType dtype, F&& f) {
  if (dtype == DType::String) return f(TypeTag<std::string>{});
  switch (dtype_bits(dtype)) {
    case 8:
      return f(TypeTag<Raw<1>>{});
    case 16:
      return f(TypeTag<Raw<2>>{});
    case 32:
      return f(TypeTag<Raw<4>>{});
    case 64:
      return f(TypeTag<Raw<8>>{});
    case 128:
      return f(TypeTag<Raw<16>>{});
    default:
      throw ModelError(cat("elements of type ", dtype_name(dtype), " cannot be moved"));
  }
}

/// The elements as visit_storage names them.
template <typename T>
std::span<const T> stored(const Tensor& tensor) {
  if constexpr (std::is_same_v<T, std::string>) {
    return tensor.data<std::string>();
  } else {
    return {reinterpret_cast<const T*>(tensor.bytes().data()), static_cast<std::size_t>(tensor.size())};
  }
}

template <typename T>
std::span<T> mutable_stored(Tensor& tensor) {
  if constexpr (std::is_same_v<T, std::string>) {
    return tensor.mutable_data<std::string>();
  } else {
    return {reinterpret_cast<T*>(tensor.mutable_bytes().data()), static_cast<std::size_t>(tensor.size())};
  }
}

/// 4-bit elements as 8-bit ones of the same sign; other tensors as they are.
inline Tensor unpacked(const Tensor& tensor) {
  if (tensor.dtype() == DType::S4) return converted(tensor, DType::S8);
  if (tensor.dtype() == DType::U4) return converted(tensor, DType::U8);
  return tensor;
}

/// The tensor in the dtype it had before unpacked().
inline Tensor repacked(const Tensor& tensor, DType dtype) {
  return tensor.dtype() == dtype ? tensor : converted(tensor, dtype);
}

}  // namespace adze::reference::detail
