#include "adze/quantize/ptq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"
#include "adze/graph/verify.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::Builder;
using testing::random_batches;
using testing::residual_network;

const Shape picture{4, 3, 8, 8};

CalibrationData pictures(int batches = 4) {
  return calibration_from(random_batches(batches, picture));
}

QuantizeOutcome quantized_residual(const PtqOptions& options = {}) {
  return quantize(residual_network(), pictures(), options);
}

/// SQNR of all outputs over fresh inputs.
double sqnr_of(const Graph& exact, const Graph& approximate, const Shape& shape = picture) {
  double least = 1e9;
  for (const std::vector<Tensor>& inputs : random_batches(3, shape, 99)) {
    const auto a = reference::run_tensors(exact, inputs);
    const auto b = reference::run_tensors(approximate, inputs);
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].shape(), b[i].shape());
      least = std::min(least, sqnr_db(a[i].data<float>(), b[i].data<float>()));
    }
  }
  return least;
}

int count_of(const Graph& graph, OpKind kind) {
  int count = 0;
  for (const NodeId id : graph.node_ids()) count += graph.node(id).kind == kind ? 1 : 0;
  return count;
}

TEST(QuantizeStatic, KeepsTheOutputsWithEveryCalibratorAndForm) {
  for (const auto calibrator : {Calibrator::Max, Calibrator::Percentile, Calibrator::Entropy, Calibrator::Mse}) {
    for (const auto symmetry : {Symmetry::Asymmetric, Symmetry::Symmetric}) {
      for (const DType dtype : {DType::S8, DType::U8}) {
        PtqOptions options;
        options.calibrator = calibrator;
        options.activations = symmetry;
        options.activation_dtype = dtype;
        const Graph graph = quantized_residual(options).graph;
        verify(graph);
        EXPECT_GT(sqnr_of(residual_network(), graph), 20) << calibrator_name(calibrator) << " " << dtype_name(dtype);
      }
    }
  }
}

TEST(QuantizeStatic, StoresWeightsAsS8AndBiasesAsS32) {
  const Graph graph = quantized_residual().graph;
  int weights = 0, biases = 0;
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (node.kind != OpKind::Conv && node.kind != OpKind::Gemm) continue;
    const Node* weight = graph.producer_of(node.input(1));
    const Node* bias = graph.producer_of(node.input(2));
    ASSERT_NE(weight, nullptr);
    ASSERT_NE(bias, nullptr);
    ASSERT_EQ(weight->kind, OpKind::DequantizeLinear);
    EXPECT_EQ(graph.constant(weight->input(0))->dtype(), DType::S8);
    EXPECT_EQ(graph.constant(bias->input(0))->dtype(), DType::S32);
    const Tensor& x_scale = *graph.constant(graph.producer_of(node.input(0))->input(1));
    const Tensor& w_scale = *graph.constant(weight->input(1));
    const Tensor& b_scale = *graph.constant(bias->input(1));
    ASSERT_EQ(w_scale.shape(), b_scale.shape());
    for (std::int64_t i = 0; i < w_scale.size(); ++i) {
      EXPECT_FLOAT_EQ(static_cast<float>(b_scale.get_double(i)),
                      static_cast<float>(w_scale.get_double(i) * x_scale.get_double(0)));
    }
    ++weights;
    ++biases;
  }
  EXPECT_EQ(weights, 4);
  EXPECT_EQ(biases, 4);
}

TEST(QuantizeStatic, IsTheSameForEveryBatching) {
  const auto batches = random_batches(4, picture);
  std::vector<std::vector<Tensor>> singles;
  for (const auto& batch : batches) {
    for (std::int64_t i = 0; i < 4; ++i) {
      Tensor one(DType::F32, {1, 3, 8, 8});
      const auto all = batch[0].data<float>();
      std::copy_n(all.begin() + i * 192, 192, one.mutable_data<float>().begin());
      singles.push_back({one});
    }
  }
  std::reverse(singles.begin(), singles.end());
  const Graph a = quantize(residual_network(), calibration_from(batches), {}).graph;
  const Graph b = quantize(residual_network(), calibration_from(singles), {}).graph;
  EXPECT_EQ(print_graph(a), print_graph(b));
}

