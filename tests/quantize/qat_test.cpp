#include "adze/quantize/qat.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/quantize/ptq.h"
#include "adze/train/learner.h"
#include "adze/train/parameters.h"

namespace adze::quantize {
namespace {

Tensor random_tensor(Shape shape, std::uint64_t seed, double size = 1) {
  Random random(seed);
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(size * random.normal());
  return tensor;
}

/// Conv, Relu, MaxPool, Conv, Relu, mean, Gemm.
Graph network() {
  using Ints = std::vector<std::int64_t>;
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim::named("n"), 3, 8, 8}));
  const auto constant = [&](const char* name, Shape shape, double size) {
    return graph.add_constant(name, random_tensor(std::move(shape), std::hash<std::string>{}(name), size));
  };
  ValueId y = graph.add(OpKind::Conv, {x, constant("w1", {8, 3, 3, 3}, 0.3), constant("b1", {8}, 0.1)},
                        {{"pads", Ints{1, 1, 1, 1}}}, "conv1");
  y = graph.add(OpKind::Relu, {y});
  y = graph.add(OpKind::MaxPool, {y}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  y = graph.add(OpKind::Conv, {y, constant("w2", {16, 8, 3, 3}, 0.2), constant("b2", {16}, 0.1)}, {}, "conv2");
  y = graph.add(OpKind::Relu, {y});
  y = graph.add(OpKind::GlobalAveragePool, {y});
  y = graph.add(OpKind::Flatten, {y});
  y = graph.add(OpKind::Gemm, {y, constant("w3", {5, 16}, 0.5), constant("b3", {5}, 0.1)},
                {{"transB", std::int64_t{1}}}, "head");
  graph.set_outputs({y});
  infer_types(graph);
  return graph;
}

CalibrationData calibration() {
  std::vector<std::vector<Tensor>> batches;
  for (std::uint64_t i = 0; i < 4; ++i) batches.push_back({random_tensor({8, 3, 8, 8}, 100 + i)});
  return calibration_from(std::move(batches));
}

PtqOptions options_with(const char* bits) {
  PtqOptions options;
  options.bits = parse_bit_widths(bits);
  options.calibrator = Calibrator::Max;
  return options;
}

double worst_difference(const Tensor& a, const Tensor& b) {
  double worst = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a.get_double(i) - b.get_double(i)));
  return worst;
}

TEST(LowBits, CodesStayWithinTheirBits) {
  PtqOptions options = options_with("w3a4");
  options.end_bits = 2;
  const Graph graph = quantize(network(), calibration(), options).graph;
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    const Tensor* codes = graph.constant(node.input(0));
    if (node.kind == OpKind::DequantizeLinear && codes != nullptr && codes->dtype() == DType::S8) {
      for (std::int64_t i = 0; i < codes->size(); ++i) EXPECT_LE(std::abs(codes->get_int(i)), 3);
    }
    if (node.kind != OpKind::QuantizeLinear) continue;
    const Node* clip = graph.producer_of(node.input(0));
    if (graph.value(node.output()).name.find("head") != std::string::npos) continue;
    ASSERT_NE(clip, nullptr);
  }
  // Every quantized value that a layer reads takes at most 16 codes.
  const Tensor input = random_tensor({2, 3, 8, 8}, 7);
  int checked = 0;
  reference::RunOptions run;
  run.observer = [&](NodeId id, std::span<const reference::Datum> outputs) {
    if (graph.node(id).kind != OpKind::QuantizeLinear) return;
    const Tensor& codes = outputs[0].tensor();
    std::int64_t low = 1000, high = -1000;
    for (std::int64_t i = 0; i < codes.size(); ++i) {
      low = std::min(low, codes.get_int(i));
      high = std::max(high, codes.get_int(i));
    }
    const Uses uses(graph);
    if (uses.is_output(graph.node(uses.of(graph.node(id).output())[0]).output())) return;
    EXPECT_LE(high - low, 15) << graph.node(id).name;
    ++checked;
  };
  reference::run(graph, {input}, run);
  EXPECT_GE(checked, 3);
}

