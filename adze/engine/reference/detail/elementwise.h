#pragma once

#include <functional>
#include <span>

#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/detail/strided.h"
#include "adze/engine/reference/reference.h"

namespace adze::reference::detail {

/// A function of two elements in each compute type; null where the operator has no meaning for that kind of number.
template <typename R1, typename R2, typename R3>
struct BinaryFunctions {
  R1 (*of_double)(double, double) = nullptr;
  R2 (*of_signed)(std::int64_t, std::int64_t) = nullptr;
  R3 (*of_unsigned)(std::uint64_t, std::uint64_t) = nullptr;

  template <typename C>
  auto of() const {
    if constexpr (std::is_same_v<C, double>) {
      return of_double;
    } else if constexpr (std::is_same_v<C, std::int64_t>) {
      return of_signed;
    } else {
      return of_unsigned;
    }
  }
};

/// Arithmetic gives elements of the same kind.
using Arithmetic = BinaryFunctions<double, std::int64_t, std::uint64_t>;
/// Comparisons give truth.
using Comparison = BinaryFunctions<bool, bool, bool>;

/// f of each pair of elements after broadcasting, in row-major order of the broadcast shape.
template <typename C, typename R, typename F>
std::vector<R> map_pairs(const Shape& a_shape, const std::vector<C>& a, const Shape& b_shape, const std::vector<C>& b,
                         const Shape& shape, F f) {
  std::vector<R> out(count_to_compute(shape));
  if (a_shape == b_shape) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = f(a[i], b[i]);
    return out;
  }
  StridedWalk<2> walk(shape, {broadcast_strides(a_shape, shape), broadcast_strides(b_shape, shape)});
  for (R& element : out) {
    element = f(a[static_cast<std::size_t>(walk.offset(0))], b[static_cast<std::size_t>(walk.offset(1))]);
    walk.next();
  }
  return out;
}

/// Throws ModelError unless both inputs have one dtype.
inline void require_same_dtype(const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype()) return;
  throw ModelError(cat("inputs have different types, ", dtype_name(a.dtype()), " and ", dtype_name(b.dtype())));
}

[[noreturn]] inline void refuse_dtype(DType dtype) {
  throw ModelError(cat("is not defined for elements of type ", dtype_name(dtype)));
}

/// Sets output 0 to f of each element of input 0, which must be of a float type.
void map_floats(Context& context, const std::function<double(double)>& f);
/// Sets output 0 to the arithmetic of two broadcast inputs of one dtype.
void map_arithmetic(Context& context, const Arithmetic& functions);
/// The bool tensor of a comparison of two broadcast tensors of one dtype; strings are not for this.
Tensor compare(const Tensor& a, const Tensor& b, const Comparison& functions);

// Parts of the elementwise table, by topic.
std::span<const KernelEntry> unary_kernels();
std::span<const KernelEntry> activation_kernels();
std::span<const KernelEntry> arithmetic_kernels();
std::span<const KernelEntry> logic_kernels();
std::span<const KernelEntry> cast_kernels();

}  // namespace adze::reference::detail
