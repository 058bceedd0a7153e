// Operators that work element by element, with NumPy broadcasting.
#include <algorithm>

#include "adze/formats/tflite/translator.h"

namespace adze::tflite {

namespace {

/// The operands in one layout that broadcasts: NCHW when one of them is, is rank 4, and the others can follow.
struct Operands {
  std::vector<ValueId> values;
  Layout layout = Layout::Plain;
};

Operands align(Translator& t, const Operator& op, std::size_t count) {
  Operands result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t tensor = t.input(op, i);
    if (t.rank(tensor) == 4 && !t.is_constant(tensor) && t.layout(tensor) == Layout::ChannelsFirst) {
      result.layout = Layout::ChannelsFirst;
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t tensor = t.input(op, i);
    const bool follows = t.rank(tensor) == 4 || t.is_constant(tensor) || num_elements(t.info(tensor).shape) == 1;
    if (!follows || t.rank(tensor) > 4 || t.rank(t.output(op)) != 4) result.layout = Layout::Plain;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t tensor = t.input(op, i);
    const bool turn = result.layout == Layout::ChannelsFirst && t.is_constant(tensor);
    result.values.push_back(turn ? t.broadcast_constant(tensor) : t.numbers(tensor, result.layout));
  }
  return result;
}

void translate_unary(Translator& t, const Operator& op, OpKind kind, Attributes attributes = {}) {
  const std::int32_t x = t.input(op, 0);
  const Layout layout = t.layout(x);
  t.finish(t.output(op), t.add(op, kind, {t.numbers(x)}, std::move(attributes)), layout);
}

void translate_nary(Translator& t, const Operator& op, OpKind kind, std::size_t count) {
  Operands operands = align(t, op, count);
  t.finish(t.output(op), t.add(op, kind, std::move(operands.values)), operands.layout);
}

void translate_arithmetic(Translator& t, const Operator& op, OpKind kind) {
  Operands operands = align(t, op, 2);
  const ValueId y = t.add(op, kind, std::move(operands.values));
  t.finish(t.output(op), t.activate(op, y, t.activation(op, field::binary::activation)), operands.layout);
}

void translate_squared_difference(Translator& t, const Operator& op) {
  Operands operands = align(t, op, 2);
  const ValueId difference = t.add(op, OpKind::Sub, std::move(operands.values));
  t.finish(t.output(op), t.add(op, OpKind::Mul, {difference, difference}), operands.layout);
}

void translate_square(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0);
  const Layout layout = t.layout(x);
  t.finish(t.output(op), t.add(op, OpKind::Mul, {t.numbers(x), t.numbers(x)}), layout);
}

void translate_rsqrt(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0);
  const Layout layout = t.layout(x);
  const ValueId root = t.add(op, OpKind::Sqrt, {t.numbers(x)});
  t.finish(t.output(op), t.add(op, OpKind::Reciprocal, {root}), layout);
}

void translate_not_equal(Translator& t, const Operator& op) {
  Operands operands = align(t, op, 2);
  const ValueId equal = t.add(op, OpKind::Equal, std::move(operands.values));
  t.finish(t.output(op), t.add(op, OpKind::Not, {equal}), operands.layout);
}

void translate_floor_div(Translator& t, const Operator& op) {
  Operands operands = align(t, op, 2);
  const DType dtype = t.info(t.output(op)).dtype;
  if (is_float(dtype) || t.is_quantized(t.output(op))) {
    const ValueId quotient = t.add(op, OpKind::Div, std::move(operands.values));
    t.finish(t.output(op), t.add(op, OpKind::Floor, {quotient}), operands.layout);
    return;
  }
  // Integers: (a - floor_mod(a, b)) / b divides without a rest.
  const ValueId a = operands.values[0], b = operands.values[1];
  const ValueId rest = t.add(op, OpKind::Mod, {a, b});
  const ValueId whole = t.add(op, OpKind::Sub, {a, rest});
  t.finish(t.output(op), t.add(op, OpKind::Div, {whole, b}), operands.layout);
}

void translate_activation(Translator& t, const Operator& op, Activation activation) {
  const std::int32_t x = t.input(op, 0);
  const Layout layout = t.layout(x);
  t.finish(t.output(op), t.activate(op, t.numbers(x), activation), layout);
}

void translate_prelu(Translator& t, const Operator& op) {
  Operands operands = align(t, op, 2);
  t.finish(t.output(op), t.add(op, OpKind::PRelu, std::move(operands.values)), operands.layout);
}

void translate_leaky_relu(Translator& t, const Operator& op) {
  translate_unary(t, op, OpKind::LeakyRelu, {{"alpha", t.option<float>(op, field::leaky_relu::alpha)}});
}

void translate_gelu(Translator& t, const Operator& op) {
  const bool approximate = t.option<bool>(op, field::gelu::approximate);
  translate_unary(t, op, OpKind::Gelu, {{"approximate", std::string(approximate ? "tanh" : "none")}});
}

void translate_cast(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0);
  const Layout layout = t.layout(x);
  const auto to = static_cast<std::int64_t>(t.info(t.output(op)).dtype);
  const ValueId value = t.numbers(x);
  if (t.is_quantized(t.output(op))) throw UnsupportedError("a cast to a quantized tensor is not supported");
  t.finish(t.output(op), t.add(op, OpKind::Cast, {value}, {{"to", to}}), layout);
}

