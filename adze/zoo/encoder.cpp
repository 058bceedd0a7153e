#include <cmath>
#include <numbers>

#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t tokens = 128, features = 256, heads = 4, hidden = 1024, blocks = 4;
constexpr std::int64_t head_size = features / heads;

struct Encoder {
  Builder& net;
  std::int64_t batch;  ///< -1: open

  /// x·W + b over the last axis; the product is quantized, the sum is not.
  ValueId linear(ValueId x, std::int64_t inputs, std::int64_t outputs, double gain = 1) {
    const ValueId product = net.node(OpKind::MatMul, {x, net.weight({inputs, outputs}, 1, inputs, gain)});
    return net.node(OpKind::Add, {net.quantize(product, Range::Linear), net.normal_constant("bias", {outputs}, 0.1)});
  }

  ValueId quantized_linear(ValueId x, std::int64_t inputs, std::int64_t outputs, double gain = 1) {
    return net.quantize(linear(x, inputs, outputs, gain), Range::Linear);
  }

  ValueId reshape(ValueId x, Shape shape) {
    return net.node(OpKind::Reshape, {x, net.constant("shape", Tensor::ints(shape))});
  }

  ValueId split_heads(ValueId x, Ints order) {
    return net.node(OpKind::Transpose, {reshape(x, {batch, tokens, heads, head_size})}, {{"perm", std::move(order)}});
  }

  ValueId attention(ValueId x) {
    // A quantized network has the division by √head_size in the weights of the queries.
    const double query_gain = net.quantized() ? 1.0 / static_cast<double>(head_size) : 1.0;
    const ValueId query = split_heads(quantized_linear(x, features, features, query_gain), {0, 2, 1, 3});
    const ValueId key = split_heads(quantized_linear(x, features, features), {0, 2, 3, 1});
    const ValueId value = split_heads(quantized_linear(x, features, features), {0, 2, 1, 3});
    ValueId scores = net.quantize(net.node(OpKind::MatMul, {query, key}), Range::Linear);
    if (!net.quantized()) {
      const float root = std::sqrt(static_cast<float>(head_size));
      scores = net.node(OpKind::Div, {scores, net.scalar("root", root)});
    }
    const ValueId shares =
        net.quantize(net.node(OpKind::Softmax, {scores}, {{"axis", std::int64_t{-1}}}), Range::Softmax);
    const ValueId mixed = net.quantize(net.node(OpKind::MatMul, {shares, value}), Range::Linear);
    const ValueId joined = net.node(OpKind::Transpose, {mixed}, {{"perm", Ints{0, 2, 1, 3}}});
    return quantized_linear(reshape(joined, {batch, tokens, features}), features, features);
  }

  ValueId add_and_normalize(ValueId x, ValueId branch) {
    const ValueId sum = net.node(OpKind::Add, {x, branch});
    Tensor ones(DType::F32, {features});
    for (float& one : ones.mutable_data<float>()) one = 1;
    const ValueId scale = net.constant("norm_scale", std::move(ones));
    const ValueId shift = net.constant("norm_bias", Tensor(DType::F32, {features}));
    return net.quantize(
        net.node(OpKind::LayerNormalization, {sum, scale, shift}, {{"axis", std::int64_t{-1}}, {"epsilon", 1e-5f}}),
        Range::Linear);
  }

  /// x·(1 + erf(x/√2))/2, spelled out as exporters do.
  ValueId gelu(ValueId x) {
    const ValueId scaled = net.node(OpKind::Div, {x, net.scalar("root", std::numbers::sqrt2_v<float>)});
    const ValueId bell = net.node(OpKind::Add, {net.node(OpKind::Erf, {scaled}), net.scalar("one", 1.0f)});
    return net.node(OpKind::Mul, {net.node(OpKind::Mul, {x, bell}), net.scalar("half", 0.5f)});
  }

  ValueId block(ValueId x) {
    x = add_and_normalize(x, attention(x));
    const ValueId wide = net.quantize(gelu(linear(x, features, hidden)), Range::Silu);
    return add_and_normalize(x, quantized_linear(wide, hidden, features));
  }
};

}  // namespace

/// Four transformer encoder blocks of width 256 with four heads over 128 tokens, normalized after each sum.
/// Source  Vaswani et al., arXiv:1706.03762; GELU: Hendrycks and Gimpel, arXiv:1606.08415
Graph encoder_4x256(Builder net, const Settings&) {
  Feature x = net.input({tokens, features});
  Encoder encoder{net, net.open_batch() ? -1 : x.shape[0]};
  for (std::int64_t block = 0; block < blocks; ++block) x.value = encoder.block(x.value);
  return net.finish(x);
}

}  // namespace adze::zoo