TEST(LowBits, FewerBitsLoseMoreAndTheEngineAgreesWithTheReference) {
  const Tensor input = random_tensor({4, 3, 8, 8}, 9);
  const Tensor exact = reference::run_tensors(network(), {input})[0];
  double before = 0;
  for (const char* bits : {"w8a8", "w5a5", "w2a2"}) {
    const Graph graph = quantize(network(), calibration(), options_with(bits)).graph;
    Session session(graph);
    const Tensor result = session.run(std::span(&input, 1))[0];
    const double lost = worst_difference(exact, result);
    EXPECT_GT(lost, before) << bits;
    before = lost;
    const Tensor plain = reference::run_tensors(graph, {input})[0];
    EXPECT_LT(worst_difference(plain, result), 0.1 * lost + 0.02) << bits;
  }
}

TEST(LowBits, TextsAreParsed) {
  EXPECT_EQ(parse_bit_widths("w4a8"), (BitWidths{4, 8}));
  EXPECT_EQ(parse_bit_widths("int8"), (BitWidths{8, 8}));
  EXPECT_EQ(parse_bit_widths("w1a8"), (BitWidths{1, 8}));
  for (const char* text : {"w0a8", "w1a1", "w9a8", "w4", "w4a8x", "int", "4"})
    EXPECT_THROW(parse_bit_widths(text), UsageError) << text;
}

TEST(Qat, ThereAndBackIsTheSameNetwork) {
  for (const char* bits : {"w8a8", "w4a4", "w1a8"}) {
    PtqOptions options = options_with(bits);
    const Graph deployed = quantize(network(), calibration(), options).graph;
    options.keep_code_windows = true;
    const Graph marked = quantize(network(), calibration(), options).graph;
    const Graph trained = qat_training_form(marked, network(), QatScales::Learned);
    const Graph again = qat_deployment_form(trained);
    const Tensor input = random_tensor({3, 3, 8, 8}, 4);
    Session first(deployed), second(again);
    EXPECT_TRUE(identical(first.run(std::span(&input, 1))[0], second.run(std::span(&input, 1))[0])) << bits;
  }
}

#ifdef ADZE_HAS_TORCH

TEST(Qat, TrainingComputesWhatDeploymentComputes) {
  for (const char* bits : {"w8a8", "w4a4", "w2a3", "w1a8"}) {
    PtqOptions options = options_with(bits);
    options.end_bits = 1;
    options.keep_code_windows = true;
    const Graph form =
        qat_training_form(quantize(network(), calibration(), options).graph, network(), QatScales::Learned);
    const Tensor input = random_tensor({3, 3, 8, 8}, 4);
    const Tensor simulated = train::plugin().forward(form, std::span(&input, 1))[0];
    const Tensor plain = reference::run_tensors(form, {input})[0];
    Session session(qat_deployment_form(form));
    const Tensor integer = session.run(std::span(&input, 1))[0];
    // The training form has no windows for the reference; with 8 bits none are needed.
    if (std::string_view(bits) == "w8a8") {
      EXPECT_LT(worst_difference(simulated, plain), 1e-5);
    }
    EXPECT_LT(worst_difference(simulated, integer), 0.03) << bits;
  }
}

/// LSQ's gradients, written out, for one quantizer y = Q(x) with loss mean(y²) against zero targets.
TEST(Qat, GradientsOfStepsAreThoseOfThePaper) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim::named("n"), 4}));
  const float step = 0.25F;
  const ValueId scale = graph.add_constant("step", Tensor::scalar(step));
  const ValueId zero = graph.add_constant("zero", Tensor::scalar<std::int8_t>(0));
  const ValueId q = graph.add(OpKind::QuantizeLinear, {x, scale, zero}, {}, "quantize");
  Node& node = graph.node(graph.value(q).producer);
  node.metadata["adze.fake_quant"] = "learned";
  node.metadata["adze.code_low"] = "-4";
  node.metadata["adze.code_high"] = "3";
  graph.set_outputs({graph.add(OpKind::DequantizeLinear, {q, scale, zero})});
  infer_types(graph);
  train::LearnerOptions options;
  options.loss = train::Loss::MeanSquaredError;
  options.optimizer.weight_decay = 0;
  const auto learner = train::plugin().make_learner(graph, options);
  train::LearnBatch batch;
  const std::vector<float> values{0.3F, -0.55F, 2.0F, -3.0F, 0.1F, 0.62F, 0.9F, -0.2F};
  batch.inputs = {Tensor::from<float>({2, 4}, values)};
  batch.targets = Tensor(DType::F32, {2, 4});
  const auto gradients = learner->gradients(batch, nullptr);
  double expected = 0;
  for (const float value : values) {
    const double v = static_cast<double>(value) / step, code = std::clamp(std::nearbyint(v), -4.0, 3.0);
    const double slope = v < -4 ? -4 : v > 3 ? 3 : std::nearbyint(v) - v;
    expected += 2.0 / 8 * code * step * slope;
  }
  expected /= std::sqrt(4 * 3.5);  // 1 / sqrt(features of a sample · codes above zero)
  EXPECT_NEAR(gradients.at("step").get_double(0), expected, 1e-6);
}

