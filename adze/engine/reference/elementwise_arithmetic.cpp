#include <cmath>
#include <limits>

#include "adze/engine/reference/detail/elementwise.h"

namespace adze::reference::detail {

namespace {

// Integer sums, differences and products wrap: computed as unsigned, they have the same low bits.
template <typename C>
C add(C a, C b) {
  if constexpr (std::is_floating_point_v<C>)
    return a + b;
  else
    return static_cast<C>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

template <typename C>
C subtract(C a, C b) {
  if constexpr (std::is_floating_point_v<C>)
    return a - b;
  else
    return static_cast<C>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

template <typename C>
C multiply(C a, C b) {
  if constexpr (std::is_floating_point_v<C>)
    return a * b;
  else
    return static_cast<C>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

/// Integers truncate towards zero; the lowest one divided by -1 wraps to itself.
template <typename C>
C divide(C a, C b) {
  if constexpr (!std::is_floating_point_v<C>) {
    if (b == 0) throw ModelError("integer division by zero");
    if (std::is_signed_v<C> && b == static_cast<C>(-1)) return subtract<C>(0, a);
  }
  return a / b;
}

/// The remainder with the sign of a, as C's % and fmod.
template <typename C>
C truncated_remainder(C a, C b) {
  if constexpr (std::is_floating_point_v<C>) {
    return std::fmod(a, b);
  } else {
    if (b == 0) throw ModelError("integer remainder by zero");
    if (std::is_signed_v<C> && b == static_cast<C>(-1)) return 0;
    return a % b;
  }
}

/// The remainder with the sign of b, as Python's %.
template <typename C>
C floored_remainder(C a, C b) {
  const C rest = truncated_remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/// NaN wins, as in NumPy.
template <typename C>
C larger(C a, C b) {
  return a > b || a != a ? a : b;
}

template <typename C>
C smaller(C a, C b) {
  return a < b || a != a ? a : b;
}

void run_add(Context& context) {
  map_arithmetic(context, {add<double>, add<std::int64_t>, add<std::uint64_t>});
}
void run_sub(Context& context) {
  map_arithmetic(context, {subtract<double>, subtract<std::int64_t>, subtract<std::uint64_t>});
}
void run_mul(Context& context) {
  map_arithmetic(context, {multiply<double>, multiply<std::int64_t>, multiply<std::uint64_t>});
}
void run_div(Context& context) {
  map_arithmetic(context, {divide<double>, divide<std::int64_t>, divide<std::uint64_t>});
}

void run_mod(Context& context) {
  if (context.node().get_int("fmod") != 0)
    return map_arithmetic(
        context, {truncated_remainder<double>, truncated_remainder<std::int64_t>, truncated_remainder<std::uint64_t>});
  const DType dtype = context.input(0).dtype();
  if (is_float(dtype)) throw ModelError("floats need fmod=1");
  map_arithmetic(context, {nullptr, floored_remainder<std::int64_t>, floored_remainder<std::uint64_t>});
}

/// All inputs broadcast to one shape and folded from the left in the compute type.
void fold_inputs(Context& context, const Arithmetic& functions, double divisor = 1) {
  const Tensor& first = context.input(0);
  Shape shape = first.shape();
  for (std::size_t i = 1; i < context.num_inputs(); ++i) {
    require_same_dtype(first, context.input(i));
    shape = broadcast_shapes(shape, context.input(i).shape());
  }
  visit_compute(first.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const auto f = functions.of<C>();
    if (f == nullptr) refuse_dtype(first.dtype());
    const auto copy = [](C, C b) { return b; };
    const std::vector<C> zero(1);
    std::vector<C> result = map_pairs<C, C>({}, zero, first.shape(), load<C>(first), shape, copy);
    for (std::size_t i = 1; i < context.num_inputs(); ++i) {
      const Tensor& next = context.input(i);
      result = map_pairs<C, C>(shape, result, next.shape(), load<C>(next), shape, f);
    }
    if constexpr (std::is_same_v<C, double>) {
      for (C& element : result) element /= divisor;
    }
    context.set(0, store<C>(first.dtype(), shape, result));
  });
}

void run_max(Context& context) {
  fold_inputs(context, {larger<double>, larger<std::int64_t>, larger<std::uint64_t>});
}
void run_min(Context& context) {
  fold_inputs(context, {smaller<double>, smaller<std::int64_t>, smaller<std::uint64_t>});
}
void run_sum(Context& context) {
  fold_inputs(context, {add<double>, nullptr, nullptr});
}
void run_mean(Context& context) {
  fold_inputs(context, {add<double>, nullptr, nullptr}, static_cast<double>(context.num_inputs()));
}

/// Slope is broadcast to the input, never the other way round.
void run_prelu(Context& context) {
  const Tensor& input = context.input(0);
  const Tensor& slope = context.input(1);
  if (broadcast_shapes(input.shape(), slope.shape()) != input.shape()) {
    throw ModelError(cat("slope ", shape_text(slope.shape()), " does not broadcast to ", shape_text(input.shape())));
  }
  constexpr auto f = [](auto x, auto a) { return x < decltype(x)(0) ? multiply(x, a) : x; };
  map_arithmetic(context, {f, f, f});
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) throw ModelError("integer zero to a negative power");
    if (base == 1) return 1;
    if (base == -1) return exponent % 2 == 0 ? 1 : -1;
    return 0;
  }
  std::int64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

/// The result has the dtype of the base. Integers to integer powers are exact, modulo wrapping.
void run_pow(Context& context) {
  const Tensor& base = context.input(0);
  const Tensor& exponent = context.input(1);
  const Shape shape = broadcast_shapes(base.shape(), exponent.shape());
  if (is_integer(base.dtype()) && is_integer(exponent.dtype())) {
    const auto result = map_pairs<std::int64_t, std::int64_t>(base.shape(), load<std::int64_t>(base), exponent.shape(),
                                                              load<std::int64_t>(exponent), shape, integer_power);
    return context.set(0, store(base.dtype(), shape, result));
  }
  if (base.dtype() == DType::Bool || exponent.dtype() == DType::Bool) refuse_dtype(DType::Bool);
  const auto result =
      map_pairs<double, double>(base.shape(), load<double>(base), exponent.shape(), load<double>(exponent), shape,
                                [](double x, double y) { return std::pow(x, y); });
  if (is_float(base.dtype())) return context.set(0, store(base.dtype(), shape, result));
  context.set(0, converted(store(DType::F64, shape, result), base.dtype()));
}

constexpr KernelEntry table[] = {
    {OpKind::Add, run_add}, {OpKind::Div, run_div}, {OpKind::Max, run_max}, {OpKind::Mean, run_mean},
    {OpKind::Min, run_min}, {OpKind::Mod, run_mod}, {OpKind::Mul, run_mul}, {OpKind::PRelu, run_prelu},
    {OpKind::Pow, run_pow}, {OpKind::Sub, run_sub}, {OpKind::Sum, run_sum},
};

}  // namespace

std::span<const KernelEntry> arithmetic_kernels() {
  return table;
}

}  // namespace adze::reference::detail
