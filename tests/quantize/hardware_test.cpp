#include "adze/quantize/hardware.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/quantized_layers.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::random_batches;

Graph network() {
  Graph graph = testing::residual_network(2);
  infer_types(graph);
  return graph;
}

QuantizeOutcome quantized_for(const std::string& device, PtqOptions options = {}) {
  const Graph graph = network();
  const auto rules = device::load_profile(device).quantization;
  apply_rules(*rules, graph, options);
  return quantize(graph, calibration_from(random_batches(2, {8, 3, 8, 8})), options);
}

double sqnr(const Graph& a, const Graph& b) {
  const auto inputs = random_batches(1, {8, 3, 8, 8}, 77)[0];
  return sqnr_db(reference::run_tensors(a, inputs)[0].data<float>(),
                 reference::run_tensors(b, inputs)[0].data<float>());
}

TEST(ApplyRules, ShiftKernelsGetScalesThatArePowersOfTwoAndNoZeroPoints) {
  const QuantizeOutcome outcome = quantized_for("cortex-m0-shift");
  int scales = 0;
  for (const NodeId id : outcome.graph.node_ids()) {
    const Node& node = outcome.graph.node(id);
    if (node.kind != OpKind::QuantizeLinear && node.kind != OpKind::DequantizeLinear) continue;
    const Tensor& scale = *outcome.graph.constant(node.input(1));
    EXPECT_EQ(scale.size(), 1);
    int exponent = 0;
    EXPECT_EQ(std::frexp(scale.get_double(0), &exponent), 0.5) << node.name;
    const Tensor* zero_point = outcome.graph.constant(node.input(2));
    if (zero_point != nullptr) {
      EXPECT_EQ(zero_point->get_int(0), 0) << node.name;
    }
    ++scales;
  }
  EXPECT_GT(scales, 10);
  EXPECT_GT(sqnr(network(), outcome.graph), 15);
}

TEST(ApplyRules, WithoutVnniTwoProductsNeverLeaveSixteenBits) {
  const QuantizeOutcome outcome = quantized_for("x86-avx2");
  for (const QuantizedLayer& layer : quantized_layers(outcome.graph)) {
    const auto codes = stored_codes(outcome.graph, layer);
    const float largest = std::abs(
        *std::max_element(codes.begin(), codes.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    EXPECT_LE(2 * 255 * largest, 32767);
  }
}

TEST(ApplyRules, WhatADeviceLacksStaysFloat) {
  Graph graph = network();
  device::QuantizationRules rules;
  rules.operators = {"Conv", "Relu", "Gemm", "GlobalAveragePool", "Flatten"};  // no Add
  PtqOptions options;
  const auto lines = apply_rules(rules, graph, options);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("Add"), std::string::npos);
  const QuantizeOutcome outcome = quantize(graph, calibration_from(random_batches(2, {8, 3, 8, 8})), options);
  const auto names = float_nodes(outcome.graph);
  EXPECT_TRUE(std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.starts_with("sum"); }));
  EXPECT_FALSE(
      std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.starts_with("stem"); }));
}

TEST(CheckRules, NamesWhatAnIntegerOnlyDeviceCannotCompute) {
  const QuantizeOutcome outcome = quantized_for("x86-avx2");
  device::QuantizationRules rules;
  EXPECT_NO_THROW(check_rules(rules, "some", outcome.graph));
  rules.integer_only = true;
  try {
    check_rules(rules, "some", outcome.graph);
    FAIL();
  } catch (const UnsupportedError& error) {
    EXPECT_NE(std::string(error.what()).find("softmax"), std::string::npos) << error.what();
  }
  PtqOptions options;
  options.final_activation = FinalActivation::Integer;
  EXPECT_NO_THROW(check_rules(rules, "some", quantized_for("x86-avx2", options).graph));
}

}  // namespace
}  // namespace adze::quantize
