#include "adze/quantize/blocks.h"

#include <gtest/gtest.h>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/block_rounding.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/quantized_layers.h"
#include "adze/quantize/soft_rounding.h"
#include "adze/train/learner.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::random_batches;

Graph network() {
  Graph graph = testing::residual_network(3);
  infer_types(graph);
  return graph;
}

bool has_plugin() {
  try {
    train::plugin();
    return true;
  } catch (const UnsupportedError&) {
    return false;
  }
}

TEST(FindBlocks, PartsAResidualNetworkAtTheValuesThatCarryEverything) {
  const Graph graph = network();
  const std::vector<Block> blocks = find_blocks(graph);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].layers.size(), 1U);
  ASSERT_EQ(blocks[1].layers.size(), 2U);
  EXPECT_EQ(graph.node(blocks[1].layers[0]).name, "block_a");
  EXPECT_EQ(graph.node(blocks[1].layers[1]).name, "block_b");
  EXPECT_EQ(graph.node(blocks[2].layers[0]).name, "head");
  EXPECT_EQ(blocks[0].to, blocks[1].from);
}

TEST(BlockGraph, ComputesWhatTheNetworkComputesThere) {
  const Graph graph = network();
  const Block block = find_blocks(graph)[1];
  Graph first = graph, both = graph;
  first.set_outputs({block.from});
  both.set_outputs({block.to});
  const auto inputs = random_batches(1, {2, 3, 8, 8})[0];
  const std::vector<Tensor> middle{reference::run_tensors(first, inputs)[0].reshaped({2, 8, 8, 8})};
  const Tensor direct = reference::run_tensors(both, inputs)[0];
  const Tensor found = reference::run_tensors(block_graph(graph, block), middle)[0];
  EXPECT_GT(sqnr_db(direct.data<float>(), found.data<float>()), 120);
}

TEST(SoftRounding, WithoutGradientGoesToTheNearestCode) {
  const std::vector<float> weights{0.2F, 0.9F, -0.3F, -0.8F, 5.0F}, scales(5, 1.0F), none(5, 0.0F);
  const AdaRoundOptions options;
  SoftRounding rounding(weights, scales, -2, 2, 1, options, 500);
  std::vector<float> soft(5);
  rounding.soften(soft);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(soft[i], weights[i], 1e-4);
  for (int i = 0; i < 500; ++i) rounding.update(i, none);
  EXPECT_EQ(rounding.codes(), (std::vector<float>{0, 1, 0, -1, 2}));
}

TEST(SoftRounding, FollowsAGradientAgainstTheNearestCode) {
  const std::vector<float> weights{0.4F}, scales{1.0F}, push{-10.0F};
  const AdaRoundOptions options;
  SoftRounding rounding(weights, scales, -2, 2, 0.01, options, 500);
  for (int i = 0; i < 500; ++i) rounding.update(i, push);
  EXPECT_EQ(rounding.codes()[0], 1);
}

TEST(RoundBlock, LowersTheErrorOfAResidualBlock) {
  if (!has_plugin()) GTEST_SKIP() << "skipped: no training plug-in";
  const Graph graph = network();
  const CalibrationData data = calibration_from(random_batches(4, {16, 3, 8, 8}));
  PtqOptions options;
  options.bits = {3, 8};
  options.end_bits = 3;
  options.methods.adaround.block_iterations = 100;
  Graph quantized = quantize(graph, data, options).graph;
  const auto rounded = round_block(graph, quantized, find_blocks(graph)[1], options, data);
  ASSERT_TRUE(rounded);
  EXPECT_EQ(rounded->layers, (std::vector<std::string>{"block_a", "block_b"}));
  EXPECT_LT(rounded->error, rounded->nearest_error);
  EXPECT_GT(rounded->changed, 0);
}

}  // namespace
}  // namespace adze::quantize
