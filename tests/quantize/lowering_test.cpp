// What quantization places, the lowering to integer operators must take up whole.
#include <gtest/gtest.h>

#include <algorithm>

#include "adze/engine/reference/reference.h"
#include "adze/numerics/affine.h"
#include "adze/plan/lower_integers.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/qat.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::Builder;

/// Names of the nodes that still compute on floats, quantizing the input and dequantizing the output aside.
std::vector<std::string> float_nodes(const Graph& graph) {
  std::vector<std::string> names;
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (node.kind == OpKind::QuantizeLinear || node.kind == OpKind::DequantizeLinear) continue;
    if (graph.value(node.output()).type.dtype == DType::F32) names.push_back(node.name);
  }
  return names;
}

int count_of(const Graph& graph, OpKind kind) {
  const auto ids = graph.node_ids();
  return static_cast<int>(
      std::count_if(ids.begin(), ids.end(), [&](NodeId id) { return graph.node(id).kind == kind; }));
}

Graph lowered(const Graph& source, const PtqOptions& options = {}) {
  const CalibrationData data = calibration_from(testing::random_batches(2, {4, 3, 8, 8}));
  return lower_integers(quantize(source, data, options).graph);
}

TEST(LowerQuantized, LeavesOnlyTheLastSoftmaxOfAResidualNetworkInFloat) {
  for (const DType dtype : {DType::S8, DType::U8}) {
    PtqOptions options;
    options.activation_dtype = dtype;
    const Graph graph = lowered(testing::residual_network(), options);
    EXPECT_EQ(float_nodes(graph), (std::vector<std::string>{"softmax"}));
    EXPECT_EQ(count_of(graph, OpKind::QuantizeLinear), 1);
    EXPECT_EQ(count_of(graph, OpKind::DequantizeLinear), 1);
    EXPECT_EQ(count_of(graph, OpKind::QConv), 3);
  }
}

TEST(LowerQuantized, TakesUpSixteenBitsWithSumsOfSixtyFour) {
  PtqOptions options;
  options.bits = {8, 16};
  options.final_activation = FinalActivation::Integer;
  const Graph graph = lowered(testing::residual_network(), options);
  EXPECT_TRUE(float_nodes(graph).empty());
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    if (node.kind == OpKind::DequantizeLinear) continue;
    EXPECT_EQ(graph.value(node.output()).type.dtype, DType::S16) << node.name;
    if (node.kind != OpKind::QConv && node.kind != OpKind::QGemm) continue;
    EXPECT_EQ(graph.constant(node.input(2))->dtype(), DType::S64);
    EXPECT_EQ(graph.constant(node.input(1))->dtype(), DType::S8);
  }
}

/// Against the same network with the same weights, its activations left in float.
TEST(LowerQuantized, ComesCloserToTheFloatsWithSixteenBits) {
  const auto batches = testing::random_batches(2, {4, 3, 8, 8});  // nothing that was not seen is cut off
  double noise[2];
  for (const int bits : {8, 16}) {
    PtqOptions options;
    options.bits = {8, bits};
    options.calibrator = Calibrator::Max;
    const Graph quantized = quantize(testing::residual_network(), calibration_from(batches), options).graph;
    const auto exact = reference::run_tensors(qat_float_form(quantized), batches[0]);
    const auto outputs = reference::run_tensors(lower_integers(quantized), batches[0]);
    noise[bits / 16] = -sqnr_db(exact[0].data<float>(), outputs[0].data<float>());
  }
  EXPECT_LT(noise[1], noise[0] - 20);
}

TEST(LowerQuantized, LeavesNothingInFloatWithAnIntegerEnd) {
  PtqOptions options;
  options.final_activation = FinalActivation::Integer;
  EXPECT_TRUE(float_nodes(lowered(testing::residual_network(), options)).empty());
}

TEST(LowerQuantized, TakesUpConcatMovementGatesAndOperands) {
  Builder b;
  const ValueId x = b.input({1, 3, 8, 8});
  const ValueId left = b.add(OpKind::Relu, {b.conv(x, 3, 4, "left")}, "left_relu");
  const ValueId pooled =
      b.add(OpKind::MaxPool, {left}, "pool",
            {{"kernel_shape", std::vector<std::int64_t>{3, 3}}, {"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
  const ValueId right = b.conv(x, 3, 4, "right");
  const ValueId gate = b.add(OpKind::Sigmoid, {b.conv(pooled, 4, 4, "gate_conv")}, "gate");
  const ValueId gated = b.add(OpKind::Mul, {right, gate}, "gated");
  const ValueId scaled = b.add(OpKind::Mul, {gated, b.constant("gain", b.normal({4, 1, 1}, 1))}, "scaled");
  const ValueId both = b.add(OpKind::Concat, {pooled, scaled}, "concat", {{"axis", std::int64_t{1}}});
  const ValueId turned = b.add(OpKind::Transpose, {both}, "turn", {{"perm", std::vector<std::int64_t>{0, 1, 3, 2}}});
  b.graph.add_output(b.conv(turned, 8, 2, "after"));
  const Graph graph = lowered(b.graph);
  EXPECT_TRUE(float_nodes(graph).empty()) << float_nodes(graph)[0];
}

}  // namespace
}  // namespace adze::quantize
