// Operators that work element by element, with NumPy broadcasting.
#include <algorithm>
#include <cmath>

#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

namespace {

struct Kind {
  OpKind kind;
  std::int32_t code;
  std::uint8_t options;
};

constexpr Kind unary_kinds[] = {
    {OpKind::Abs, 101, 78},   {OpKind::Ceil, 104, 0}, {OpKind::Cos, 108, 85},       {OpKind::Elu, 111, 0},
    {OpKind::Exp, 47, 33},    {OpKind::Floor, 8, 0},  {OpKind::HardSwish, 117, 91}, {OpKind::Log, 73, 0},
    {OpKind::Neg, 59, 42},    {OpKind::Not, 87, 63},  {OpKind::Relu, 19, 0},        {OpKind::Round, 116, 0},
    {OpKind::Sigmoid, 14, 0}, {OpKind::Sign, 158, 0}, {OpKind::Sin, 66, 0},         {OpKind::Sqrt, 75, 0},
    {OpKind::Tanh, 28, 0},
};

constexpr Kind binary_kinds[] = {
    {OpKind::Add, 0, 11},
    {OpKind::Sub, 41, 28},
    {OpKind::Mul, 18, 21},
    {OpKind::Div, 42, 29},
    {OpKind::Pow, 78, 56},
    {OpKind::Max, 55, 39},
    {OpKind::Min, 57, 39},
    {OpKind::Less, 58, 41},
    {OpKind::Greater, 61, 43},
    {OpKind::Equal, 71, 53},
    {OpKind::GreaterOrEqual, 62, 44},
    {OpKind::LessOrEqual, 63, 45},
    {OpKind::And, 86, 62},
    {OpKind::Or, 84, 60},
    {OpKind::Where, 123, 98},
};

template <std::size_t n>
Emission emission_of(const Kind (&kinds)[n], OpKind kind) {
  for (const Kind& entry : kinds) {
    if (entry.kind == kind) return {.code = entry.code, .options_kind = entry.options};
  }
  throw InternalError("no TFLite code for an elementwise operator");
}

/// A constant of the full rank, in the file's order.
std::int32_t broadcast_constant(Writer& w, const Step& step, ValueId value, bool last) {
  const Tensor* content = w.stored_constant(value);
  if (content->rank() == 4 || content->size() == 1 || !last) return w.operand(step, value, last);
  const bool integers = step.quantized && w.stored(value) != value;
  if (integers && w.quantization(value)->scales.size() != 1) throw UnsupportedError("an operand has many scales");
  Tensor stored = integers || w.stored(value) == value ? *content : w.float_constant(value);
  Shape shape = stored.shape();
  shape.insert(shape.begin(), 4 - shape.size(), 1);
  std::optional<Quantization> scale;
  if (integers) scale = *w.quantization(value);
  return w.constant(w.graph().value(w.stored(value)).name, permuted(stored.reshaped(shape), to_channels_last), scale);
}

struct Operands {
  std::vector<std::int32_t> tensors;
  bool last = false;
};

/// The operands in one layout that broadcasts.
Operands aligned(Writer& w, const Step& step) {
  Operands result;
  for (const ValueId value : step.node.inputs) {
    if (!w.is_constant(value) && w.rank(value) == 4 && w.lies_last(value)) result.last = true;
  }
  for (const ValueId value : step.node.inputs) {
    const bool scalar = num_elements(w.shape(value)) == 1;
    if (!w.is_constant(value) && !scalar && w.rank(value) != 4) result.last = false;
    if (w.rank(value) > 4) result.last = false;
  }
  for (const ValueId value : step.node.inputs) {
    result.tensors.push_back(w.is_constant(value) ? broadcast_constant(w, step, value, result.last)
                                                  : w.operand(step, value, result.last));
  }
  return result;
}

/// TFLite's kernels of these operators know one output scale only.
std::optional<Quantization> own_scale(const Writer& w, const Step& step) {
  if (!step.quantized) return std::nullopt;
  const DType dtype = w.graph().value(step.targets.at(0).result).type.dtype;
  const bool is_signed = dtype == DType::S8;
  const bool unit = step.node.kind == OpKind::Sigmoid || step.node.kind == OpKind::Tanh;
  if (dtype == DType::S16 && unit) return Quantization{{1.0f / 32768}, {0}, 0};
  if (dtype_bits(dtype) != 8) return std::nullopt;
  switch (step.node.kind) {
    case OpKind::Sigmoid:
      return Quantization{{1.0f / 256}, {is_signed ? -128 : 0}, 0};
    case OpKind::Tanh:
      return Quantization{{1.0f / 128}, {is_signed ? 0 : 128}, 0};
    default:
      return std::nullopt;
  }
}

void write_unary(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  Emission emission = emission_of(unary_kinds, step.node.kind);
  if (step.quantized) emission.version = 2;
  w.finish(step, emission, {w.operand(step, x)}, w.lies_last(x), own_scale(w, step));
}

void write_binary(Writer& w, const Step& step) {
  Emission emission = emission_of(binary_kinds, step.node.kind);
  const bool arithmetic = emission.code == 0 || emission.code == 41 || emission.code == 18 || emission.code == 42;
  if (arithmetic) emission.activation_field = field::binary::activation;
  if (step.quantized) emission.version = 2;
  const bool sums = emission.code == 0 || emission.code == 41;
  if (step.quantized && sums && w.graph().value(step.targets.at(0).result).type.dtype == DType::S16) {
    emission.fields.push_back(option_field<std::uint8_t>(field::binary::pot_scale_int16, 0));  // any scale
  }
  const Operands operands = aligned(w, step);
  w.finish(step, emission, operands.tensors, operands.last);
}

/// Max and Min of any number of operands, all in one scale.
void write_extreme(Writer& w, const Step& step) {
  Emission emission = emission_of(binary_kinds, step.node.kind);
  if (step.quantized) emission.version = 2;
  Operands operands = aligned(w, step);
  std::optional<Quantization> scale;
  if (step.quantized) scale = *w.quantization(step.targets.at(0).result);
  for (std::int32_t& operand : operands.tensors) {
    if (scale) operand = w.rescaled(operand, *scale);
  }
  if (operands.tensors.size() == 1) {
    w.alias(step, operands.tensors[0], operands.last);
    return;
  }
  std::int32_t at = operands.tensors[0];
  for (std::size_t i = 1; i + 1 < operands.tensors.size(); ++i) {
    const Shape shape = broadcast_shapes(w.tensor(at).shape, w.tensor(operands.tensors[i]).shape);
    const std::int32_t next = w.new_tensor(w.tensor(at).name + "/extreme", at, shape);
    w.add(emission, {at, operands.tensors[i]}, {next});
    at = next;
  }
  w.finish(step, emission, {at, operands.tensors.back()}, operands.last, scale);
}

/// What is left of Clip when no operator before it took it in.
void write_clip(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  Step clipped = step;
  Target& target = clipped.targets.at(0);
  std::pair<float, float> bounds(-INFINITY, INFINITY);
  for (std::size_t i = 1; i < 3; ++i) {
    if (step.node.input(i) == ValueId::None) continue;
    const Tensor bound = w.float_constant(step.node.input(i));
    if (bound.size() != 1) throw UnsupportedError("the bounds must be constants");
    (i == 1 ? bounds.first : bounds.second) = bound.data<float>()[0];
  }
  if (target.clip) {
    bounds = {std::max(bounds.first, target.clip->first), std::min(bounds.second, target.clip->second)};
  }
  target.clip = bounds;
  w.alias(clipped, w.operand(step, x), w.lies_last(x));
}

void write_leaky_relu(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  Emission emission{.code = 98, .options_kind = 75, .version = step.quantized ? 2 : 1};
  emission.fields = {option_field(field::leaky_relu::alpha, step.node.get_float("alpha"))};
  w.finish(step, emission, {w.operand(step, x)}, w.lies_last(x));
}

void write_prelu(Writer& w, const Step& step) {
  const Operands operands = aligned(w, step);
  std::int32_t slope = operands.tensors[1];
  // TFLite's slope has no batch dimension.
  OutputTensor& tensor = w.tensor(slope);
  if (tensor.data && tensor.shape.size() == 4 && tensor.shape[0] == 1) {
    tensor.shape.erase(tensor.shape.begin());
    tensor.data = tensor.data->reshaped(tensor.shape);
  }
  w.finish(step, {.code = 54}, {operands.tensors[0], slope}, operands.last);
}

void write_gelu(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  Emission emission{.code = 150, .options_kind = 116};
  const bool approximate = step.node.get_string("approximate") == "tanh";
  emission.fields = {option_field<std::uint8_t>(field::gelu::approximate, approximate)};
  w.finish(step, emission, {w.operand(step, x)}, w.lies_last(x));
}

void write_identity(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  w.alias(step, w.operand(step, x), w.lies_last(x));
}

void write_cast(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  const std::int32_t from = w.operand(step, x);
  const DType to = w.graph().value(step.targets.at(0).raw).type.dtype;
  if (to == w.tensor(from).dtype) {
    w.alias(step, from, w.lies_last(x));
    return;
  }
  Emission emission{.code = 53, .options_kind = 37};
  emission.fields = {option_field(0, tensor_type_of(w.tensor(from).dtype)), option_field(1, tensor_type_of(to))};
  w.finish(step, emission, {from}, w.lies_last(x));
}

constexpr WriteEntry unary(OpKind kind, Integers integers) {
  return {kind, LayoutNeed::Follows, integers, false, write_unary};
}
constexpr WriteEntry binary(OpKind kind, Integers integers, bool fuses) {
  return {kind, LayoutNeed::Follows, integers, fuses, write_binary};
}

constexpr WriteEntry table[] = {
    unary(OpKind::Abs, Integers::None),
    unary(OpKind::Ceil, Integers::None),
    unary(OpKind::Cos, Integers::None),
    unary(OpKind::Elu, Integers::AnyScale),
    unary(OpKind::Exp, Integers::None),
    unary(OpKind::Floor, Integers::None),
    unary(OpKind::HardSwish, Integers::AnyScale),
    unary(OpKind::Log, Integers::None),
    unary(OpKind::Neg, Integers::None),
    unary(OpKind::Not, Integers::None),
    unary(OpKind::Relu, Integers::AnyScale),
    unary(OpKind::Round, Integers::None),
    unary(OpKind::Sigmoid, Integers::FixedScale),
    unary(OpKind::Sign, Integers::None),
    unary(OpKind::Sin, Integers::None),
    unary(OpKind::Sqrt, Integers::None),
    unary(OpKind::Tanh, Integers::FixedScale),
    binary(OpKind::Add, Integers::AnyScale, true),
    binary(OpKind::Sub, Integers::AnyScale, true),
    binary(OpKind::Mul, Integers::AnyScale, true),
    binary(OpKind::Div, Integers::None, true),
    binary(OpKind::Pow, Integers::None, false),
    binary(OpKind::Less, Integers::None, false),
    binary(OpKind::Greater, Integers::None, false),
    binary(OpKind::Equal, Integers::None, false),
    binary(OpKind::GreaterOrEqual, Integers::None, false),
    binary(OpKind::LessOrEqual, Integers::None, false),
    binary(OpKind::And, Integers::None, false),
    binary(OpKind::Or, Integers::None, false),
    binary(OpKind::Where, Integers::None, false),
    {OpKind::Max, LayoutNeed::Follows, Integers::SameScale, false, write_extreme},
    {OpKind::Min, LayoutNeed::Follows, Integers::SameScale, false, write_extreme},
    {OpKind::Clip, LayoutNeed::Follows, Integers::SameScale, false, write_clip},
    {OpKind::LeakyRelu, LayoutNeed::Follows, Integers::AnyScale, false, write_leaky_relu},
    {OpKind::PRelu, LayoutNeed::Follows, Integers::None, false, write_prelu},
    {OpKind::Gelu, LayoutNeed::Follows, Integers::AnyScale, false, write_gelu},
    {OpKind::Identity, LayoutNeed::Follows, Integers::SameScale, false, write_identity},
    {OpKind::Dropout, LayoutNeed::Follows, Integers::SameScale, false, write_identity},
    {OpKind::Cast, LayoutNeed::Follows, Integers::None, false, write_cast},
};

}  // namespace

std::span<const WriteEntry> elementwise_writers() {
  return table;
}

}  // namespace adze::tflite
