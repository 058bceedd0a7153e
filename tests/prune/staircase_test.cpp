#include "adze/prune/staircase.h"

#include <gtest/gtest.h>

#include "adze/prune/allocate.h"
#include "adze/prune/bypass.h"
#include "adze/prune/measuring.h"
#include "adze/prune/prune.h"
#include "tests/prune/networks.h"

namespace adze::prune {
namespace {

using testing::Builder;

Graph plain_network() {
  Builder b(3);
  const auto first = b.unary(OpKind::Relu, b.conv(b.input(3, 4), 16));
  return b.finish(b.conv(first, 2).value);
}

/// A machine that computes channels in eights.
double in_eights(const Graph& graph) {
  double cost = 0;
  for (const Layer& layer : weight_layers(graph)) cost += static_cast<double>((layer.rows + 7) / 8);
  return cost;
}

TEST(MeasureStaircases, FindTheStepsOfAMachineThatWorksInEights) {
  const Graph graph = plain_network();
  const Groups groups = find_groups(graph);
  const auto scores = score_groups(graph, groups, {}, {});
  const auto staircases = measure_staircases(graph, groups, scores, in_eights);
  ASSERT_EQ(staircases.size(), 1u);
  EXPECT_EQ(staircases[0].kept.size(), 16u);
  EXPECT_EQ(staircases[0].costs.front(), 2);
  EXPECT_EQ(staircases[0].costs.back(), 3);
  EXPECT_EQ(kept_on_step(staircases[0], 3, 0), 8);
  EXPECT_EQ(kept_on_step(staircases[0], 9, 0), 16);
}

TEST(LandOnSteps, RefusesWhatCrossesNoneAndKeepsWhatCostsTheSame) {
  const Graph graph = plain_network();
  const Groups groups = find_groups(graph);
  const auto scores = score_groups(graph, groups, {}, {});
  const auto staircases = measure_staircases(graph, groups, scores, in_eights);
  const auto milder = choose_by_group(groups, scores, std::vector<double>{0.25}, {});
  const Landing refused = land_on_steps(groups, scores, milder, staircases, 0);
  EXPECT_TRUE(refused.selections.empty());
  EXPECT_EQ(refused.refused.size(), 1u);
  const auto harder = choose_by_group(groups, scores, std::vector<double>{0.75}, {});
  const Landing landed = land_on_steps(groups, scores, harder, staircases, 0);
  ASSERT_EQ(landed.selections.size(), 1u);
  EXPECT_EQ(landed.selections[0].units.size(), 8u);
}

TEST(Prune, ReachesATargetOfMeasuredCost) {
  PruneOptions options;
  options.target_latency = 0.7;
  options.on_steps = true;
  PruneInputs inputs;
  inputs.cost = in_eights;
  const PruneOutcome outcome = prune(plain_network(), options, inputs);
  EXPECT_EQ(outcome.cost_before, 3);
  EXPECT_EQ(outcome.cost_after, 2);
  EXPECT_EQ(outcome.groups.at(0).removed.size(), 8u);
}

/// Two residual blocks of which the second adds next to nothing.
Graph residual_network() {
  Builder b(5);
  auto x = b.unary(OpKind::Relu, b.conv(b.input(3, 4), 8));
  for (int block = 0; block < 2; ++block) {
    auto inner = b.conv(b.unary(OpKind::Relu, b.conv(x, 8)), 8);
    if (block == 1) {
      const Node& last = *b.graph.producer_of(inner.value);
      for (const std::size_t input : {1u, 2u}) {
        for (float& w : b.graph.value(last.input(input)).constant->mutable_data<float>()) w *= 1e-3F;
      }
    }
    x = {b.add(OpKind::Add, {inner.value, x.value}), 8};
  }
  return b.finish(b.conv(x, 4).value);
}

Batches two_batches() {
  return {2, [](std::int64_t batch) {
            Random random(static_cast<std::uint64_t>(batch));
            Tensor tensor(DType::F32, {2, 3, 4, 4});
            for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
            return std::vector<Tensor>{tensor};
          }};
}

TEST(FindBypasses, SeeResidualBlocksAndLayersThatKeepTheShape) {
  const Graph graph = residual_network();
  EXPECT_EQ(find_bypasses(graph, Depth::Blocks).size(), 2u);
  EXPECT_EQ(find_bypasses(graph, Depth::Layers).size(), 4u);
}

TEST(Prune, GoesAroundTheBlockThatAddsLeast) {
  const Graph graph = residual_network();
  PruneOptions options;
  options.depth = Depth::Blocks;
  options.ratio = 0.5;
  PruneInputs inputs;
  inputs.batches = two_batches();
  const PruneOutcome outcome = prune(graph, options, inputs);
  ASSERT_EQ(outcome.groups.size(), 1u);
  EXPECT_EQ(outcome.graph.num_alive_nodes(), graph.num_alive_nodes() - 4);
  EXPECT_LT(relative_error(outputs_of(graph, two_batches()), outputs_of(outcome.graph, two_batches())), 1e-4);
}

/// 1x1, 3x3 by channel, 1x1, each with a batch norm and an activation behind.
Graph separable_network() {
  Builder b(7);
  auto x = b.unary(OpKind::Relu, b.batch_norm(b.conv(b.input(3, 4), 8, 1)));
  x = b.unary(OpKind::Relu, b.batch_norm(b.depthwise(x)));
  x = b.unary(OpKind::Relu, b.batch_norm(b.conv(x, 8, 1)));
  return b.finish(b.conv(x, 4).value);
}

TEST(FindBypasses, SeeWhereTwoLayersBecomeOneThatTakesFewerMacs) {
  const Graph graph = separable_network();
  const auto merges = find_bypasses(graph, Depth::Merged);
  ASSERT_EQ(merges.size(), 1u);  // around the depthwise layer; the padded 3x3 at the end cannot be merged
  EXPECT_TRUE(find_bypasses(graph, Depth::Merged, {merges[0].name}).empty());
}

TEST(Prune, MergesTheLayersAroundOneThatWent) {
  const Graph graph = separable_network();
  PruneOptions options;
  options.depth = Depth::Merged;
  options.ratio = 0.9;
  PruneInputs inputs;
  inputs.batches = two_batches();
  const PruneOutcome outcome = prune(graph, options, inputs);
  ASSERT_EQ(outcome.groups.size(), 1u);
  EXPECT_EQ(outcome.after.macs, 2 * 16 * (3 * 8 + 9 * 8 * 4));
  // The same but for merging.
  const Graph around = bypassed(graph, find_bypasses(graph, Depth::Merged).at(0));
  Graph merged = around;
  ASSERT_TRUE(merge_layers_at(merged, find_bypasses(graph, Depth::Merged).at(0).from));
  EXPECT_LT(relative_error(outputs_of(around, two_batches()), outputs_of(merged, two_batches())), 1e-10);
}

TEST(FindBypasses, SeeBlocksWhoseShortWayIsALayer) {
  Builder b(3);
  const auto x = b.conv(b.input(3, 4), 8);
  const auto inner = b.conv(b.unary(OpKind::Relu, b.conv(x, 8)), 8);
  const Builder::Feature sum = {b.add(OpKind::Add, {inner.value, b.conv(x, 8, 1).value}), 8};
  const Graph graph = b.finish(b.unary(OpKind::Relu, sum).value);
  const auto blocks = find_bypasses(graph, Depth::Blocks);
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(bypassed(graph, blocks[0]).num_alive_nodes(), 3);
}

}  // namespace
}  // namespace adze::prune
