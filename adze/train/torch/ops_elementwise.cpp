#include <ATen/ATen.h>

#include "adze/base/text.h"
#include "adze/train/torch/op_call.h"
#include "adze/train/torch/tensors.h"

namespace adze::train {

namespace {

using at::Tensor;

template <typename Combine>
void fold(OpCall& call, Combine combine) {
  Tensor result = call.in(0);
  for (std::size_t i = 1; i < call.num_inputs(); ++i) result = combine(result, call.in(i));
  call.set(result);
}

void cast(OpCall& call) {
  const auto to = scalar_type(static_cast<DType>(call.node.get_int("to")));
  if (!to) throw UnsupportedError("training has no tensors of the type that this Cast makes");
  call.set(call.in(0).to(*to));
}

/// A real division, or one that drops the remainder for integers.
void divide(OpCall& call) {
  const Tensor &a = call.in(0), &b = call.in(1);
  call.set(at::isFloatingType(a.scalar_type()) ? at::div(a, b) : at::div(a, b, "trunc"));
}

void modulo(OpCall& call) {
  call.set(call.node.get_int("fmod") != 0 ? at::fmod(call.in(0), call.in(1)) : at::remainder(call.in(0), call.in(1)));
}

void clip(OpCall& call) {
  const c10::optional<Tensor> low = call.has(1) ? c10::optional<Tensor>(call.in(1)) : c10::nullopt;
  const c10::optional<Tensor> high = call.has(2) ? c10::optional<Tensor>(call.in(2)) : c10::nullopt;
  if (!low && !high) return call.set(call.in(0));
  const auto number = [](const c10::optional<Tensor>& bound) {
    const bool is_constant = bound && bound->numel() == 1 && !bound->requires_grad();
    return is_constant ? c10::optional<at::Scalar>(bound->item()) : c10::nullopt;
  };
  const c10::optional<at::Scalar> lowest = number(low), highest = number(high);
  if (lowest && highest && at::isFloatingType(call.in(0).scalar_type())) {
    return call.set(at::hardtanh(call.in(0), *lowest, *highest));  // its gradient takes one pass instead of five
  }
  call.set(at::clamp(call.in(0), low, high));
}

/// A function of one attribute, alpha.
template <typename Function>
void with_alpha(OpCall& call, Function function) {
  call.set(function(call.in(0), call.node.get_float("alpha")));
}

void selu(OpCall& call) {
  const double alpha = call.node.get_float("alpha"), gamma = call.node.get_float("gamma");
  const Tensor& x = call.in(0);
  call.set(gamma * at::where(x > 0, x, alpha * at::expm1(at::clamp_max(x, 0))));
}

void celu(OpCall& call) {
  const double alpha = call.node.get_float("alpha");
  const Tensor& x = call.in(0);
  call.set(at::clamp_min(x, 0) + alpha * at::expm1(at::clamp_max(x, 0) / alpha));
}

void elu(OpCall& call) {
  with_alpha(call,
             [](const Tensor& x, double alpha) { return at::where(x > 0, x, alpha * at::expm1(at::clamp_max(x, 0))); });
}

void hard_sigmoid(OpCall& call) {
  with_alpha(call, [&](const Tensor& x, double alpha) {
    return at::clamp(x * alpha + static_cast<double>(call.node.get_float("beta")), 0, 1);
  });
}

void prelu(OpCall& call) {
  const Tensor& x = call.in(0);
  call.set(at::where(x < 0, x * call.in(1), x));
}

void shrink(OpCall& call) {
  const double bias = call.node.get_float("bias"), limit = call.node.get_float("lambd");
  const Tensor& x = call.in(0);
  call.set(at::where(x < -limit, x + bias, at::where(x > limit, x - bias, at::zeros_like(x))));
}

void is_inf(OpCall& call) {
  const Tensor& x = call.in(0);
  Tensor result = at::zeros_like(x, at::kBool);
  if (call.node.get_int("detect_positive") != 0) result = result.logical_or(at::isposinf(x));
  if (call.node.get_int("detect_negative") != 0) result = result.logical_or(at::isneginf(x));
  call.set(result);
}

template <Tensor (*function)(const Tensor&)>
void unary(OpCall& call) {
  call.set(function(call.in(0)));
}

template <Tensor (*function)(const Tensor&, const Tensor&)>
void binary(OpCall& call) {
  call.set(function(call.in(0), call.in(1)));
}

}  // namespace

std::span<const OpEntry> elementwise_ops() {
  static const OpEntry entries[] = {
      {OpKind::Abs, unary<at::abs>},
      {OpKind::Acos, unary<at::acos>},
      {OpKind::Acosh, unary<at::acosh>},
      {OpKind::Add, [](OpCall& c) { c.set(c.in(0) + c.in(1)); }},
      {OpKind::And, binary<at::logical_and>},
      {OpKind::Asin, unary<at::asin>},
      {OpKind::Asinh, unary<at::asinh>},
      {OpKind::Atan, unary<at::atan>},
      {OpKind::Atanh, unary<at::atanh>},
      {OpKind::Cast, cast},
      {OpKind::CastLike, [](OpCall& c) { c.set(c.in(0).to(c.in(1).scalar_type())); }},
      {OpKind::Ceil, unary<at::ceil>},
      {OpKind::Celu, celu},
      {OpKind::Clip, clip},
      {OpKind::Cos, unary<at::cos>},
      {OpKind::Cosh, unary<at::cosh>},
      {OpKind::Div, divide},
      {OpKind::Elu, elu},
      {OpKind::Equal, binary<at::eq>},
      {OpKind::Erf, unary<at::erf>},
      {OpKind::Exp, unary<at::exp>},
      {OpKind::Floor, unary<at::floor>},
      {OpKind::Gelu, [](OpCall& c) { c.set(at::gelu(c.in(0), c.node.get_string("approximate"))); }},
      {OpKind::Greater, binary<at::gt>},
      {OpKind::GreaterOrEqual, binary<at::ge>},
      {OpKind::HardSigmoid, hard_sigmoid},
      {OpKind::HardSwish, unary<at::hardswish>},
      {OpKind::IsInf, is_inf},
      {OpKind::IsNaN, unary<at::isnan>},
      {OpKind::LeakyRelu,
       [](OpCall& c) { with_alpha(c, [](const Tensor& x, double alpha) { return at::leaky_relu(x, alpha); }); }},
      {OpKind::Less, binary<at::lt>},
      {OpKind::LessOrEqual, binary<at::le>},
      {OpKind::Log, unary<at::log>},
      {OpKind::Max, [](OpCall& c) { fold(c, [](const Tensor& a, const Tensor& b) { return at::maximum(a, b); }); }},
      {OpKind::Mean,
       [](OpCall& c) {
         fold(c, [](const Tensor& a, const Tensor& b) { return a + b; });
         c.set(c.outputs()[0] / static_cast<double>(c.num_inputs()));
       }},
      {OpKind::Min, [](OpCall& c) { fold(c, [](const Tensor& a, const Tensor& b) { return at::minimum(a, b); }); }},
      {OpKind::Mish, unary<at::mish>},
      {OpKind::Mod, modulo},
      {OpKind::Mul, [](OpCall& c) { c.set(c.in(0) * c.in(1)); }},
      {OpKind::Neg, unary<at::neg>},
      {OpKind::Not, unary<at::logical_not>},
      {OpKind::Or, binary<at::logical_or>},
      {OpKind::PRelu, prelu},
      {OpKind::Pow, [](OpCall& c) { c.set(at::pow(c.in(0), c.in(1)).to(c.in(0).scalar_type())); }},
      {OpKind::Reciprocal, unary<at::reciprocal>},
      {OpKind::Relu, unary<at::relu>},
      {OpKind::Round, [](OpCall& c) { c.set(at::round(c.in(0))); }},
      {OpKind::Selu, selu},
      {OpKind::Shrink, shrink},
      {OpKind::Sigmoid, unary<at::sigmoid>},
      {OpKind::Sign, unary<at::sign>},
      {OpKind::Sin, unary<at::sin>},
      {OpKind::Sinh, unary<at::sinh>},
      {OpKind::Softplus, [](OpCall& c) { c.set(at::softplus(c.in(0))); }},
      {OpKind::Softsign, [](OpCall& c) { c.set(c.in(0) / (1 + at::abs(c.in(0)))); }},
      {OpKind::Sqrt, unary<at::sqrt>},
      {OpKind::Sub, [](OpCall& c) { c.set(c.in(0) - c.in(1)); }},
      {OpKind::Sum, [](OpCall& c) { fold(c, [](const Tensor& a, const Tensor& b) { return a + b; }); }},
      {OpKind::Tan, unary<at::tan>},
      {OpKind::Tanh, unary<at::tanh>},
      {OpKind::ThresholdedRelu,
       [](OpCall& c) {
         with_alpha(c, [](const Tensor& x, double alpha) { return at::where(x > alpha, x, at::zeros_like(x)); });
       }},
      {OpKind::Where, [](OpCall& c) { c.set(at::where(c.in(0), c.in(1), c.in(2))); }},
      {OpKind::Xor, binary<at::logical_xor>},
  };
  return entries;
}

}  // namespace adze::train
