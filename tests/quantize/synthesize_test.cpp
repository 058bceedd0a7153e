#include "adze/quantize/synthesize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/graph/infer.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/quantized_layers.h"
#include "adze/train/learner.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

/// Noted statistics that some real pictures have: those of the network on random ones, half as bright.
Graph noted_network() {
  Graph graph = testing::residual_network(6);
  infer_types(graph);
  auto batches = testing::random_batches(2, {32, 3, 8, 8});
  for (auto& batch : batches) {
    for (float& value : batch[0].mutable_data<float>()) value = 60 + 20 * value;
  }
  const std::vector<NodeId> layers{find_node(graph, "stem"), find_node(graph, "block_a")};
  for (const auto& [id, statistics] : measure_outputs(graph, layers, calibration_from(batches), 0, silent_progress())) {
    set_noted_statistics(graph.node(id), statistics);
  }
  return graph;
}

TEST(SyntheticSamples, HaveTheStatisticsThatLayersNote) {
  try {
    train::plugin();
  } catch (const UnsupportedError&) {
    GTEST_SKIP() << "skipped: no training plug-in";
  }
  const Graph graph = noted_network();
  SyntheticOptions options;
  options.samples = options.batch = 16;
  options.iterations = 60;
  const CalibrationData made = synthetic_samples(graph, options, silent_progress());
  ASSERT_EQ(made.num_batches, 1);
  EXPECT_EQ(made.batch(0)[0].shape(), (Shape{16, 3, 8, 8}));
  const NodeId stem = find_node(graph, "stem");
  const NodeId layers[] = {stem};
  const ChannelStatistics found = measure_outputs(graph, layers, made, 0, silent_progress()).at(stem);
  const ChannelStatistics wanted = *noted_statistics(graph.node(stem));
  for (std::size_t i = 0; i < wanted.mean.size(); ++i) {
    EXPECT_NEAR(found.mean[i], wanted.mean[i], wanted.deviation[i]) << i;
    EXPECT_LT(std::abs(std::log(found.deviation[i] / wanted.deviation[i])), std::log(2.0)) << i;
  }
}

TEST(SyntheticSamples, NeedStatistics) {
  Graph graph = testing::residual_network(6);
  infer_types(graph);
  EXPECT_THROW(synthetic_samples(graph, {}, silent_progress()), UnsupportedError);
}

}  // namespace
}  // namespace adze::quantize
