#include "adze/zoo/transformer.h"

#include <cmath>
#include <numbers>

#include "adze/base/text.h"

namespace adze::zoo {

namespace {

using Ints = std::vector<std::int64_t>;

/// What a forbidden place gets: its share is 0 after the softmax.
constexpr float forbidden = -1e9f;

}  // namespace

void require_heads(std::int64_t features, std::int64_t heads) {
  if (features % heads != 0) {
    throw UsageError(cat(features, " features do not divide into ", heads, " heads"), "features=128,heads=4");
  }
}

ValueId Transformer::linear(ValueId x, std::int64_t inputs, std::int64_t outputs, double gain) {
  const ValueId product = net.node(OpKind::MatMul, {x, net.weight({inputs, outputs}, 1, inputs, gain)});
  return net.node(OpKind::Add, {net.quantize(product, Range::Linear), net.float_bias(outputs)});
}

ValueId Transformer::quantized_linear(ValueId x, std::int64_t inputs, std::int64_t outputs, double gain) {
  return net.quantize(linear(x, inputs, outputs, gain), Range::Linear);
}

ValueId Transformer::reshape(ValueId x, Shape shape) {
  return net.node(OpKind::Reshape, {x, net.constant("shape", Tensor::ints(shape))});
}

ValueId Transformer::split_heads(ValueId x, Ints order) {
  return net.node(OpKind::Transpose, {reshape(x, {batch, tokens, heads, head_size()})}, {{"perm", std::move(order)}});
}

ValueId Transformer::attention(ValueId x, ValueId mask, const AttentionGains& gains, const Memory& memory) {
  // A quantized network has the division by √head_size in the weights of the queries.
  const double query_gain = net.quantized() ? gains.inner / static_cast<double>(head_size()) : gains.inner;
  const ValueId query = split_heads(quantized_linear(x, features, features, query_gain), {0, 2, 1, 3});
  const bool remembers = memory.keys != ValueId::None;
  ValueId key = split_heads(quantized_linear(x, features, features, gains.inner),
                            remembers ? Ints{0, 2, 1, 3} : Ints{0, 2, 3, 1});
  ValueId value = split_heads(quantized_linear(x, features, features, gains.inner), {0, 2, 1, 3});
  if (remembers) {
    key = net.node(OpKind::Transpose, {net.remember(memory.keys, key)}, {{"perm", Ints{0, 1, 3, 2}}});
    value = net.remember(memory.values, value);
  }
  ValueId scores = net.quantize(net.node(OpKind::MatMul, {query, key}), Range::Linear);
  if (!net.quantized()) {
    const float root = std::sqrt(static_cast<float>(head_size()));
    scores = net.node(OpKind::Div, {scores, net.scalar("root", root)});
  }
  if (mask != ValueId::None) scores = net.node(OpKind::Where, {mask, scores, net.scalar("forbidden", forbidden)});
  const ValueId shares =
      net.quantize(net.node(OpKind::Softmax, {scores}, {{"axis", std::int64_t{-1}}}), Range::Softmax);
  const ValueId mixed = net.quantize(net.node(OpKind::MatMul, {shares, value}), Range::Linear);
  const ValueId joined = net.node(OpKind::Transpose, {mixed}, {{"perm", Ints{0, 2, 1, 3}}});
  return quantized_linear(reshape(joined, {batch, tokens, features}), features, features, gains.output);
}

ValueId Transformer::normalize(ValueId x) {
  const ValueId scale = net.filled_constant("norm_scale", {features}, 1);
  const ValueId shift = net.filled_constant("norm_bias", {features}, 0);
  return net.quantize(
      net.node(OpKind::LayerNormalization, {x, scale, shift}, {{"axis", std::int64_t{-1}}, {"epsilon", 1e-5f}}),
      Range::Linear);
}

ValueId Transformer::gelu(ValueId x) {
  const ValueId scaled = net.node(OpKind::Div, {x, net.scalar("root", std::numbers::sqrt2_v<float>)});
  const ValueId bell = net.node(OpKind::Add, {net.node(OpKind::Erf, {scaled}), net.scalar("one", 1.0f)});
  return net.node(OpKind::Mul, {net.node(OpKind::Mul, {x, bell}), net.scalar("half", 0.5f)});
}

}  // namespace adze::zoo
