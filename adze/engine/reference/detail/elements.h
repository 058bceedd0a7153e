#pragma once

#include <cstdint>
#include <vector>

#include "adze/base/text.h"
#include "adze/numerics/tensor.h"

namespace adze::reference::detail {

/// Calls f(TypeTag<C>{}) with the type that elements of dtype are computed in: double for floats, uint64 for u64, int64
/// for every other integer and for bool. All of them hold their elements exactly.
template <typename F>
decltype(auto) visit_compute(DType dtype, F&& f) {
  if (is_float(dtype)) return f(TypeTag<double>{});
  if (dtype == DType::U64) return f(TypeTag<std::uint64_t>{});
  if (is_integer(dtype) || dtype == DType::Bool) return f(TypeTag<std::int64_t>{});
  throw ModelError(cat("no arithmetic on elements of type ", dtype_name(dtype)));
}

/// All elements as C: double, int64 or uint64. Floats load as double only; every integer loads as any of them.
template <typename C>
std::vector<C> load(const Tensor& tensor);

/// A tensor of these elements. Doubles round to nearest even once, integers wrap, bools are "not zero".
/// Doubles are stored as floats only.
template <typename C>
Tensor store(DType dtype, Shape shape, const std::vector<C>& elements);

/// The number of elements of shape. Throws LimitError when computing them would take more memory than a tensor may.
std::size_t count_to_compute(const Shape& shape);

/// The float that, rounded once more to a format of at most 16 bits, gives what value rounds to in one step.
float narrow_to_odd(double value);

}  // namespace adze::reference::detail