/// QUANTIZE: from float, or from one quantization to another.
void translate_quantize(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  if (!t.is_quantized(y)) throw ModelError("the output has no scale");
  const Layout layout = t.layout(x);
  t.finish(y, t.numbers(x), layout);
}

void translate_dequantize(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), y = t.output(op);
  if (t.info(y).dtype != DType::F32) throw UnsupportedError("only float32 results are supported");
  const Layout layout = t.layout(x);
  const ValueId value = t.numbers(x);
  if (t.is_quantized(x)) {
    t.finish_stored(y, t.add(op, OpKind::Identity, {value}), layout);
  } else if (t.is_constant(x)) {
    t.finish_stored(y, t.add_constant(t.info(y).name, converted(t.constant(x), DType::F32)), layout);
  } else {
    t.finish_stored(y, t.add(op, OpKind::Cast, {value}, {{"to", static_cast<std::int64_t>(DType::F32)}}), layout);
  }
}

template <OpKind kind>
void unary(Translator& t, const Operator& op) {
  translate_unary(t, op, kind);
}
template <OpKind kind>
void binary(Translator& t, const Operator& op) {
  translate_nary(t, op, kind, 2);
}
template <OpKind kind>
void arithmetic(Translator& t, const Operator& op) {
  translate_arithmetic(t, op, kind);
}
template <Activation which>
void activation(Translator& t, const Operator& op) {
  translate_activation(t, op, which);
}

constexpr OperatorEntry table[] = {
    {0, LayoutNeed::Follows, arithmetic<OpKind::Add>},
    {6, LayoutNeed::Follows, translate_dequantize},
    {8, LayoutNeed::Follows, unary<OpKind::Floor>},
    {14, LayoutNeed::Follows, unary<OpKind::Sigmoid>},
    {18, LayoutNeed::Follows, arithmetic<OpKind::Mul>},
    {19, LayoutNeed::Follows, activation<Activation::Relu>},
    {20, LayoutNeed::Follows, activation<Activation::ReluN1To1>},
    {21, LayoutNeed::Follows, activation<Activation::Relu6>},
    {28, LayoutNeed::Follows, activation<Activation::Tanh>},
    {41, LayoutNeed::Follows, arithmetic<OpKind::Sub>},
    {42, LayoutNeed::Follows, arithmetic<OpKind::Div>},
    {47, LayoutNeed::Follows, unary<OpKind::Exp>},
    {53, LayoutNeed::Follows, translate_cast},
    {54, LayoutNeed::Follows, translate_prelu},
    {55, LayoutNeed::Follows, binary<OpKind::Max>},
    {57, LayoutNeed::Follows, binary<OpKind::Min>},
    {58, LayoutNeed::Follows, binary<OpKind::Less>},
    {59, LayoutNeed::Follows, unary<OpKind::Neg>},
    {61, LayoutNeed::Follows, binary<OpKind::Greater>},
    {62, LayoutNeed::Follows, binary<OpKind::GreaterOrEqual>},
    {63, LayoutNeed::Follows, binary<OpKind::LessOrEqual>},
    {64, LayoutNeed::Follows, [](Translator& t, const Operator& op) { translate_nary(t, op, OpKind::Where, 3); }},
    {66, LayoutNeed::Follows, unary<OpKind::Sin>},
    {71, LayoutNeed::Follows, binary<OpKind::Equal>},
    {72, LayoutNeed::Follows, translate_not_equal},
    {73, LayoutNeed::Follows, unary<OpKind::Log>},
    {75, LayoutNeed::Follows, unary<OpKind::Sqrt>},
    {76, LayoutNeed::Follows, translate_rsqrt},
    {78, LayoutNeed::Follows, binary<OpKind::Pow>},
    {84, LayoutNeed::Follows, binary<OpKind::Or>},
    {86, LayoutNeed::Follows, binary<OpKind::And>},
    {87, LayoutNeed::Follows, unary<OpKind::Not>},
    {90, LayoutNeed::Follows, translate_floor_div},
    {92, LayoutNeed::Follows, translate_square},
    {98, LayoutNeed::Follows, translate_leaky_relu},
    {99, LayoutNeed::Follows, translate_squared_difference},
    {101, LayoutNeed::Follows, unary<OpKind::Abs>},
    {104, LayoutNeed::Follows, unary<OpKind::Ceil>},
    {106, LayoutNeed::Follows,
     [](Translator& t, const Operator& op) { translate_nary(t, op, OpKind::Sum, op.inputs.size()); }},
    {108, LayoutNeed::Follows, unary<OpKind::Cos>},
    {111, LayoutNeed::Follows, unary<OpKind::Elu>},
    {114, LayoutNeed::Follows, translate_quantize},
    {116, LayoutNeed::Follows, unary<OpKind::Round>},
    {117, LayoutNeed::Follows, unary<OpKind::HardSwish>},
    {123, LayoutNeed::Follows, [](Translator& t, const Operator& op) { translate_nary(t, op, OpKind::Where, 3); }},
    {150, LayoutNeed::Follows, translate_gelu},
    {158, LayoutNeed::Follows, unary<OpKind::Sign>},
};

}  // namespace

std::span<const OperatorEntry> elementwise_operators() {
  return table;
}

}  // namespace adze::tflite