TEST(QuantizeStatic, StopsAtTheNumberOfSamples) {
  PtqOptions options;
  options.max_samples = 6;
  const QuantizeOutcome outcome = quantized_residual(options);
  EXPECT_EQ(outcome.report.num_samples, 6);
  const auto json = nlohmann::json::parse(outcome.graph.metadata.at("adze.quantization"));
  EXPECT_EQ(json["samples"], 6);
  EXPECT_EQ(json["mode"], "static");
  EXPECT_EQ(json["calibrator"], "mse");
  EXPECT_EQ(outcome.graph.metadata.at("adze.rounding"), "onnx");
}

TEST(QuantizeStatic, KeepsTheNamesOfInputsAndOutputs) {
  Builder b;
  const ValueId y = b.conv(b.input({1, 3, 8, 8}, "picture"), 3, 4, "conv");
  b.graph.value(y).name = "features";
  b.graph.add_output(y);
  const Graph graph = quantize(b.graph, pictures(), {}).graph;
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "picture");
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "features");
  ASSERT_NE(graph.producer_of(graph.outputs()[0]), nullptr);
  EXPECT_EQ(graph.producer_of(graph.outputs()[0])->kind, OpKind::DequantizeLinear);
}

TEST(QuantizeStatic, PerChannelIsBetterThanPerTensorWhenChannelsDiffer) {
  Builder b;
  const ValueId x = b.input({1, 3, 8, 8});
  const ValueId y = b.conv(x, 3, 8, "conv");
  Tensor& weight = *b.graph.value(b.graph.find_value("conv.weight")).constant;
  for (std::size_t i = 0; i < 8 * 27; ++i) {
    weight.mutable_data<float>()[i] *= i / 27 % 2 == 0 ? 100.0F : 1.0F;
  }
  b.graph.add_output(b.add(OpKind::Relu, {y}, "relu"));
  PtqOptions options;
  const QuantizeOutcome per_channel = quantize(b.graph, pictures(), options);
  options.weights = Granularity::PerTensor;
  const QuantizeOutcome per_tensor = quantize(b.graph, pictures(), options);
  EXPECT_EQ(per_channel.report.weights.at(0).num_scales, 8);
  EXPECT_EQ(per_tensor.report.weights.at(0).num_scales, 1);
  EXPECT_GT(per_channel.report.weights[0].sqnr_db, per_tensor.report.weights[0].sqnr_db);
  EXPECT_GT(per_channel.report.weights[0].sqnr_db, 35);
}

TEST(QuantizeStatic, ReportsRangesSaturationAndHistograms) {
  PtqOptions options;
  options.calibrator = Calibrator::Percentile;
  options.percentile = 95;
  const QuantizeReport report = quantized_residual(options).report;
  ASSERT_FALSE(report.activations.empty());
  bool saturates = false;
  for (const ActivationReport& entry : report.activations) {
    EXPECT_LE(entry.min, entry.max);
    EXPECT_LE(entry.low, 0);
    EXPECT_GE(entry.high, 0);
    EXPECT_LE(entry.histogram.size(), 128U);
    saturates = saturates || (entry.saturated > 0.01 && entry.saturated < 0.12);
  }
  EXPECT_TRUE(saturates);
  EXPECT_EQ(report.weights.size(), 4U);
  EXPECT_EQ(std::count(report.quantized_nodes.begin(), report.quantized_nodes.end(), "head"), 1);
  EXPECT_TRUE(report.float_nodes.empty());
}

TEST(QuantizeStatic, NamesTheNodeOfANanWeight) {
  Graph graph = residual_network();
  graph.value(graph.find_value("block_a.weight")).constant->mutable_data<float>()[3] = std::nanf("");
  try {
    quantize(graph, pictures(), {});
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_EQ(error.place().node, "block_a");
  }
}

TEST(QuantizeStatic, RefusesNanActivationsNoSamplesAndQuantizedGraphs) {
  auto batches = random_batches(1, picture);
  batches[0][0].mutable_data<float>()[0] = INFINITY;
  EXPECT_THROW(quantize(residual_network(), calibration_from(batches), {}), ModelError);
  EXPECT_THROW(quantize(residual_network(), calibration_from({}), {}), ModelError);
  EXPECT_THROW(quantize(quantized_residual().graph, pictures(), {}), ModelError);
}

