// Operators that TFLite composes of others, in float32.
#include <cmath>

#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

namespace {

constexpr Emission add_emission = {.code = 0, .options_kind = 11, .activation_field = field::binary::activation};
constexpr Emission sub_emission = {.code = 41, .options_kind = 28, .activation_field = field::binary::activation};
constexpr Emission mul_emission = {.code = 18, .options_kind = 21, .activation_field = field::binary::activation};

std::string part_name(const Writer& w, const Step& step, const char* part) {
  return cat(w.graph().value(step.targets.at(0).raw).name, "/", part);
}

/// HardSigmoid with alpha 1/6 is ReLU6(x + 6 beta) / 6; any other is clipped after the sum.
void write_hard_sigmoid(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  const float alpha = step.node.get_float("alpha"), beta = step.node.get_float("beta");
  const std::int32_t from = w.operand(step, x);
  const bool last = w.lies_last(x);
  const std::int32_t sum = w.new_tensor(part_name(w, step, "sum"), from, w.tensor(from).shape);
  if (std::abs(alpha * 6.0f - 1.0f) < 1e-6f) {
    w.add(add_emission, {from, w.constant(part_name(w, step, "shift"), Tensor::scalar(6.0f * beta))}, {sum},
          Activation::Relu6);
    w.finish(step, mul_emission, {sum, w.constant(part_name(w, step, "slope"), Tensor::scalar(alpha))}, last);
    return;
  }
  const std::int32_t scaled = w.new_tensor(part_name(w, step, "scaled"), from, w.tensor(from).shape);
  w.add(mul_emission, {from, w.constant(part_name(w, step, "slope"), Tensor::scalar(alpha))}, {scaled});
  w.add(add_emission, {scaled, w.constant(part_name(w, step, "shift"), Tensor::scalar(beta))}, {sum});
  const std::int32_t low = w.new_tensor(part_name(w, step, "low"), from, w.tensor(from).shape);
  const Emission most{.code = 55, .options_kind = 39}, least{.code = 57, .options_kind = 39};
  w.add(most, {sum, w.constant(part_name(w, step, "zero"), Tensor::scalar(0.0f))}, {low});
  w.finish(step, least, {low, w.constant(part_name(w, step, "one"), Tensor::scalar(1.0f))}, last);
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias over the last axes.
void write_layer_normalization(Writer& w, const Step& step) {
  const Node& node = step.node;
  const ValueId x = node.input(0);
  if (step.targets.size() != 1) throw UnsupportedError("mean and deviation as results have no form in TFLite");
  const std::int64_t rank = w.rank(x), first = normalize_axis(node.get_int("axis"), rank);
  const std::int32_t from = w.operand(step, x, false);
  std::vector<std::int64_t> axes;
  Shape reduced = w.tensor(from).shape;
  for (std::int64_t axis = first; axis < rank; ++axis) {
    axes.push_back(axis);
    reduced[static_cast<std::size_t>(axis)] = 1;
  }
  const std::int32_t where = w.ints(part_name(w, step, "axes"), axes);
  const Emission mean{
      .code = 40, .options_kind = 27, .fields = {option_field<std::uint8_t>(field::reducer::keep_dims, 1)}};
  const auto next = [&](const char* part, const Shape& shape) {
    return w.new_tensor(part_name(w, step, part), from, shape);
  };
  const Shape whole = w.tensor(from).shape;
  const std::int32_t average = next("mean", reduced), centered = next("centered", whole),
                     squared = next("squared", whole);
  w.add(mean, {from, where}, {average});
  w.add(sub_emission, {from, average}, {centered});
  w.add(mul_emission, {centered, centered}, {squared});
  const std::int32_t variance = next("variance", reduced), shifted = next("shifted", reduced);
  const std::int32_t factor = next("factor", reduced), normal = next("normal", whole);
  w.add(mean, {squared, where}, {variance});
  w.add(add_emission, {variance, w.constant(part_name(w, step, "epsilon"), Tensor::scalar(node.get_float("epsilon")))},
        {shifted});
  w.add({.code = 76}, {shifted}, {factor});
  w.add(mul_emission, {centered, factor}, {normal});
  const std::int32_t scale = w.operand(step, node.input(1), false);
  if (node.input(2) == ValueId::None) {
    w.finish(step, mul_emission, {normal, scale}, false);
    return;
  }
  const std::int32_t product = next("scaled", whole);
  w.add(mul_emission, {normal, scale}, {product});
  w.finish(step, add_emission, {product, w.operand(step, node.input(2), false)}, false);
}

/// In inference a factor and a summand a channel.
void write_batch_normalization(Writer& w, const Step& step) {
  const Node& node = step.node;
  const ValueId x = node.input(0);
  if (node.get_int("training_mode") != 0) throw UnsupportedError("training mode has no form in TFLite");
  const Tensor scale = w.float_constant(node.input(1)), bias = w.float_constant(node.input(2));
  const Tensor mean = w.float_constant(node.input(3)), variance = w.float_constant(node.input(4));
  Tensor factor(DType::F32, scale.shape()), summand(DType::F32, scale.shape());
  for (std::int64_t c = 0; c < scale.size(); ++c) {
    const double deviation = std::sqrt(variance.get_double(c) + static_cast<double>(node.get_float("epsilon")));
    factor.set_double(c, scale.get_double(c) / deviation);
    summand.set_double(c, bias.get_double(c) - mean.get_double(c) * scale.get_double(c) / deviation);
  }
  const bool last = w.rank(x) == 4;
  const std::int32_t from = w.operand(step, x, last);
  if (!last) {  // [N, C] or [N, C, L]: the channels are axis 1
    Shape shape(static_cast<std::size_t>(w.rank(x) - 1), 1);
    shape[0] = scale.size();
    factor = factor.reshaped(shape);
    summand = summand.reshaped(shape);
  }
  const std::int32_t product = w.new_tensor(part_name(w, step, "scaled"), from, w.tensor(from).shape);
  w.add(mul_emission, {from, w.constant(part_name(w, step, "factor"), std::move(factor))}, {product});
  w.finish(step, add_emission, {product, w.constant(part_name(w, step, "summand"), std::move(summand))}, last);
}

/// 1 / x.
void write_reciprocal(Writer& w, const Step& step) {
  const ValueId x = step.node.input(0);
  const Emission div{.code = 42, .options_kind = 29, .activation_field = field::binary::activation};
  w.finish(step, div, {w.constant(part_name(w, step, "one"), Tensor::scalar(1.0f)), w.operand(step, x)},
           w.lies_last(x));
}

constexpr WriteEntry table[] = {
    {OpKind::HardSigmoid, LayoutNeed::Follows, Integers::None, false, write_hard_sigmoid},
    {OpKind::LayerNormalization, LayoutNeed::Plain, Integers::None, true, write_layer_normalization},
    {OpKind::BatchNormalization, LayoutNeed::Follows, Integers::None, true, write_batch_normalization},
    {OpKind::Reciprocal, LayoutNeed::Follows, Integers::None, true, write_reciprocal},
};

}  // namespace

std::span<const WriteEntry> composed_writers() {
  return table;
}

}  // namespace adze::tflite
