#include "adze/prune/remove.h"

#include <gtest/gtest.h>

#include "adze/engine/reference/reference.h"
#include "adze/graph/text.h"
#include "tests/prune/networks.h"

namespace adze::prune {
namespace {

using testing::Builder;
using testing::Ints;

std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed) {
  std::vector<Tensor> inputs;
  Random random(seed);
  for (const ValueId id : graph.inputs()) {
    Tensor tensor(DType::F32, concrete(*graph.value(id).type.shape).value());
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

std::int64_t num_parameters(const Graph& graph) {
  std::int64_t count = 0;
  for (std::int32_t v = 0; v < graph.num_values(); ++v) {
    const Value& value = graph.value(static_cast<ValueId>(v));
    if (value.constant && value.constant->dtype() == DType::F32) count += value.constant->size();
  }
  return count;
}

/// Up to half of the units of about half of the groups.
std::vector<Selection> random_selections(const Groups& groups, Random& random) {
  std::vector<Selection> selections;
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    const std::int64_t size = groups.groups[g].size;
    if (random.below(2) == 0) continue;
    std::vector<std::int64_t> order = random_permutation(size, random);
    order.resize(1 + random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(1, size / 2))));
    selections.push_back({g, order});
  }
  return selections;
}

void expect_removal_equals_zeroing(const Graph& graph, const Groups& groups, std::span<const Selection> selections) {
  const Graph removed = remove_units(graph, groups, selections);
  const Graph zeroed = zero_units(graph, groups, selections);
  const auto inputs = random_inputs(graph, 3);
  const auto small = reference::run_tensors(removed, inputs), full = reference::run_tensors(zeroed, inputs);
  ASSERT_EQ(small.size(), full.size());
  for (std::size_t o = 0; o < small.size(); ++o) {
    ASSERT_EQ(small[o].shape(), full[o].shape());
    const auto a = to_floats(small[o]), b = to_floats(full[o]);
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i], b[i], 1e-4 * (1 + std::abs(b[i]))) << print_graph(graph, {.constant_data = false});
    }
  }
  if (!selections.empty()) {
    EXPECT_LT(num_parameters(removed), num_parameters(graph));
  }
}

TEST(RemoveUnits, OfRandomNetworksEqualsZeroingTheirWeights) {
  std::size_t removed = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const Graph graph = testing::random_network(seed);
    const Groups groups = find_groups(graph);
    ASSERT_FALSE(groups.groups.empty());
    Random random(seed);
    const auto selections = random_selections(groups, random);
    removed += selections.size();
    ASSERT_NO_FATAL_FAILURE(expect_removal_equals_zeroing(graph, groups, selections));
  }
  EXPECT_GT(removed, 500u);
}

TEST(RemoveUnits, KeepsAtLeastOneUnitOfEveryGroup) {
  const Graph graph = testing::random_network(1);
  const Groups groups = find_groups(graph);
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < groups.groups[0].size; ++i) all.push_back(i);
  const std::vector<Selection> selections = {{0, all}};
  EXPECT_THROW(remove_units(graph, groups, selections), UsageError);
}

TEST(FindGroups, FlattenedChannelsTakeAllTheirPlacesWithThem) {
  Builder b(1);
  const auto x = b.conv(b.input(3, 2), 4);
  const Graph graph = b.finish(b.gemm(b.add(OpKind::Flatten, {x.value}), 16, 5));
  const Groups groups = find_groups(graph);
  ASSERT_EQ(groups.groups.size(), 1u);
  const Group& group = groups.groups[0];
  EXPECT_EQ(group.name, "Conv_2");
  EXPECT_EQ(group.size, 4);
  for (const Member& member : group.members) {
    if (member.per_unit == 1) continue;
    const auto indices = member.of(1);
    EXPECT_EQ(Ints(indices.begin(), indices.end()), (Ints{4, 5, 6, 7}));
  }
}

TEST(FindGroups, LeavesInputsAndOutputsAlone) {
  Builder b(1);
  const auto x = b.conv(b.input(3, 2), 4);
  const Graph graph = b.finish(x.value);
  const Groups groups = find_groups(graph);
  EXPECT_TRUE(groups.groups.empty());
  ASSERT_FALSE(groups.fixed.empty());
  EXPECT_EQ(groups.fixed[0].why, "an output of the network");
}

