// The order that needs the least memory, against all orders of small graphs.
#include "adze/plan/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "adze/base/random.h"
#include "adze/graph/edit.h"
#include "adze/plan/stream_choice.h"

namespace adze {
namespace {

/// Nodes that read earlier values at random; what nobody reads is an output.
Graph random_graph(std::uint64_t seed, int nodes) {
  Random random(seed);
  Graph graph;
  std::vector<ValueId> values;
  const auto type = [&] {
    return ValueType::tensor(DType::S8, symbolic({static_cast<std::int64_t>(1 + random.below(100))}));
  };
  values.push_back(graph.add_input("x", type()));
  for (int i = 0; i < nodes; ++i) {
    std::vector<ValueId> inputs;
    for (std::uint64_t k = 0, count = 1 + random.below(2); k < count; ++k) {
      inputs.push_back(values[values.size() - 1 - random.below(std::min<std::size_t>(values.size(), 4))]);
    }
    const ValueId output = graph.add(OpKind::QMatMul, inputs, {}, "v");
    graph.value(output).type = type();
    values.push_back(output);
  }
  const Uses uses(graph);
  for (const ValueId id : values) {
    if (uses.of(id).empty()) graph.add_output(id);
  }
  return graph;
}

std::int64_t lowest_of_all(const Graph& graph) {
  std::vector<NodeId> order = topological_order(graph);
  std::sort(order.begin(), order.end());
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
  do {
    std::vector<bool> made(static_cast<std::size_t>(graph.num_values()), false);
    for (const ValueId id : graph.inputs()) made[static_cast<std::size_t>(id)] = true;
    const bool runs = std::all_of(order.begin(), order.end(), [&](NodeId id) {
      const Node& node = graph.node(id);
      for (const ValueId input : node.inputs) {
        if (!made[static_cast<std::size_t>(input)]) return false;
      }
      made[static_cast<std::size_t>(node.outputs[0])] = true;
      return true;
    });
    if (runs) lowest = std::min(lowest, peak_of_order(graph, order, {}));
  } while (std::next_permutation(order.begin(), order.end()));
  return lowest;
}

TEST(LowestPeakOrder, IsTheBestOfAllOrders) {
  int better = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Graph graph = random_graph(seed, 7);
    const MemoryOrder found = lowest_peak_order(graph);
    EXPECT_TRUE(found.proved()) << seed;
    EXPECT_EQ(found.peak_bytes, lowest_of_all(graph)) << seed;
    EXPECT_EQ(found.peak_bytes, peak_of_order(graph, found.order, {})) << seed;
    if (found.peak_bytes < peak_of_order(graph, topological_order(graph), {})) ++better;
    PlanOptions options;
    options.order = found.order;
    EXPECT_EQ(make_plan(graph, options).peak_activation_bytes, found.peak_bytes) << seed;
  }
  EXPECT_GT(better, 5);
}

TEST(LowestPeakOrder, IsNeverWorseThanTheGivenOneWhenStatesRunOut) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Graph graph = random_graph(seed, 60);
    const std::int64_t given = peak_of_order(graph, topological_order(graph), {});
    const MemoryOrder greedy = lowest_peak_order(graph, {}, 3), searched = lowest_peak_order(graph, {}, 2000);
    EXPECT_LE(greedy.peak_bytes, given);
    EXPECT_LE(searched.peak_bytes, given);
    EXPECT_LE(greedy.lower_bound_bytes, searched.peak_bytes);
    EXPECT_LE(searched.lower_bound_bytes, greedy.peak_bytes);
    if (searched.proved()) {
      EXPECT_LE(searched.peak_bytes, greedy.peak_bytes);
    }
    EXPECT_EQ(greedy.order.size(), 60u);
  }
}

/// x → two wide values, each made small again → their sum.
Graph two_branches() {
  Graph graph;
  const auto bytes = [](std::int64_t count) { return ValueType::tensor(DType::S8, symbolic({count})); };
  const ValueId x = graph.add_input("x", bytes(10));
  const ValueId wide = graph.add(OpKind::QGemm, {x}, {}, "w"), wide2 = graph.add(OpKind::QGemm, {x}, {}, "w2");
  const ValueId small = graph.add(OpKind::QGemm, {wide}, {}, "s"), small2 = graph.add(OpKind::QGemm, {wide2}, {}, "s2");
  const ValueId sum = graph.add(OpKind::QMatMul, {small, small2}, {}, "sum");
  graph.value(wide).type = graph.value(wide2).type = bytes(100);
  graph.value(small).type = graph.value(small2).type = graph.value(sum).type = bytes(5);
  graph.add_output(sum);
  return graph;
}

TEST(LowestPeakOrder, FinishesABranchBeforeTheNextWhereThatIsSmaller) {
  const Graph graph = two_branches();
  const MemoryOrder found = lowest_peak_order(graph);
  EXPECT_EQ(found.peak_bytes, 115);  // x, the first small value and the second wide one
  EXPECT_EQ(found.lower_bound_bytes, 115);
}

TEST(MakePlanFor, TakesTheOrderWithTheSmallerArena) {
  const Graph graph = two_branches();
  for (const PlanGoal goal : {PlanGoal::Work, PlanGoal::Balanced, PlanGoal::Memory}) {
    const Plan plan = make_plan_for(goal, graph, {});
    EXPECT_EQ(plan.arena_bytes, 115);
    EXPECT_EQ(plan.order_peak_bytes, 115);
    EXPECT_EQ(plan.order_lower_bound_bytes, 115);
  }
}

TEST(MakePlanFor, FitsIntoTheMemoriesTogether) {
  PlanOptions options;
  options.memory_bytes = {100, 20};
  const Plan plan = make_plan_for(PlanGoal::Work, two_branches(), options);
  EXPECT_EQ(plan.memory_excess, 0);
  EXPECT_EQ(plan.memory_used, (std::vector<std::int64_t>{100, 15}));
  EXPECT_GT(plan.traffic, plan.slow_traffic);
}

}  // namespace
}  // namespace adze
