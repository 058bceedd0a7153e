#include "adze/quantize/equalize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/channel_statistics.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::Builder;
using testing::random_batches;

/// Conv → Relu → depthwise → Relu → Conv → pool → Flatten → Gemm, the channels of the first two spread over decades.
Graph chain(OpKind activation = OpKind::Relu) {
  Builder b(3);
  const auto act = [&](ValueId x, const std::string& name) {
    if (activation == OpKind::Relu) return b.add(OpKind::Relu, {x}, name);
    return b.add(OpKind::Clip,
                 {x, b.constant(name + ".low", Tensor::scalar(0.0F)), b.constant(name + ".high", Tensor::scalar(6.0F))},
                 name);
  };
  ValueId x = act(b.conv(b.input({1, 3, 8, 8}), 3, 8, "a"), "a_act");
  x = act(b.conv(x, 8, 8, "b", 8), "b_act");
  x = b.add(OpKind::GlobalAveragePool, {b.conv(x, 8, 6, "c")}, "pool");
  b.graph.add_output(b.gemm(b.add(OpKind::Flatten, {x}, "flat"), 6, 4, "d"));
  const auto weights = b.graph.value(b.graph.find_value("a.weight")).constant->mutable_data<float>();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= std::pow(10.0F, static_cast<float>(i / 27 % 4) - 2);
  infer_types(b.graph);
  return b.graph;
}

double sqnr(const Graph& a, const Graph& b) {
  double least = 1e9;
  for (const auto& inputs : random_batches(2, {4, 3, 8, 8}, 5)) {
    const auto exact = reference::run_tensors(a, inputs), other = reference::run_tensors(b, inputs);
    least = std::min(least, sqnr_db(exact[0].data<float>(), other[0].data<float>()));
  }
  return least;
}

/// The largest |weight| over output channel `channel` of "a" and over the channel of the depthwise "b".
double reach(const Graph& graph, const std::string& name, std::size_t channel, std::size_t size) {
  const auto weights = graph.constant(graph.find_value(name))->data<float>();
  double largest = 0;
  for (std::size_t i = channel * size; i < (channel + 1) * size; ++i) {
    largest = std::max(largest, static_cast<double>(std::abs(weights[i])));
  }
  return largest;
}

TEST(EqualizeLayers, KeepsTheFunctionAndMakesRangesAlike) {
  const Graph before = chain();
  Graph after = before;
  const EqualizeReport report = equalize_layers(after, false);
  EXPECT_EQ(report.pairs, 3);
  EXPECT_GT(report.largest_factor, 2);
  EXPECT_GT(sqnr(before, after), 110);
  // At the fixed point both sides of a pair reach equally far, channel by channel.
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(reach(after, "a.weight", i, 27) / reach(after, "b.weight", i, 9), 1, 0.01) << i;
  }
  EXPECT_GT(std::abs(reach(before, "a.weight", 0, 27) / reach(before, "b.weight", 0, 9) - 1), 0.5);
}

TEST(EqualizeLayers, LeavesClipsAloneUnlessOpened) {
  const Graph before = chain(OpKind::Clip);
  Graph kept = before, opened = before;
  EXPECT_EQ(equalize_layers(kept, false).pairs, 1);
  EXPECT_GT(sqnr(before, kept), 110);
  const EqualizeReport report = equalize_layers(opened, true);
  EXPECT_EQ(report.opened_clips, 2);
  EXPECT_EQ(report.pairs, 3);
  EXPECT_GT(sqnr(chain(OpKind::Relu), opened), 110);
}

TEST(EqualizeLayers, DoesNotCrossSumsOrSharedValues) {
  Graph graph = testing::residual_network();
  infer_types(graph);
  const Graph before = graph;
  const EqualizeReport report = equalize_layers(graph, false);
  EXPECT_EQ(report.pairs, 1);  // block_a → block_b; the stem's output is read twice
  EXPECT_GT(sqnr(before, graph), 110);
}

TEST(AbsorbHighBiases, MovesWhatNeverFallsBelowThroughTheRelu) {
  Builder b(4);
  const ValueId x = b.input({1, 5});
  const ValueId hidden = b.add(OpKind::Relu, {b.gemm(x, 5, 6, "a")}, "relu");
  b.graph.add_output(b.gemm(hidden, 6, 3, "c"));
  Graph graph = b.graph;
  infer_types(graph);
  const auto bias = graph.value(graph.find_value("a.bias")).constant->mutable_data<float>();
  bias[2] = 40;  // inputs are around 1, so this channel is never below 20
  const Graph before = graph;
  ChannelStatistics statistics{std::vector<double>(6, 0.0), std::vector<double>(6, 1.0)};
  statistics.mean[2] = 40;
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).name == "a") set_noted_statistics(graph.node(id), statistics);
  }
  EqualizeReport report;
  absorb_high_biases(graph, report);
  EXPECT_EQ(report.absorbed_channels, 1);
  EXPECT_FLOAT_EQ(graph.constant(graph.find_value("a.bias"))->data<float>()[2], 3);
  Builder inputs(9);
  const std::vector<Tensor> batch{inputs.normal({16, 5}, 0.5)};
  const auto exact = reference::run_tensors(before, batch), other = reference::run_tensors(graph, batch);
  EXPECT_GT(sqnr_db(exact[0].data<float>(), other[0].data<float>()), 110);
}

TEST(NoteBatchNorms, KeepsShiftAndScaleAtTheLayer) {
  Builder b(5);
  const ValueId conv = b.conv(b.input({1, 3, 8, 8}), 3, 2, "conv");
  const auto constant = [&](const char* name, float first, float second) {
    return b.constant(name, Tensor::from<float>({2}, {first, second}));
  };
  b.graph.add_output(b.add(OpKind::BatchNormalization,
                           {conv, constant("scale", 2, -0.5F), constant("shift", 0.25F, -3), constant("mean", 1, 1),
                            constant("variance", 1, 1)},
                           "norm"));
  note_batch_norms(b.graph);
  const auto statistics = noted_statistics(b.graph.node(b.graph.node_ids()[0]));
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->mean, (std::vector<double>{0.25, -3}));
  EXPECT_EQ(statistics->deviation, (std::vector<double>{2, 0.5}));
}

}  // namespace
}  // namespace adze::quantize
