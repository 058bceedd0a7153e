#include <cmath>
#include <numbers>

#include "adze/engine/reference/detail/elementwise.h"

namespace adze::reference::detail {

namespace {

double softplus(double x) {
  return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x)));
}

double clamp_to_unit(double x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

void run_celu(Context& context) {
  const double alpha = context.node().get_float("alpha");
  map_floats(context, [=](double x) { return x < 0 ? alpha * std::expm1(x / alpha) : x; });
}

void run_elu(Context& context) {
  const double alpha = context.node().get_float("alpha");
  map_floats(context, [=](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
}

void run_selu(Context& context) {
  const double alpha = context.node().get_float("alpha");
  const double gamma = context.node().get_float("gamma");
  map_floats(context, [=](double x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); });
}

void run_gelu(Context& context) {
  const std::string approximate = context.node().get_string("approximate");
  if (approximate == "none") {
    // erfc keeps the digits of the negative tail that 1 + erf would cancel.
    map_floats(context, [](double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); });
  } else if (approximate == "tanh") {
    const double scale = std::sqrt(2 / std::numbers::pi);
    map_floats(context, [=](double x) { return 0.5 * x * (1 + std::tanh(scale * (x + 0.044715 * x * x * x))); });
  } else {
    throw ModelError(cat("attribute approximate is ", quoted(approximate), ", expected none or tanh"));
  }
}

void run_hard_sigmoid(Context& context) {
  const double alpha = context.node().get_float("alpha");
  const double beta = context.node().get_float("beta");
  map_floats(context, [=](double x) { return clamp_to_unit(alpha * x + beta); });
}

void run_hard_swish(Context& context) {
  map_floats(context, [](double x) { return x * clamp_to_unit(x / 6 + 0.5); });
}

void run_leaky_relu(Context& context) {
  const double alpha = context.node().get_float("alpha");
  map_floats(context, [=](double x) { return x < 0 ? alpha * x : x; });
}

void run_mish(Context& context) {
  map_floats(context, [](double x) { return x * std::tanh(softplus(x)); });
}

void run_shrink(Context& context) {
  const double bias = context.node().get_float("bias");
  const double lambd = context.node().get_float("lambd");
  const auto shrink = [=](double x) { return x < -lambd ? x + bias : x > lambd ? x - bias : x != x ? x : 0.0; };
  const Tensor& input = context.input(0);
  if (is_float(input.dtype())) return map_floats(context, shrink);
  if (!is_integer(input.dtype())) refuse_dtype(input.dtype());
  std::vector<double> elements = load<double>(input);
  for (double& x : elements) x = shrink(x);
  context.set(0, converted(store(DType::F64, input.shape(), elements), input.dtype()));
}

void run_sigmoid(Context& context) {
  map_floats(context, [](double x) { return 1 / (1 + std::exp(-x)); });
}

void run_softplus(Context& context) {
  map_floats(context, softplus);
}

void run_softsign(Context& context) {
  map_floats(context, [](double x) { return x / (1 + std::abs(x)); });
}

void run_thresholded_relu(Context& context) {
  const double alpha = context.node().get_float("alpha");
  map_floats(context, [=](double x) { return x <= alpha ? 0 : x; });
}

constexpr KernelEntry table[] = {
    {OpKind::Celu, run_celu},
    {OpKind::Elu, run_elu},
    {OpKind::Gelu, run_gelu},
    {OpKind::HardSigmoid, run_hard_sigmoid},
    {OpKind::HardSwish, run_hard_swish},
    {OpKind::LeakyRelu, run_leaky_relu},
    {OpKind::Mish, run_mish},
    {OpKind::Selu, run_selu},
    {OpKind::Shrink, run_shrink},
    {OpKind::Sigmoid, run_sigmoid},
    {OpKind::Softplus, run_softplus},
    {OpKind::Softsign, run_softsign},
    {OpKind::ThresholdedRelu, run_thresholded_relu},
};

}  // namespace

std::span<const KernelEntry> activation_kernels() {
  return table;
}

}  // namespace adze::reference::detail
