#include "adze/quantize/smooth.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/awq.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/split_channels.h"
#include "adze/quantize/weight_blocks.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::Builder;
using testing::random_batches;

/// LayerNormalization → two MatMuls whose sum → Add → MatMul; two channels of the norm are outliers.
Graph norm_network(float outlier, float weight_share = 1) {
  Builder b(21);
  const ValueId x = b.input({1, 6, 32});
  Tensor scale = b.normal({32}, 0.1);
  for (float& value : scale.mutable_data<float>()) value += 1;
  scale.mutable_data<float>()[3] = outlier;
  scale.mutable_data<float>()[17] = -outlier;
  const ValueId norm = b.add(OpKind::LayerNormalization,
                             {x, b.constant("scale", scale), b.constant("shift", b.normal({32}, 0.1))}, "norm");
  const auto weights = [&](const char* name) {
    Tensor tensor = b.normal({32, 24}, 0.2);
    for (std::size_t i = 0; i < 24; ++i) {
      for (const std::size_t row : {std::size_t{3}, std::size_t{17}})
        tensor.mutable_data<float>()[row * 24 + i] *= weight_share;
    }
    return b.constant(name, tensor);
  };
  const ValueId left = b.add(OpKind::MatMul, {norm, weights("left.w")}, "left");
  const ValueId right = b.add(OpKind::MatMul, {norm, weights("right.w")}, "right");
  const ValueId biased = b.add(OpKind::Add, {right, b.constant("right.b", b.normal({24}, 0.2))}, "biased");
  const ValueId next = b.add(OpKind::MatMul, {biased, b.constant("next.w", b.normal({24, 24}, 0.2))}, "next");
  b.graph.add_output(b.add(OpKind::Add, {left, next}, "sum"));
  infer_types(b.graph);
  return b.graph;
}

const Shape tokens{4, 6, 32};

double sqnr(const Graph& a, const Graph& b, const Shape& shape = tokens) {
  double least = 1e9;
  for (const auto& inputs : random_batches(2, shape, 31)) {
    const auto exact = reference::run_tensors(a, inputs), other = reference::run_tensors(b, inputs);
    least = std::min(least, sqnr_db(exact[0].data<float>(), other[0].data<float>()));
  }
  return least;
}

TEST(SharedInputs, FindsNormsAndBiasedProducts) {
  const Graph graph = norm_network(20);
  const auto inputs = shared_inputs(graph);
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_EQ(inputs[0].layers.size(), 2U);
  EXPECT_EQ(graph.node(inputs[0].giver).kind, OpKind::LayerNormalization);
  EXPECT_EQ(graph.node(inputs[1].giver).kind, OpKind::Add);
}

TEST(SmoothActivations, KeepsTheFunctionAndHelpsInt8) {
  // As in language models: two channels are 60 times the others, and the weights they meet are small.
  const Graph before = norm_network(60, 1.0F / 60);
  const CalibrationData data = calibration_from(random_batches(4, tokens));
  Graph after = before;
  const SmoothReport report = smooth_activations(after, 0.5, data, 0, silent_progress());
  EXPECT_EQ(report.inputs, 2);
  EXPECT_EQ(report.layers, 3);
  EXPECT_GT(sqnr(before, after), 100);
  PtqOptions options;
  const double plain = sqnr(before, quantize(before, data, options).graph);
  options.methods.smooth = 0.5;
  EXPECT_GT(sqnr(before, quantize(before, data, options).graph), plain + 3);
}

TEST(SmoothingFactors, FollowThePaper) {
  // Xiao et al., figure 5: α = 0.5 gives √(max|X| / max|W|).
  const auto factors = smoothing_factors({16, 1, 0}, {1, 4, 2}, 0.5);
  EXPECT_DOUBLE_EQ(factors[0], 4);
  EXPECT_DOUBLE_EQ(factors[1], 0.5);
  EXPECT_DOUBLE_EQ(factors[2], 1);
}

