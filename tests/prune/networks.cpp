#include "tests/prune/networks.h"

namespace adze::prune::testing {

namespace {

using Feature = Builder::Feature;

Feature concat(Builder& b, Feature a, Feature c) {
  return {b.add(OpKind::Concat, {a.value, c.value}, {{"axis", std::int64_t{1}}}), a.channels + c.channels};
}

Feature residual(Builder& b, Feature x) {
  const Feature inner = b.conv(b.unary(OpKind::Relu, b.conv(x, 6)), x.channels);
  return {b.add(OpKind::Add, {x.value, inner.value}), x.channels};
}

/// Squeeze and excite.
Feature gate(Builder& b, Feature x) {
  const Feature mean = b.unary(OpKind::GlobalAveragePool, x);
  const Feature squeezed = b.unary(OpKind::Relu, b.conv(mean, 4, 1));
  const Feature scale = b.unary(OpKind::Sigmoid, b.conv(squeezed, x.channels, 1));
  return {b.add(OpKind::Mul, {x.value, scale.value}), x.channels};
}

Feature split_and_swap(Builder& b, Feature x) {
  const std::int64_t first = x.channels / 3 + 1;
  const ValueId sizes = b.ints({first, x.channels - first});
  const ValueId a = b.graph.add(OpKind::Split, {x.value, sizes}, {{"axis", std::int64_t{1}}}, b.next("Split"), 2);
  const auto c = static_cast<ValueId>(static_cast<std::int32_t>(a) + 1);
  return concat(b, {c, x.channels - first}, b.unary(OpKind::Sigmoid, {a, first}));
}

Feature slice(Builder& b, Feature x) {
  const ValueId y = b.add(OpKind::Slice, {x.value, b.ints({1}), b.ints({-1}), b.ints({1})});
  return {y, x.channels - 2};
}

/// As ShuffleNet does: [N, g, C/g, H, W] with the middle axes swapped.
Feature shuffle(Builder& b, Feature x, std::int64_t size) {
  if (x.channels % 2 != 0) return x;
  const ValueId apart = b.add(OpKind::Reshape, {x.value, b.ints({0, 2, x.channels / 2, size, size})});
  const ValueId swapped = b.add(OpKind::Transpose, {apart}, {{"perm", Ints{0, 2, 1, 3, 4}}});
  return {b.add(OpKind::Reshape, {swapped, b.ints({0, -1, size, size})}), x.channels};
}

Feature gather(Builder& b, Feature x) {
  Ints order = random_permutation(x.channels, b.random);
  return {b.add(OpKind::Gather, {x.value, b.ints(order)}, {{"axis", std::int64_t{1}}}), x.channels};
}

Feature grouped(Builder& b, Feature x) {
  return x.channels % 2 == 0 ? b.conv(x, 8, 3, 2) : b.depthwise(x, 2);
}

Feature random_step(Builder& b, Feature x, const std::vector<Feature>& earlier, std::int64_t size) {
  switch (b.random.below(12)) {
    case 0:
      return residual(b, x);
    case 1:
      return concat(b, x, earlier[b.random.below(earlier.size())]);
    case 2:
      return b.depthwise(x);
    case 3:
      return gate(b, x);
    case 4:
      return split_and_swap(b, x);
    case 5:
      return x.channels > 4 ? slice(b, x) : x;
    case 6:
      return shuffle(b, x, size);
    case 7:
      return gather(b, x);
    case 8:
      return grouped(b, x);
    case 9:
      return b.batch_norm(x);
    case 10:
      return b.unary(b.random.below(2) == 0 ? OpKind::HardSwish : OpKind::Sigmoid, x);
    default:
      return b.unary(OpKind::Relu, b.conv(x, 4 + static_cast<std::int64_t>(b.random.below(6))));
  }
}

}  // namespace

Graph random_network(std::uint64_t seed) {
  Builder b(seed);
  constexpr std::int64_t size = 4;
  std::vector<Feature> features = {b.conv(b.input(3, size), 8)};
  const std::uint64_t steps = 4 + b.random.below(7);
  for (std::uint64_t i = 0; i < steps; ++i) {
    Feature next = random_step(b, features.back(), features, size);
    if (next.channels > 30) next = b.conv(next, 7, 1);
    features.push_back(next);
  }
  Feature last = features.back();
  std::int64_t per_channel = size * size;
  if (b.random.below(2) == 0) {
    last = b.unary(OpKind::GlobalAveragePool, last);
    per_channel = 1;
  }
  const ValueId flat = b.add(OpKind::Flatten, {last.value});
  const ValueId hidden = b.add(OpKind::Relu, {b.gemm(flat, last.channels * per_channel, 9)});
  return b.finish(b.gemm(hidden, 9, 5));
}

}  // namespace adze::prune::testing