TEST(QuantizeStatic, SurvivesConstantZeroActivations) {
  Builder b;
  const ValueId x = b.input({1, 3, 8, 8});
  const ValueId dead = b.conv(x, 3, 4, "dead");
  for (float& value : b.graph.value(b.graph.find_value("dead.bias")).constant->mutable_data<float>()) value = -1000;
  const ValueId relu = b.add(OpKind::Relu, {dead}, "relu");
  b.graph.add_output(b.conv(relu, 4, 2, "after"));
  const Graph graph = quantize(b.graph, pictures(), {}).graph;
  const auto a = reference::run_tensors(b.graph, random_batches(1, picture)[0]);
  const auto c = reference::run_tensors(graph, random_batches(1, picture)[0]);
  for (std::int64_t i = 0; i < a[0].size(); ++i) EXPECT_NEAR(a[0].get_double(i), c[0].get_double(i), 0.02);
}

TEST(QuantizeStatic, SurvivesAChannelWithoutWeightsAndTinyWeights) {
  Builder b;
  const ValueId y = b.conv(b.input({1, 3, 8, 8}), 3, 4, "conv");
  const auto weight = b.graph.value(b.graph.find_value("conv.weight")).constant->mutable_data<float>();
  for (std::size_t i = 0; i < 27; ++i) weight[i] = 0;         // channel 0: only its bias
  for (std::size_t i = 27; i < 54; ++i) weight[i] *= 1e-12F;  // channel 1: a bias in steps of its weights overflows
  const auto bias = b.graph.value(b.graph.find_value("conv.bias")).constant->mutable_data<float>();
  bias[0] = 0.7F;
  bias[1] = -0.9F;
  b.graph.add_output(y);
  const Graph graph = quantize(b.graph, pictures(), {}).graph;
  EXPECT_GT(sqnr_of(b.graph, graph), 30);
}

TEST(QuantizeStatic, BringsGemmIntoPlainForm) {
  Builder b;
  const ValueId x = b.input({1, 16});
  const ValueId w = b.constant("w", b.normal({16, 8}, 0.3));
  const ValueId c = b.constant("c", b.normal({1, 8}, 1));
  b.graph.add_output(b.add(OpKind::Gemm, {x, w, c}, "gemm", {{"alpha", 0.5F}, {"beta", 2.0F}}));
  const QuantizeOutcome outcome = quantize(b.graph, calibration_from(random_batches(3, {8, 16})), {});
  EXPECT_EQ(outcome.report.quantized_nodes, (std::vector<std::string>{"gemm"}));
  EXPECT_GT(sqnr_of(b.graph, outcome.graph, {8, 16}), 30);
}

TEST(QuantizeStatic, FoldsBatchNormsThatAreLeft) {
  Builder b;
  const ValueId y = b.conv(b.input({1, 3, 8, 8}), 3, 4, "conv");
  const ValueId normed =
      b.add(OpKind::BatchNormalization,
            {y, b.constant("scale", b.normal({4}, 1)), b.constant("shift", b.normal({4}, 1)),
             b.constant("mean", b.normal({4}, 1)), b.constant("variance", Tensor::from<float>({4}, {1, 2, 0.5F, 3}))},
            "norm");
  b.graph.add_output(b.add(OpKind::Relu, {normed}, "relu"));
  const Graph graph = quantize(b.graph, pictures(), {}).graph;
  EXPECT_EQ(count_of(graph, OpKind::BatchNormalization), 0);
  EXPECT_EQ(count_of(graph, OpKind::QuantizeLinear), 2);
  EXPECT_GT(sqnr_of(b.graph, graph), 25);
}