/// y = s · sign(w) by row: the weight's gradient is y's, the step's the sum of gradient · sign · LSQ's factor.
TEST(Qat, SignsPassTheGradientOn) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim::named("n"), 3}));
  const ValueId w = graph.add_constant("w", Tensor::from<float>({2, 3}, {0.5F, -0.1F, 0.0F, -2.0F, -0.3F, 0.2F}));
  const ValueId scale = graph.add_constant("step", Tensor::from<float>({2}, {0.25F, 0.5F}));
  const ValueId zero = graph.add_constant("zero", Tensor(DType::S8, {2}));
  const ValueId q = graph.add(OpKind::QuantizeLinear, {w, scale, zero}, {{"axis", std::int64_t{0}}}, "quantize");
  Node& node = graph.node(graph.value(q).producer);
  node.metadata = {
      {"adze.fake_quant", "learned"}, {"adze.code_low", "-1"}, {"adze.code_high", "1"}, {"adze.code_signs", "1"}};
  const ValueId y = graph.add(OpKind::DequantizeLinear, {q, scale, zero}, {{"axis", std::int64_t{0}}});
  graph.set_outputs({graph.add(OpKind::Gemm, {x, y}, {{"transB", std::int64_t{1}}}, "product")});
  infer_types(graph);
  train::LearnerOptions options;
  options.loss = train::Loss::MeanSquaredError;
  options.optimizer.weight_decay = 0;
  const auto learner = train::plugin().make_learner(graph, options);
  train::LearnBatch batch;
  const float in[3] = {1, 2, -1};
  batch.inputs = {Tensor::from<float>({1, 3}, {1, 2, -1})};
  batch.targets = Tensor(DType::F32, {1, 2});
  const auto gradients = learner->gradients(batch, nullptr);
  const double signs[2][3] = {{1, -1, 1}, {-1, -1, 1}}, steps[2] = {0.25, 0.5};
  for (int row = 0; row < 2; ++row) {
    double output = 0, of_step = 0;
    for (int i = 0; i < 3; ++i) output += steps[row] * signs[row][i] * in[i];
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(gradients.at("w").get_double(row * 3 + i), output * in[i], 1e-6);  // loss: mean of two squares
      of_step += output * in[i] * signs[row][i] / std::sqrt(3.0);
    }
    EXPECT_NEAR(gradients.at("step").get_double(row), of_step, 1e-6);
  }
}

TEST(Qat, TrainingWinsBackWhatFewBitsLose) {
  PtqOptions options = options_with("w2a3");
  options.keep_code_windows = true;
  for (const QatScales scales : {QatScales::Learned, QatScales::MovingAverage}) {
    const Graph form = qat_training_form(quantize(network(), calibration(), options).graph, network(), scales);
    train::LearnerOptions learning;
    learning.loss = train::Loss::MeanSquaredError;
    learning.optimizer.kind = train::OptimizerKind::AdamW;
    const auto learner = train::plugin().make_learner(form, learning);
    double first = 0, last = 0;
    for (std::uint64_t i = 0; i < 60; ++i) {
      train::LearnBatch batch;
      batch.inputs = {random_tensor({16, 3, 8, 8}, 1000 + i)};
      batch.targets = reference::run_tensors(network(), batch.inputs)[0];
      const double loss = learner->step(batch, 3e-3, i).loss;
      if (i < 10) first += loss;
      if (i >= 50) last += loss;
    }
    EXPECT_LT(last, 0.7 * first) << qat_scales_name(scales);
    // What was simulated is what is deployed.
    const Tensor input = random_tensor({4, 3, 8, 8}, 5);
    const Tensor simulated = learner->predict(std::span(&input, 1))[0];
    Session session(qat_deployment_form(learner->graph()));
    EXPECT_LT(worst_difference(simulated, session.run(std::span(&input, 1))[0]), 0.03) << qat_scales_name(scales);
  }
}

#endif

}  // namespace
}  // namespace adze::quantize