TEST(FindGroups, ResidualAddsCoupleWhatTheyAdd) {
  Builder b(1);
  const auto stem = b.conv(b.input(3, 2), 6);
  const auto inner = b.conv(b.conv(stem, 5), 6);
  const Builder::Feature sum{b.add(OpKind::Add, {stem.value, inner.value}), 6};
  const Graph graph = b.finish(b.conv(sum, 2).value);
  const Groups groups = find_groups(graph);
  ASSERT_EQ(groups.groups.size(), 2u);
  EXPECT_EQ(groups.groups[0].size, 6);
  EXPECT_EQ(groups.groups[1].size, 5);
}

/// [2, 6 steps, 8] through two heads of size 4.
Graph attention_network() {
  Builder b(1);
  const ValueId x = b.graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{2, 6, 8}));
  const ValueId in = b.matmul(x, 8, 12);
  const auto heads = [&](Ints order) {
    const ValueId apart = b.add(OpKind::Reshape, {b.matmul(in, 12, 8), b.ints({0, 0, 2, 4})});
    return b.add(OpKind::Transpose, {apart}, {{"perm", order}});
  };
  const ValueId query = heads({0, 2, 1, 3}), key = heads({0, 2, 3, 1}), value = heads({0, 2, 1, 3});
  const ValueId weights = b.add(OpKind::Softmax, {b.add(OpKind::MatMul, {query, key})});
  const ValueId mixed =
      b.add(OpKind::Transpose, {b.add(OpKind::MatMul, {weights, value})}, {{"perm", Ints{0, 2, 1, 3}}});
  const ValueId joined = b.add(OpKind::Reshape, {mixed, b.ints({0, 0, 8})});
  return b.finish(b.matmul(joined, 8, 5));
}

TEST(RemoveUnits, TakesWholeAttentionHeads) {
  const Graph graph = attention_network();
  const Groups groups = find_groups(graph);
  ASSERT_EQ(groups.groups.size(), 2u);
  EXPECT_EQ(groups.groups[1].size, 2);
  const std::vector<Selection> selections = {{0, {3, 7}}, {1, {0}}};
  expect_removal_equals_zeroing(graph, groups, selections);
}

Graph recurrent_network(OpKind kind, std::int64_t gates, const std::string& direction) {
  Builder b(1);
  constexpr std::int64_t steps = 5, features = 4, hidden = 6;
  const std::int64_t directions = direction == "bidirectional" ? 2 : 1;
  const ValueId x = b.graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{steps, 2, 3}));
  const ValueId in = b.matmul(x, 3, features);
  const ValueId weight = b.constant("weight", b.normal({directions, gates * hidden, features}, 0.5));
  const ValueId recurrent = b.constant("recurrent", b.normal({directions, gates * hidden, hidden}, 0.5));
  const ValueId bias = b.constant("bias", b.normal({directions, 2 * gates * hidden}, 0.5));
  const ValueId y = b.add(kind, {in, weight, recurrent, bias}, {{"hidden_size", hidden}, {"direction", direction}});
  const ValueId apart = b.add(OpKind::Transpose, {y}, {{"perm", Ints{0, 2, 1, 3}}});
  const ValueId joined = b.add(OpKind::Reshape, {apart, b.ints({0, 0, -1})});
  return b.finish(b.matmul(joined, directions * hidden, 4));
}

TEST(RemoveUnits, TakesHiddenUnitsOfRecurrentLayers) {
  for (const auto& [kind, gates] : {std::pair{OpKind::LSTM, 4}, {OpKind::GRU, 3}, {OpKind::RNN, 1}}) {
    for (const std::string direction : {"forward", "bidirectional"}) {
      SCOPED_TRACE(direction);
      const Graph graph = recurrent_network(kind, gates, direction);
      const Groups groups = find_groups(graph);
      ASSERT_EQ(groups.groups.size(), 2u);
      EXPECT_EQ(groups.groups[1].size, 6);
      const std::vector<Selection> selections = {{0, {1}}, {1, {0, 4}}};
      expect_removal_equals_zeroing(graph, groups, selections);
    }
  }
}

}  // namespace
}  // namespace adze::prune
