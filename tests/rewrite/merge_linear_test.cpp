#include "adze/rewrite/rules/merge_linear.h"

#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"
#include "adze/plan/cost.h"
#include "adze/rewrite/rewrite.h"
#include "tests/support/same_outputs.h"

namespace adze::rewrite {
namespace {

using Ints = std::vector<std::int64_t>;

Tensor normal(Random& random, const Shape& shape) {
  Tensor tensor(DType::F32, shape);
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
  return tensor;
}

std::int64_t one_of(Random& random, std::initializer_list<std::int64_t> values) {
  return values.begin()[random.below(values.size())];
}

struct Pair {
  Graph graph;
  std::int64_t channels = 0;
  ValueId value = ValueId::None;
};

void add_conv(Pair& pair, Random& random, bool pads) {
  const std::int64_t number = pair.graph.num_values();
  const std::int64_t groups = one_of(random, {1, 1, 2, pair.channels});
  const std::int64_t out = groups * one_of(random, {1, 2, 3});
  Ints kernel, strides, dilations, around(4, 0);
  for (int axis = 0; axis < 2; ++axis) {
    kernel.push_back(one_of(random, {1, 1, 2, 3}));
    strides.push_back(one_of(random, {1, 1, 2}));
    dilations.push_back(one_of(random, {1, 1, 2}));
  }
  for (std::int64_t& pad : around) pad = pads ? one_of(random, {0, 1}) : 0;
  std::vector<ValueId> inputs = {
      pair.value,
      pair.graph.add_constant(cat("w", number), normal(random, {out, pair.channels / groups, kernel[0], kernel[1]}))};
  if (random.below(2) == 0) inputs.push_back(pair.graph.add_constant(cat("b", number), normal(random, {out})));
  pair.value = pair.graph.add(
      OpKind::Conv, std::move(inputs),
      {{"group", groups}, {"kernel_shape", kernel}, {"strides", strides}, {"dilations", dilations}, {"pads", around}},
      cat("conv", number));
  pair.channels = out;
}

Pair random_pair(std::uint64_t seed) {
  Random random(seed);
  Pair pair;
  pair.channels = one_of(random, {2, 4});
  pair.value = pair.graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{2, pair.channels, 13, 14}));
  add_conv(pair, random, true);
  if (pair.channels % 2 != 0) add_conv(pair, random, false);
  if (pair.channels % 2 == 0) add_conv(pair, random, random.below(3) == 0);
  pair.graph.add_output(pair.value);
  infer_types(pair.graph);
  return pair;
}

TEST(MergeLinear, KeepsWhatRandomPairsOfConvolutionsComputeAndTakesFewerMacs) {
  int merged = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Pair pair;
    try {
      pair = random_pair(seed);
    } catch (const ModelError&) {
      continue;  // groups that do not divide the channels
    }
    Graph after = pair.graph;
    if (rewrite(after, merge_linear_rules()) == 0) continue;
    ++merged;
    verify(after);
    EXPECT_LT(compute_cost(after).macs, compute_cost(pair.graph).macs) << seed;
    EXPECT_EQ(testing::run_difference(pair.graph, after, Exactness::Rounding).value_or("none"), "none") << seed;
  }
  EXPECT_GT(merged, 60);
}

TEST(MergeLinear, LeavesLayersThatAnotherNodeReads) {
  Random random(1);
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{2, 8}));
  const ValueId h = graph.add(OpKind::MatMul, {x, graph.add_constant("w1", normal(random, {8, 8}))}, {}, "first");
  graph.add_output(graph.add(OpKind::MatMul, {h, graph.add_constant("w2", normal(random, {8, 8}))}, {}, "second"));
  Graph shared = graph;
  shared.add_output(h);
  infer_types(graph);
  infer_types(shared);
  EXPECT_EQ(rewrite(graph, merge_linear_rules()), 1);
  EXPECT_EQ(rewrite(shared, merge_linear_rules()), 0);
}

}  // namespace
}  // namespace adze::rewrite
