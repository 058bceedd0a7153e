// Functions of one 8-bit number become tables of 256 entries, of a 16-bit number 512 straight pieces.
#include <algorithm>
#include <cmath>
#include <functional>

#include "adze/numerics/activation_tables.h"
#include "adze/numerics/quantized_s16.h"
#include "adze/plan/lowering.h"

namespace adze::lowering {

namespace {

using Function = std::function<double(double)>;

double erf_gelu(double x) {
  return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
}

double tanh_gelu(double x) {
  constexpr double root = 0.7978845608028654;  // sqrt(2 / pi)
  return 0.5 * x * (1.0 + std::tanh(root * (x + 0.044715 * x * x * x)));
}

/// The operator as a function of one real number, or nothing.
Function function_of(const Node& node) {
  const auto number = [&](const char* attribute) { return static_cast<double>(node.get_float(attribute)); };
  switch (node.kind) {
    case OpKind::Abs:
      return [](double x) { return std::abs(x); };
    case OpKind::Ceil:
      return [](double x) { return std::ceil(x); };
    case OpKind::Cos:
      return [](double x) { return std::cos(x); };
    case OpKind::Elu:
      return [a = number("alpha")](double x) { return x < 0 ? a * std::expm1(x) : x; };
    case OpKind::Erf:
      return [](double x) { return std::erf(x); };
    case OpKind::Exp:
      return [](double x) { return std::exp(x); };
    case OpKind::Floor:
      return [](double x) { return std::floor(x); };
    case OpKind::Gelu:
      return node.get_string("approximate") == "tanh" ? tanh_gelu : erf_gelu;
    case OpKind::HardSigmoid:
      return [a = number("alpha"), b = number("beta")](double x) { return std::clamp(a * x + b, 0.0, 1.0); };
    case OpKind::HardSwish:
      return [](double x) { return x * std::clamp(x / 6.0 + 0.5, 0.0, 1.0); };
    case OpKind::LeakyRelu:
      return [a = number("alpha")](double x) { return x < 0 ? a * x : x; };
    case OpKind::Log:
      return [](double x) { return std::log(x); };
    case OpKind::Mish:
      return [](double x) { return x * std::tanh(std::log1p(std::exp(x))); };
    case OpKind::Neg:
      return [](double x) { return -x; };
    case OpKind::Reciprocal:
      return [](double x) { return 1.0 / x; };
    case OpKind::Round:
      return [](double x) { return std::nearbyint(x); };
    case OpKind::Selu:
      return [a = number("alpha"), g = number("gamma")](double x) { return g * (x < 0 ? a * std::expm1(x) : x); };
    case OpKind::Sigmoid:
      return [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
    case OpKind::Sign:
      return [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; };
    case OpKind::Sin:
      return [](double x) { return std::sin(x); };
    case OpKind::Softplus:
      return [](double x) { return std::log1p(std::exp(x)); };
    case OpKind::Softsign:
      return [](double x) { return x / (1.0 + std::abs(x)); };
    case OpKind::Sqrt:
      return [](double x) { return std::sqrt(x); };
    case OpKind::Tanh:
      return [](double x) { return std::tanh(x); };
    default:
      return nullptr;
  }
}

/// The table as TFLite-Micro's fixed-point kernels give it, for the operators that have one.
std::optional<ActivationTable> fixed_table(const Group& group, const Node& node, const Affine& x) {
  switch (node.kind) {
    case OpKind::Sigmoid:
      return fixed_sigmoid_table(x, group.y);
    case OpKind::Tanh:
      return fixed_tanh_table(x, group.y);
    case OpKind::HardSwish:
      return fixed_hard_swish_table(x, group.y);
    case OpKind::LeakyRelu:
      return fixed_leaky_relu_table(x, group.y, node.get_float("alpha"));
    default:
      return std::nullopt;
  }
}

/// The constant with the 513 ends of the pieces.
ValueId pieces(Lowering& lowering, const Group& group, const std::string& name, const Quantized& x,
               const Function& function) {
  const auto scale = static_cast<double>(x.scales[0]);
  const InterpolatedTable entries = interpolated_table(
      function, -32768.0 * scale, 128.0 * scale, 1.0 / static_cast<double>(group.y.scale), group.y.min, group.y.max);
  Tensor table(DType::S16, {513});
  std::ranges::copy(entries, table.mutable_data<std::int16_t>().begin());
  Graph& graph = lowering.graph();
  return graph.add_constant(graph.unique_name(name + "/table"), std::move(table));
}

}  // namespace

bool lower_table(Lowering& lowering, const Group& group) {
  const Node node = lowering.graph().node(group.op);
  const Function function = function_of(node);
  if (!function) return false;
  const auto x = lowering.activation(node.input(0));
  if (!x || !group.as_wide_as(*x)) return false;
  if (x->sixteen_bits()) {
    lowering.replace(group, OpKind::QTable, {x->stored, pieces(lowering, group, node.name, *x, function)}, {});
    return true;
  }
  Affine input = x->affine();
  input.min = static_cast<std::int32_t>(integer_min(x->dtype));
  input.max = static_cast<std::int32_t>(integer_max(x->dtype));
  std::optional<ActivationTable> entries;
  if (group.profile == RoundingProfile::Tflm) entries = fixed_table(group, node, input);
  if (!entries) entries = rounded_table(group.profile, input, group.y, function);
  Tensor table(group.y_dtype, {256});
  for (std::int64_t i = 0; i < 256; ++i) table.set_int(i, (*entries)[static_cast<std::size_t>(i)]);
  Graph& graph = lowering.graph();
  const ValueId constant = graph.add_constant(graph.unique_name(node.name + "/table"), std::move(table));
  lowering.replace(group, OpKind::QTable, {x->stored, constant}, {});
  return true;
}

}  // namespace adze::lowering
