#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/infer/dims.h"

namespace adze {

namespace {

void infer_unary(InferContext& context) {
  context.set_output(0, context.dtype(0), context.shape(0));
}

void infer_gelu(InferContext& context) {
  require_choice(context, "approximate", {"none", "tanh"});
  infer_unary(context);
}

void infer_test(InferContext& context) {
  context.set_output(0, DType::Bool, context.shape(0));
}

void infer_clip(InferContext& context) {
  context.set_output(0, common_dtype(context, 0, 3), context.shape(0));
  if (const auto dims = list_dims(context, 0); dims && !context.has_input(1) && !context.has_input(2)) {
    context.set_dims(0, *dims);
  }
}

/// The inputs from first on, broadcast; nothing when one of their ranks is not known.
std::optional<SymbolicShape> broadcast_inputs(const InferContext& context, std::size_t first = 0) {
  SymbolicShape shape;
  bool known = true;
  for (std::size_t i = first; i < context.num_inputs(); ++i) {
    if (!context.shape(i)) known = false;
    if (context.shape(i)) shape = broadcast(shape, *context.shape(i));
  }
  return known ? std::optional(shape) : std::nullopt;
}

/// f of the dims of two inputs, each of which may be a single number for all.
template <typename F>
void combine_dims(InferContext& context, std::size_t first, F f) {
  const auto a = list_dims(context, first), b = list_dims(context, first + 1);
  if (!a || !b || (a->size() != b->size() && a->size() != 1 && b->size() != 1)) return;
  SymbolicShape result(a->empty() || b->empty() ? 0 : std::max(a->size(), b->size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = f((*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]);
  }
  context.set_dims(0, result);
}

void infer_variadic(InferContext& context) {
  context.set_output(0, common_dtype(context, 0, context.num_inputs()), broadcast_inputs(context));
}

bool is_integer_or_unknown(DType dtype) {
  return dtype == DType::Undefined || is_integer(dtype);
}

template <Dim (*f)(const Dim&, const Dim&)>
void infer_arithmetic(InferContext& context) {
  infer_variadic(context);
  if (is_integer_or_unknown(common_dtype(context, 0, 2))) combine_dims(context, 0, f);
}

void infer_integers(InferContext& context) {
  infer_variadic(context);
  const DType dtype = common_dtype(context, 0, context.num_inputs());
  if (!is_integer_or_unknown(dtype)) throw ModelError(cat("expected integers, found ", dtype_name(dtype)));
}

void infer_bit_shift(InferContext& context) {
  require_choice(context, "direction", {"LEFT", "RIGHT"});
  infer_integers(context);
}

void infer_mod(InferContext& context) {
  infer_variadic(context);
  const DType dtype = common_dtype(context, 0, 2);
  if (is_float(dtype) && context.node().get_int("fmod") == 0) throw ModelError("floats need fmod=1");
}

void infer_pow(InferContext& context) {
  context.set_output(0, context.dtype(0), broadcast_inputs(context));
}

void infer_prelu(InferContext& context) {
  context.set_output(0, common_dtype(context, 0, 2), context.shape(0));
  if (!context.shape(0) || !context.shape(1)) return;
  if (context.shape(1)->size() > context.shape(0)->size())
    throw ModelError("the slope has more dimensions than the input");
  broadcast(*context.shape(0), *context.shape(1));
}

void infer_comparison(InferContext& context) {
  common_dtype(context, 0, 2);
  context.set_output(0, DType::Bool, broadcast_inputs(context));
}

void infer_equal(InferContext& context) {
  infer_comparison(context);
  const auto negative = [](const Dim& dim) { return dim.symbol.empty() && dim.value < 0; };
  const auto constant_negative = [&](std::size_t input, const Dim& dim) {
    return context.constant(input) != nullptr && negative(dim);
  };
  // Dimensions are compared with -1 by exports of Expand: no dimension, named or not, is negative.
  combine_dims(context, 0, [&](const Dim& a, const Dim& b) {
    if (a.is_known() && b.is_known()) return Dim(a.value == b.value ? 1 : 0);
    if ((says_something(a) && constant_negative(1, b)) || (says_something(b) && constant_negative(0, a))) return Dim(0);
    return !a.symbol.empty() && a == b ? Dim(1) : Dim();
  });
}

void infer_logic(InferContext& context) {
  const DType dtype = common_dtype(context, 0, context.num_inputs());
  if (dtype != DType::Undefined && dtype != DType::Bool)
    throw ModelError(cat("expected bools, found ", dtype_name(dtype)));
  context.set_output(0, DType::Bool, broadcast_inputs(context));
}

void infer_where(InferContext& context) {
  if (context.dtype(0) != DType::Undefined && context.dtype(0) != DType::Bool) {
    throw ModelError(cat("the condition must be bool, found ", dtype_name(context.dtype(0))));
  }
  const DType dtype = common_dtype(context, 1, 2);
  context.set_output(0, dtype, broadcast_inputs(context));
  if (!is_integer_or_unknown(dtype)) return;
  const auto condition_rank = context.rank(0);
  if (!condition_rank || *condition_rank > 1) return;
  std::optional<SymbolicShape> condition =
      context.has_input(0) ? context.graph().value(context.node().input(0)).dims : std::nullopt;
  if (const Tensor* tensor = context.constant(0)) {
    const auto values = to_ints(*tensor);
    condition = SymbolicShape(values.begin(), values.end());
  }
  if (!condition) return;
  const auto a = list_dims(context, 1), b = list_dims(context, 2);
  if (!a || !b) return;
  const std::size_t count = std::max({condition->size(), a->size(), b->size()});
  SymbolicShape result;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = [&](const SymbolicShape& list) {
      return list.size() == 1 ? list[0] : i < list.size() ? list[i] : Dim();
    };
    const Dim choice = at(*condition);
    result.push_back(choice == Dim(1) ? at(*a) : choice == Dim(0) ? at(*b) : at(*a) == at(*b) ? at(*a) : Dim());
  }
  context.set_dims(0, result);
}

void pass_dims(InferContext& context, DType dtype) {
  if (!is_integer(dtype)) return;
  if (const auto dims = list_dims(context, 0)) context.set_dims(0, *dims);
}

void infer_cast(InferContext& context) {
  const std::int64_t to = context.node().get_int("to");
  if (to <= 0 || to >= num_dtypes) throw ModelError(cat("attribute to is ", to, ", which is no element type"));
  context.set_output(0, static_cast<DType>(to), context.shape(0));
  pass_dims(context, static_cast<DType>(to));
}

void infer_cast_like(InferContext& context) {
  context.set_output(0, context.dtype(1), context.shape(0));
  pass_dims(context, context.dtype(1));
}

void infer_relu(InferContext& context) {
  infer_unary(context);
  pass_dims(context, context.dtype(0));  // dimensions are never negative
}

}  // namespace

std::span<const InferEntry> elementwise_inference() {
  static constexpr InferEntry entries[] = {
      {OpKind::Abs, infer_relu},
      {OpKind::Acos, infer_unary},
      {OpKind::Acosh, infer_unary},
      {OpKind::Add, infer_arithmetic<add_dims>},
      {OpKind::And, infer_logic},
      {OpKind::Asin, infer_unary},
      {OpKind::Asinh, infer_unary},
      {OpKind::Atan, infer_unary},
      {OpKind::Atanh, infer_unary},
      {OpKind::BitShift, infer_bit_shift},
      {OpKind::BitwiseAnd, infer_integers},
      {OpKind::BitwiseNot, infer_integers},
      {OpKind::BitwiseOr, infer_integers},
      {OpKind::BitwiseXor, infer_integers},
      {OpKind::Cast, infer_cast},
      {OpKind::CastLike, infer_cast_like},
      {OpKind::Ceil, infer_unary},
      {OpKind::Celu, infer_unary},
      {OpKind::Clip, infer_clip},
      {OpKind::Cos, infer_unary},
      {OpKind::Cosh, infer_unary},
      {OpKind::Div, infer_arithmetic<divide_dims>},
      {OpKind::Elu, infer_unary},
      {OpKind::Equal, infer_equal},
      {OpKind::Erf, infer_unary},
      {OpKind::Exp, infer_unary},
      {OpKind::Floor, infer_unary},
      {OpKind::Gelu, infer_gelu},
      {OpKind::Greater, infer_comparison},
      {OpKind::GreaterOrEqual, infer_comparison},
      {OpKind::HardSigmoid, infer_unary},
      {OpKind::HardSwish, infer_unary},
      {OpKind::IsInf, infer_test},
      {OpKind::IsNaN, infer_test},
      {OpKind::LeakyRelu, infer_unary},
      {OpKind::Less, infer_comparison},
      {OpKind::LessOrEqual, infer_comparison},
      {OpKind::Log, infer_unary},
      {OpKind::Max, infer_variadic},
      {OpKind::Mean, infer_variadic},
      {OpKind::Min, infer_variadic},
      {OpKind::Mish, infer_unary},
      {OpKind::Mod, infer_mod},
      {OpKind::Mul, infer_arithmetic<multiply_dims>},
      {OpKind::Neg, infer_unary},
      {OpKind::Not, infer_logic},
      {OpKind::Or, infer_logic},
      {OpKind::PRelu, infer_prelu},
      {OpKind::Pow, infer_pow},
      {OpKind::Reciprocal, infer_unary},
      {OpKind::Relu, infer_relu},
      {OpKind::Round, infer_unary},
      {OpKind::Selu, infer_unary},
      {OpKind::Shrink, infer_unary},
      {OpKind::Sigmoid, infer_unary},
      {OpKind::Sign, infer_unary},
      {OpKind::Sin, infer_unary},
      {OpKind::Sinh, infer_unary},
      {OpKind::Softplus, infer_unary},
      {OpKind::Softsign, infer_unary},
      {OpKind::Sqrt, infer_unary},
      {OpKind::Sub, infer_arithmetic<subtract_dims>},
      {OpKind::Sum, infer_variadic},
      {OpKind::Tan, infer_unary},
      {OpKind::Tanh, infer_unary},
      {OpKind::ThresholdedRelu, infer_unary},
      {OpKind::Where, infer_where},
      {OpKind::Xor, infer_logic},
  };
  return entries;
}

}  // namespace adze
