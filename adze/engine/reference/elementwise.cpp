#include "adze/engine/reference/detail/elementwise.h"

namespace adze::reference {

namespace detail {

void map_floats(Context& context, const std::function<double(double)>& f) {
  const Tensor& input = context.input(0);
  if (!is_float(input.dtype())) refuse_dtype(input.dtype());
  std::vector<double> elements = load<double>(input);
  for (double& element : elements) element = f(element);
  context.set(0, store(input.dtype(), input.shape(), elements));
}

void map_arithmetic(Context& context, const Arithmetic& functions) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  require_same_dtype(a, b);
  const Shape shape = broadcast_shapes(a.shape(), b.shape());
  if (a.dtype() == DType::Bool) refuse_dtype(a.dtype());
  visit_compute(a.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const auto f = functions.of<C>();
    if (f == nullptr) refuse_dtype(a.dtype());
    context.set(0, store<C>(a.dtype(), shape, map_pairs<C, C>(a.shape(), load<C>(a), b.shape(), load<C>(b), shape, f)));
  });
}

Tensor compare(const Tensor& a, const Tensor& b, const Comparison& functions) {
  require_same_dtype(a, b);
  const Shape shape = broadcast_shapes(a.shape(), b.shape());
  return visit_compute(a.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    const auto f = functions.of<C>();
    return store<std::int64_t>(DType::Bool, shape,
                               map_pairs<C, std::int64_t>(a.shape(), load<C>(a), b.shape(), load<C>(b), shape, f));
  });
}

}  // namespace detail

std::span<const KernelEntry> elementwise_kernels() {
  static const auto table = [] {
    std::vector<KernelEntry> all;
    for (const auto part : {detail::unary_kernels(), detail::activation_kernels(), detail::arithmetic_kernels(),
                            detail::logic_kernels(), detail::cast_kernels()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return table;
}

}  // namespace adze::reference
