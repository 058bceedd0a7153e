#include "adze/base/text.h"
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

/// What the network knows of the tokens that it is given.
struct Places {
  ValueId tokens, positions, mask;
};

ValueId part(Builder& net, ValueId value, ValueId begin, ValueId end, std::int64_t rank) {
  std::vector<std::int64_t> axes(static_cast<std::size_t>(rank));
  for (std::int64_t i = 0; i < rank; ++i) axes[static_cast<std::size_t>(i)] = i;
  return net.node(OpKind::Slice, {value, begin, end, net.constant("axes", Tensor::ints(axes))});
}

/// Those behind the tokens of earlier calls, of which there are as many as the first layer remembers: rows past … end
/// of the positions and of the mask, columns up to end.
Places places_behind(Builder& net, const Places& all, ValueId past_keys) {
  const auto size = [&](ValueId value, std::int64_t axis) {
    return net.node(OpKind::Shape, {value}, {{"start", axis}, {"end", axis + 1}});
  };
  const ValueId past = size(past_keys, 2);
  const ValueId end = net.node(OpKind::Add, {past, size(all.tokens, 1)});
  const ValueId zero = net.constant("zero", Tensor::ints({0}));
  const auto pair = [&](ValueId a, ValueId b) { return net.node(OpKind::Concat, {a, b}, {{"axis", std::int64_t{0}}}); };
  return {all.tokens, part(net, all.positions, past, end, 1), part(net, all.mask, pair(past, zero), pair(end, end), 2)};
}

}  // namespace

/// Predicts the next token at every place: tokens s64 [batch, context] → logits [batch, context, vocabulary]. Learned
/// positions, normalization before each branch and at the end, the table of tokens shared with the last product. With a
/// cache any number of tokens, keys and values of those before them as past_key_values.0.key … and present.0.key …;
/// the weights have the same names and values.
/// Source  Radford et al., Language Models are Unsupervised Multitask Learners, 2019 (GPT-2)
Graph gpt(Builder net, const Settings& s) {
  net.require_float("quantize the trained network");
  require_heads(s.features, s.heads);
  const bool cached = net.cached();
  const Feature input = cached ? net.open_tokens() : net.tokens(s.context);
  Transformer parts{net, cached ? 0 : -1, cached ? 0 : s.context, s.features, s.heads};
  std::vector<Memory> memories(static_cast<std::size_t>(s.layers));
  for (std::size_t i = 0; cached && i < memories.size(); ++i) {
    memories[i].keys = net.past(cat(i, ".key"), s.heads, parts.head_size());
    memories[i].values = net.past(cat(i, ".value"), s.heads, parts.head_size());
  }
  const auto gain = [&](std::int64_t inputs) { return deviation * deviation * static_cast<double>(inputs); };
  const double branches = 2.0 * static_cast<double>(s.layers);
  const std::int64_t hidden = 4 * s.features;
  const ValueId table = net.normal_constant("tokens", {s.vocabulary, s.features}, deviation);
  Places places{input.value, net.normal_constant("positions", {s.context, s.features}, deviation),
                causal_mask(net, s.context)};
  if (cached) places = places_behind(net, places, memories[0].keys);
  ValueId x = net.node(OpKind::Gather, {table, places.tokens}, {{"axis", std::int64_t{0}}});
  x = net.node(OpKind::Add, {x, places.positions});
  for (const Memory& memory : memories) {
    const ValueId looked =
        parts.attention(parts.normalize(x), places.mask, {gain(s.features), gain(s.features) / branches}, memory);
    x = net.node(OpKind::Add, {x, looked});
    const ValueId wide = parts.gelu(parts.linear(parts.normalize(x), s.features, hidden, gain(s.features)));
    x = net.node(OpKind::Add, {x, parts.linear(wide, hidden, s.features, gain(hidden) / branches)});
  }
  const ValueId rows = parts.reshape(parts.normalize(x), {-1, s.features});
  const ValueId logits = net.node(OpKind::Gemm, {rows, table}, {{"transB", std::int64_t{1}}});
  const Shape shape{input.shape[0], cached ? 1 : s.context, s.vocabulary};
  if (!cached) return net.finish({parts.reshape(logits, {-1, s.context, s.vocabulary}), shape, Range::Linear});
  const ValueId like_input = net.node(OpKind::Shape, {places.tokens});
  const ValueId sizes = net.node(OpKind::Concat, {like_input, net.constant("vocabulary", Tensor::ints({s.vocabulary}))},
                                 {{"axis", std::int64_t{0}}});
  return net.finish({net.node(OpKind::Reshape, {logits, sizes}), shape, Range::Linear});
}

}  // namespace adze::zoo
