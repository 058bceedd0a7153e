#include "adze/quantize/sensitivity.h"

#include <gtest/gtest.h>

#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

TEST(Sensitivities, RankTheLayerThatSuffersFirst) {
  Graph graph = testing::residual_network();
  // One huge weight of block_b takes all the codes of its per-tensor scale; the head ignores its channel.
  graph.value(graph.find_value("block_b.weight")).constant->mutable_data<float>()[0] = 60;
  const auto head = graph.value(graph.find_value("head.weight")).constant->mutable_data<float>();
  for (std::size_t i = 0; i < 5; ++i) head[i * 8] = 0;
  PtqOptions options;
  options.weights = Granularity::PerTensor;
  const CalibrationData data = calibration_from(testing::random_batches(2, {4, 3, 8, 8}));
  const auto ranked = sensitivities(graph, data, options, 2);
  ASSERT_EQ(ranked.size(), 4U);
  EXPECT_EQ(ranked[0].node, "block_b");
  EXPECT_EQ(ranked[0].parameters, 576);
  for (std::size_t i = 1; i < ranked.size(); ++i) EXPECT_GE(ranked[i].sqnr_db, ranked[i - 1].sqnr_db);
  EXPECT_GT(ranked[3].sqnr_db, 20);
}

}  // namespace
}  // namespace adze::quantize
