// TFLite files of the 16x8 scheme: 16-bit activations, biases of 64 bits or of 32.
#include <gtest/gtest.h>

#include "adze/engine/reference/reference.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/formats/tflite/write.h"
#include "adze/plan/lower_integers.h"
#include "adze/quantize/ptq.h"
#include "tests/formats/tflite_verify.h"
#include "tests/quantize/networks.h"

namespace adze {
namespace {

Graph int16_network() {
  quantize::PtqOptions options;
  options.bits = {8, 16};
  options.final_activation = quantize::FinalActivation::Integer;
  const auto data = quantize::calibration_from(quantize::testing::random_batches(2, {4, 3, 8, 8}));
  Graph graph = quantize::quantize(quantize::testing::residual_network(), data, options).graph;
  graph.metadata["adze.rounding"] = "tflm";
  return graph;
}

Graph read_back(const Graph& graph) {
  auto bytes = std::make_shared<const std::string>(tflite::write_bytes(graph));
  EXPECT_NO_THROW(test::TfliteVerifier::check(*bytes));
  return tflite::read_bytes(std::as_bytes(std::span(*bytes)), bytes);
}

/// The types of the lowered products' biases.
std::vector<DType> bias_types(const Graph& graph) {
  const Graph lowered = lower_integers(graph);
  std::vector<DType> types;
  for (const NodeId id : lowered.node_ids()) {
    const Node& node = lowered.node(id);
    if (node.kind != OpKind::QConv && node.kind != OpKind::QGemm) continue;
    types.push_back(node.input(2) == ValueId::None ? DType::Undefined : lowered.constant(node.input(2))->dtype());
  }
  return types;
}

std::vector<Tensor> outputs_of(const Graph& graph) {
  return reference::run_tensors(lower_integers(graph), quantize::testing::random_batches(1, {1, 3, 8, 8}, 3)[0]);
}

TEST(TfliteInt16, KeepsTheBytesAndTheWidthOfSums) {
  Graph graph = int16_network();
  for (const char* sums : {"", "s32"}) {
    graph.metadata["adze.int16_sums"] = sums;
    const Graph back = read_back(graph);
    const DType expected = *sums == '\0' ? DType::S64 : DType::S32;
    EXPECT_EQ(bias_types(graph), std::vector<DType>(4, expected));
    EXPECT_EQ(bias_types(back), std::vector<DType>(4, expected));
    const auto before = outputs_of(graph), after = outputs_of(back);
    EXPECT_TRUE(identical(before[0], after[0])) << sums;
  }
}

TEST(TfliteInt16, WritesTheBiasThatTellsTheWidth) {
  Graph graph = int16_network();
  for (const NodeId id : graph.node_ids()) {
    Node& node = graph.node(id);
    if (node.kind == OpKind::Conv || node.kind == OpKind::Gemm) node.inputs.resize(2);
  }
  EXPECT_EQ(bias_types(graph), std::vector<DType>(4, DType::Undefined));
  const Graph back = read_back(graph);
  EXPECT_EQ(bias_types(back), std::vector<DType>(4, DType::S64));
  EXPECT_TRUE(identical(outputs_of(graph)[0], outputs_of(back)[0]));
}

}  // namespace
}  // namespace adze