TEST(QuantizeStatic, QuantizesConstantOperandsAndUnequalConcatInputs) {
  Builder b;
  const ValueId x = b.input({1, 3, 8, 8});
  const ValueId left = b.conv(x, 3, 4, "left");
  const ValueId scaled = b.add(OpKind::Mul, {left, b.constant("gain", b.normal({4, 1, 1}, 1))}, "scaled");
  const ValueId right =
      b.add(OpKind::MaxPool, {b.conv(x, 3, 4, "right")}, "pool",
            {{"kernel_shape", std::vector<std::int64_t>{3, 3}}, {"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
  const ValueId both = b.add(OpKind::Concat, {scaled, right}, "concat", {{"axis", std::int64_t{1}}});
  b.graph.add_output(b.conv(both, 8, 2, "after"));
  const QuantizeOutcome outcome = quantize(b.graph, pictures(), {});
  EXPECT_EQ(outcome.report.quantized_nodes.size(), 6U);
  EXPECT_GT(sqnr_of(b.graph, outcome.graph), 25);
}

TEST(QuantizeDynamic, ReplacesLayersByIntegerOnes) {
  PtqOptions options;
  options.mode = Mode::Dynamic;
  const QuantizeOutcome outcome = quantize(residual_network(), {}, options);
  EXPECT_EQ(count_of(outcome.graph, OpKind::ConvInteger), 3);
  EXPECT_EQ(count_of(outcome.graph, OpKind::MatMulInteger), 1);
  EXPECT_EQ(count_of(outcome.graph, OpKind::Conv), 0);
  EXPECT_GT(sqnr_of(residual_network(), outcome.graph), 25);
  options.weights = Granularity::PerTensor;
  EXPECT_GT(sqnr_of(residual_network(), quantize(residual_network(), {}, options).graph), 20);
}

/// A network whose tokens differ a hundredfold: with one scale the small ones have no codes left.
TEST(QuantizeDynamic, ScalesByTokenKeepSmallTokens) {
  Builder b(3);
  const ValueId x = b.graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{2, 6, 16})));
  const ValueId weights = b.constant("w", b.normal({16, 8}, 0.3)), bias = b.constant("b", b.normal({8}, 1e-3));
  b.graph.add_output(b.add(OpKind::Add, {b.add(OpKind::MatMul, {x, weights}, "product"), bias}, "y"));
  infer_types(b.graph);
  Tensor input = b.normal({2, 6, 16}, 1);
  for (std::int64_t i = 0; i < input.size(); ++i) {
    if (i / 16 % 2 == 0) input.mutable_data<float>()[static_cast<std::size_t>(i)] *= 0.01f;
  }
  const std::vector<Tensor> inputs{input};
  const Tensor exact = Session(b.graph).run(inputs).at(0);
  const auto small_noise = [&](bool rows) {
    PtqOptions options;
    options.mode = Mode::Dynamic;
    options.dynamic_rows = rows;
    const Graph network = quantize(b.graph, {}, options).graph;
    EXPECT_EQ(count_of(network, OpKind::MatMulInteger), 1);
    EXPECT_EQ(count_of(network, OpKind::DynamicQuantizeLinear), rows ? 0 : 1);
    const Tensor y = Session(network).run(inputs).at(0), plain = reference::run_tensors(network, inputs).at(0);
    double noise = 0, signal = 0;
    for (std::int64_t i = 0; i < y.size(); ++i) {
      EXPECT_NEAR(y.get_double(i), plain.get_double(i), 1e-5);
      if (i / 8 % 2 != 0) continue;
      signal += exact.get_double(i) * exact.get_double(i);
      noise += std::pow(y.get_double(i) - exact.get_double(i), 2);
    }
    return std::sqrt(noise / signal);
  };
  EXPECT_LT(small_noise(true), 0.02);
  EXPECT_GT(small_noise(false), 0.1);
}

TEST(QuantizeWeightOnly, StoresS8AndComputesInFloat) {
  PtqOptions options;
  options.mode = Mode::WeightOnly;
  options.skip = {"head"};
  const QuantizeOutcome outcome = quantize(residual_network(), {}, options);
  EXPECT_EQ(count_of(outcome.graph, OpKind::DequantizeLinear), 3);
  EXPECT_EQ(count_of(outcome.graph, OpKind::QuantizeLinear), 0);
  EXPECT_EQ(outcome.report.float_nodes, (std::vector<std::string>{"head"}));
  EXPECT_GT(sqnr_of(residual_network(), outcome.graph), 30);
}

TEST(QuantizeObserved, TriesManyOptionsAfterOneCalibration) {
  const Graph graph = prepared(residual_network());
  const Observations observations = observe(graph, values_to_observe(graph, {}), pictures(), 0, silent_progress());
  for (const PtqCandidate& candidate : standard_candidates()) {
    if (candidate.options.mode != Mode::Static) continue;
    const Graph again = quantize(residual_network(), pictures(), candidate.options).graph;
    EXPECT_EQ(print_graph(quantize_observed(graph, observations, candidate.options).graph), print_graph(again))
        << candidate.name;
  }
}

}  // namespace
}  // namespace adze::quantize
