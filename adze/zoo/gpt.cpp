#include "adze/zoo/families.h"
#include "adze/zoo/transformer.h"

namespace adze::zoo {

namespace {

/// Weights begin with this deviation; those at the end of a branch smaller by the root of the number of branches.
constexpr double deviation = 0.02;

ValueId causal_mask(Builder& net, std::int64_t tokens) {
  Tensor mask(DType::Bool, {tokens, tokens});
  const auto places = mask.mutable_bytes();
  for (std::int64_t row = 0; row < tokens; ++row) {
    for (std::int64_t column = 0; column <= row; ++column) {
      places[static_cast<std::size_t>(row * tokens + column)] = std::byte{1};
    }
  }
  return net.constant("causal_mask", std::move(mask));
}

}  // namespace

/// Predicts the next token at every place: tokens s64 [batch, context] → logits [batch, context, vocabulary]. Learned
/// positions, normalization before each branch and at the end, the table of tokens shared with the last product.
/// Source  Radford et al., Language Models are Unsupervised Multitask Learners, 2019 (GPT-2)
Graph gpt(Builder net, const Settings& s) {
  net.require_float("quantize the trained network");
  require_heads(s.features, s.heads);
  const Feature input = net.tokens(s.context);
  Transformer parts{net, -1, s.context, s.features, s.heads};
  const auto gain = [&](std::int64_t inputs) { return deviation * deviation * static_cast<double>(inputs); };
  const double branches = 2.0 * static_cast<double>(s.layers);
  const std::int64_t hidden = 4 * s.features;
  const ValueId table = net.normal_constant("tokens", {s.vocabulary, s.features}, deviation);
  const ValueId positions = net.normal_constant("positions", {s.context, s.features}, deviation);
  const ValueId mask = causal_mask(net, s.context);
  ValueId x = net.node(OpKind::Gather, {table, input.value}, {{"axis", std::int64_t{0}}});
  x = net.node(OpKind::Add, {x, positions});
  for (std::int64_t block = 0; block < s.layers; ++block) {
    const ValueId looked = parts.attention(parts.normalize(x), mask, {gain(s.features), gain(s.features) / branches});
    x = net.node(OpKind::Add, {x, looked});
    const ValueId wide = parts.gelu(parts.linear(parts.normalize(x), s.features, hidden, gain(s.features)));
    x = net.node(OpKind::Add, {x, parts.linear(wide, hidden, s.features, gain(hidden) / branches)});
  }
  const ValueId rows = parts.reshape(parts.normalize(x), {-1, s.features});
  const ValueId logits = net.node(OpKind::Gemm, {rows, table}, {{"transB", std::int64_t{1}}});
  return net.finish({parts.reshape(logits, {parts.batch, s.context, s.vocabulary}),
                     {input.shape[0], s.context, s.vocabulary},
                     Range::Linear});
}

}  // namespace adze::zoo
