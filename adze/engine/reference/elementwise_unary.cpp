#include <algorithm>
#include <cmath>

#include "adze/engine/reference/detail/elementwise.h"

namespace adze::reference::detail {

namespace {

template <double (*f)(double)>
void run_math(Context& context) {
  map_floats(context, f);
}

/// f for each compute type of input 0, integers included.
template <typename F>
void map_numbers(Context& context, F f) {
  const Tensor& input = context.input(0);
  if (input.dtype() == DType::Bool) refuse_dtype(input.dtype());
  visit_compute(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    std::vector<C> elements = load<C>(input);
    for (C& element : elements) element = f(element);
    context.set(0, store<C>(input.dtype(), input.shape(), elements));
  });
}

/// Minus x; integers wrap.
template <typename C>
C negative(C x) {
  if constexpr (std::is_floating_point_v<C>) {
    return -x;
  } else {
    return static_cast<C>(0u - static_cast<std::uint64_t>(x));
  }
}

void run_abs(Context& context) {
  map_numbers(context, [](auto x) {
    if constexpr (std::is_floating_point_v<decltype(x)>) {
      return std::abs(x);
    } else {
      return x < decltype(x)(0) ? negative(x) : x;
    }
  });
}

void run_neg(Context& context) {
  const DType dtype = context.input(0).dtype();
  if (is_integer(dtype) && !is_signed_integer(dtype)) refuse_dtype(dtype);
  map_numbers(context, [](auto x) { return negative(x); });
}

void run_sign(Context& context) {
  map_numbers(context, [](auto x) {
    using C = decltype(x);
    if (x != x) return x;
    return static_cast<C>(static_cast<int>(x > C(0)) - static_cast<int>(x < C(0)));
  });
}

void run_relu(Context& context) {
  map_numbers(context, [](auto x) { return x < decltype(x)(0) ? decltype(x)(0) : x; });  // NaN stays NaN
}

/// min(max(x, low), high): NaN stays, and high wins when the bounds cross.
void run_clip(Context& context) {
  const Tensor& input = context.input(0);
  const auto bound = [&](std::size_t i) -> const Tensor* {
    const Tensor* tensor = context.optional_input(i);
    if (tensor == nullptr) return nullptr;
    require_same_dtype(input, *tensor);
    if (tensor->size() != 1)
      throw ModelError(cat("input ", i, " must be a scalar, found ", shape_text(tensor->shape())));
    return tensor;
  };
  const Tensor* low = bound(1);
  const Tensor* high = bound(2);
  visit_compute(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    std::vector<C> elements = load<C>(input);
    if (low != nullptr) {
      const C least = load<C>(*low)[0];
      for (C& x : elements) x = x < least || least != least ? least : x;
    }
    if (high != nullptr) {
      const C most = load<C>(*high)[0];
      for (C& x : elements) x = x > most || most != most ? most : x;
    }
    context.set(0, store<C>(input.dtype(), input.shape(), elements));
  });
}

constexpr KernelEntry table[] = {
    {OpKind::Abs, run_abs},
    {OpKind::Acos, run_math<std::acos>},
    {OpKind::Acosh, run_math<std::acosh>},
    {OpKind::Asin, run_math<std::asin>},
    {OpKind::Asinh, run_math<std::asinh>},
    {OpKind::Atan, run_math<std::atan>},
    {OpKind::Atanh, run_math<std::atanh>},
    {OpKind::Ceil, run_math<std::ceil>},
    {OpKind::Clip, run_clip},
    {OpKind::Cos, run_math<std::cos>},
    {OpKind::Cosh, run_math<std::cosh>},
    {OpKind::Erf, run_math<std::erf>},
    {OpKind::Exp, run_math<std::exp>},
    {OpKind::Floor, run_math<std::floor>},
    {OpKind::Log, run_math<std::log>},
    {OpKind::Neg, run_neg},
    {OpKind::Reciprocal, run_math<[](double x) { return 1 / x; }>},
    {OpKind::Relu, run_relu},
    {OpKind::Round, run_math<std::nearbyint>},  // ties to even in the default rounding mode
    {OpKind::Sign, run_sign},
    {OpKind::Sin, run_math<std::sin>},
    {OpKind::Sinh, run_math<std::sinh>},
    {OpKind::Sqrt, run_math<std::sqrt>},
    {OpKind::Tan, run_math<std::tan>},
    {OpKind::Tanh, run_math<std::tanh>},
};

}  // namespace

std::span<const KernelEntry> unary_kernels() {
  return table;
}

}  // namespace adze::reference::detail
