#include <cmath>

#include "adze/engine/reference/detail/elementwise.h"
#include "adze/engine/reference/detail/storage.h"

namespace adze::reference::detail {

namespace {

void run_less(Context& context) {
  constexpr auto f = [](auto a, auto b) { return a < b; };
  context.set(0, compare(context.input(0), context.input(1), {f, f, f}));
}

void run_less_or_equal(Context& context) {
  constexpr auto f = [](auto a, auto b) { return a <= b; };
  context.set(0, compare(context.input(0), context.input(1), {f, f, f}));
}

void run_greater(Context& context) {
  constexpr auto f = [](auto a, auto b) { return a > b; };
  context.set(0, compare(context.input(0), context.input(1), {f, f, f}));
}

void run_greater_or_equal(Context& context) {
  constexpr auto f = [](auto a, auto b) { return a >= b; };
  context.set(0, compare(context.input(0), context.input(1), {f, f, f}));
}

void run_equal(Context& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  if (a.dtype() != DType::String || b.dtype() != DType::String) {
    constexpr auto f = [](auto x, auto y) { return x == y; };
    return context.set(0, compare(a, b, {f, f, f}));
  }
  const Shape shape = broadcast_shapes(a.shape(), b.shape());
  Tensor result(DType::Bool, shape);
  const auto x = a.data<std::string>(), y = b.data<std::string>();
  StridedWalk<2> walk(shape, {broadcast_strides(a.shape(), shape), broadcast_strides(b.shape(), shape)});
  for (bool& element : result.mutable_data<bool>()) {
    element = x[static_cast<std::size_t>(walk.offset(0))] == y[static_cast<std::size_t>(walk.offset(1))];
    walk.next();
  }
  context.set(0, result);
}

/// f of two broadcast bool inputs.
void map_bools(Context& context, bool (*f)(std::int64_t, std::int64_t)) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (context.input(i).dtype() != DType::Bool) refuse_dtype(context.input(i).dtype());
  }
  context.set(0, compare(context.input(0), context.input(1), {nullptr, f, nullptr}));
}

void run_and(Context& context) {
  map_bools(context, [](std::int64_t a, std::int64_t b) { return (a & b) != 0; });
}
void run_or(Context& context) {
  map_bools(context, [](std::int64_t a, std::int64_t b) { return (a | b) != 0; });
}
void run_xor(Context& context) {
  map_bools(context, [](std::int64_t a, std::int64_t b) { return a != b; });
}

void run_not(Context& context) {
  const Tensor& input = context.input(0);
  if (input.dtype() != DType::Bool) refuse_dtype(input.dtype());
  Tensor result = input;
  for (bool& element : result.mutable_data<bool>()) element = !element;
  context.set(0, result);
}

template <typename F>
void map_bits(Context& context, F f) {
  map_arithmetic(context, {nullptr, f, f});
}

void run_bitwise_and(Context& context) {
  map_bits(context, [](auto a, auto b) { return a & b; });
}
void run_bitwise_or(Context& context) {
  map_bits(context, [](auto a, auto b) { return a | b; });
}
void run_bitwise_xor(Context& context) {
  map_bits(context, [](auto a, auto b) { return a ^ b; });
}

void run_bitwise_not(Context& context) {
  const Tensor& input = context.input(0);
  if (!is_integer(input.dtype())) refuse_dtype(input.dtype());
  std::vector<std::uint64_t> elements = load<std::uint64_t>(input);
  for (std::uint64_t& element : elements) element = ~element;
  context.set(0, store(input.dtype(), input.shape(), elements));
}

/// Unsigned integers only. Shifting by the width or more gives zero.
void run_bit_shift(Context& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  require_same_dtype(a, b);
  if (!is_integer(a.dtype()) || is_signed_integer(a.dtype())) refuse_dtype(a.dtype());
  const std::string direction = context.node().get_string("direction");
  if (direction != "LEFT" && direction != "RIGHT") {
    throw ModelError(cat("attribute direction is ", quoted(direction), ", expected LEFT or RIGHT"));
  }
  const Shape shape = broadcast_shapes(a.shape(), b.shape());
  const auto shift = [&](std::uint64_t x, std::uint64_t by) -> std::uint64_t {
    if (by >= 64) return 0;
    return direction == "LEFT" ? x << by : x >> by;
  };
  using U = std::uint64_t;
  context.set(0, store(a.dtype(), shape, map_pairs<U, U>(a.shape(), load<U>(a), b.shape(), load<U>(b), shape, shift)));
}

/// A bool tensor of f over the float elements of input 0.
template <typename F>
void test_floats(Context& context, F f) {
  const Tensor& input = context.input(0);
  if (!is_float(input.dtype())) refuse_dtype(input.dtype());
  const std::vector<double> elements = load<double>(input);
  Tensor result(DType::Bool, input.shape());
  const auto out = result.mutable_data<bool>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = f(elements[i]);
  context.set(0, result);
}

void run_is_nan(Context& context) {
  test_floats(context, [](double x) { return std::isnan(x); });
}

void run_is_inf(Context& context) {
  const bool negative = context.node().get_int("detect_negative") != 0;
  const bool positive = context.node().get_int("detect_positive") != 0;
  test_floats(context, [=](double x) { return std::isinf(x) && (x > 0 ? positive : negative); });
}

void run_where(Context& context) {
  const Tensor& condition = context.input(0);
  if (condition.dtype() != DType::Bool) {
    throw ModelError(cat("the condition must be bool, found ", dtype_name(condition.dtype())));
  }
  require_same_dtype(context.input(1), context.input(2));
  const Tensor yes = unpacked(context.input(1));
  const Tensor no = unpacked(context.input(2));
  const Shape shape = broadcast_shapes(condition.shape(), broadcast_shapes(yes.shape(), no.shape()));
  Tensor result(yes.dtype(), shape);
  visit_storage(yes.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto choose = condition.data<bool>();
    const auto a = stored<T>(yes), b = stored<T>(no);
    StridedWalk<3> walk(shape, {broadcast_strides(condition.shape(), shape), broadcast_strides(yes.shape(), shape),
                                broadcast_strides(no.shape(), shape)});
    for (T& element : mutable_stored<T>(result)) {
      element = choose[static_cast<std::size_t>(walk.offset(0))] ? a[static_cast<std::size_t>(walk.offset(1))]
                                                                 : b[static_cast<std::size_t>(walk.offset(2))];
      walk.next();
    }
  });
  context.set(0, repacked(result, context.input(1).dtype()));
}

constexpr KernelEntry table[] = {
    {OpKind::And, run_and},
    {OpKind::BitShift, run_bit_shift},
    {OpKind::BitwiseAnd, run_bitwise_and},
    {OpKind::BitwiseNot, run_bitwise_not},
    {OpKind::BitwiseOr, run_bitwise_or},
    {OpKind::BitwiseXor, run_bitwise_xor},
    {OpKind::Equal, run_equal},
    {OpKind::Greater, run_greater},
    {OpKind::GreaterOrEqual, run_greater_or_equal},
    {OpKind::IsInf, run_is_inf},
    {OpKind::IsNaN, run_is_nan},
    {OpKind::Less, run_less},
    {OpKind::LessOrEqual, run_less_or_equal},
    {OpKind::Not, run_not},
    {OpKind::Or, run_or},
    {OpKind::Where, run_where},
    {OpKind::Xor, run_xor},
};

}  // namespace

std::span<const KernelEntry> logic_kernels() {
  return table;
}

}  // namespace adze::reference::detail