TEST(ActivationAwareScaling, LowersTheOutputErrorOfFourBits) {
  const Graph before = norm_network(12);
  const CalibrationData data = calibration_from(random_batches(4, tokens));
  PtqOptions options;
  options.mode = Mode::WeightOnly;
  options.bits = {4, 8};
  options.end_bits = 4;
  options.block = 16;
  const double plain = sqnr(before, quantize(before, {}, options).graph);
  Graph scaled = before;
  const AwqReport report = activation_aware_scaling(scaled, options, data, silent_progress());
  ASSERT_EQ(report.inputs.size(), 2U);
  EXPECT_GT(report.inputs[0].ratio, 0);
  EXPECT_LT(report.inputs[0].error, report.inputs[0].plain_error);
  EXPECT_LE(report.inputs[0].clipped_error, report.inputs[0].error * 1.0001);
  options.methods.awq = true;
  EXPECT_GT(sqnr(before, quantize(before, data, options).graph), plain + 1);
}

TEST(SplitOutlierChannels, KeepsTheFunctionAndHalvesTheLargestWeights) {
  Graph graph = testing::residual_network(5);
  Builder b(6);
  ValueId x = b.add(OpKind::Relu, {b.conv(b.input({1, 3, 8, 8}), 3, 6, "a")}, "a_relu");
  x = b.add(OpKind::GlobalAveragePool, {b.conv(x, 6, 5, "c")}, "pool");
  b.graph.add_output(b.add(OpKind::Flatten, {x}, "flat"));
  Graph before = b.graph;
  infer_types(before);
  before.value(before.find_value("c.weight")).constant->mutable_data<float>()[4 * 9 + 2] = 3;
  Graph after = before;
  const SplitReport report = split_outlier_channels(after, 0.3, 4);
  EXPECT_EQ(report.layers, 1);
  EXPECT_EQ(report.channels, 2);
  EXPECT_GT(sqnr(before, after, {4, 3, 8, 8}), 110);
  const auto reach = [](const Graph& of) {
    float largest = 0;
    for (const NodeId id : of.node_ids()) {
      if (of.node(id).name != "c") continue;
      for (const float weight : of.constant(of.node(id).input(1))->data<float>())
        largest = std::max(largest, std::abs(weight));
    }
    return largest;
  };
  EXPECT_FLOAT_EQ(reach(before), 3);
  EXPECT_LT(reach(after), 1.8);
}

TEST(QuantizeBlocks, HasAScaleForEachBlockAndRestoresWithinHalfAStep) {
  Builder b(8);
  const Tensor weight = b.normal({40, 6}, 1);
  const BlockedWeight blocked = quantize_blocks(weight, 0, 16, 8);
  EXPECT_EQ(blocked.scales.shape(), (Shape{3, 6}));
  const auto values = restored(blocked);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float scale = blocked.scales.data<float>()[i / 6 / 16 * 6 + i % 6];
    EXPECT_LE(std::abs(values[i] - weight.data<float>()[i]), scale / 2 * 1.001F);
  }
}

TEST(QuantizeWeightsOnly, StoresFourBitsInBlocksThatRun) {
  const Graph before = norm_network(1);
  PtqOptions options;
  options.mode = Mode::WeightOnly;
  options.bits = {4, 8};
  options.end_bits = 4;
  options.block = 8;
  const Graph four = quantize(before, {}, options).graph;
  int stored = 0;
  for (const NodeId id : four.node_ids()) {
    const Node& node = four.node(id);
    if (node.kind != OpKind::DequantizeLinear) continue;
    EXPECT_EQ(four.constant(node.input(0))->dtype(), DType::S4);
    EXPECT_EQ(node.get_int("block_size"), 8);
    ++stored;
  }
  EXPECT_EQ(stored, 3);
  EXPECT_GT(sqnr(before, four), 15);
  options.methods.rounding = Rounding::Gptq;
  const CalibrationData data = calibration_from(random_batches(4, tokens));
  EXPECT_GT(sqnr(before, quantize(before, data, options).graph), sqnr(before, four));
}

}  // namespace
}  // namespace adze::quantize
