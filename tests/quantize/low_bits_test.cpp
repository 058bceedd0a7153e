#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/quantized_layers.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::random_batches;

const Shape pictures{8, 3, 8, 8};

Graph network() {
  Graph graph = testing::residual_network(4);
  infer_types(graph);
  return graph;
}

QuantizeOutcome quantized(PtqOptions options) {
  return quantize(network(), calibration_from(random_batches(2, pictures)), options);
}

double sqnr(const Graph& graph) {
  const auto inputs = random_batches(1, pictures, 77)[0];
  const Tensor exact = reference::run_tensors(network(), inputs)[0];
  Session session(graph);
  return sqnr_db(exact.data<float>(), session.run(inputs)[0].data<float>());
}

TEST(LowBits, FourBitsAreStoredInFour) {
  PtqOptions options;
  options.bits = {4, 8};
  const QuantizeOutcome outcome = quantized(options);
  int packed = 0;
  for (const QuantizedLayer& layer : quantized_layers(outcome.graph)) {
    const bool is_inner = outcome.graph.node(layer.node).name.starts_with("block");
    EXPECT_EQ(outcome.graph.constant(layer.codes)->dtype(), is_inner ? DType::S4 : DType::S8);
    packed += is_inner ? 1 : 0;
  }
  EXPECT_EQ(packed, 2);
  EXPECT_GT(sqnr(outcome.graph), 15);
}

TEST(LowBits, OneBitIsASignTimesTheMeanMagnitude) {
  for (const Mode mode : {Mode::Static, Mode::WeightOnly}) {
    PtqOptions options;
    options.mode = mode;
    options.bits = {1, 8};
    const QuantizeOutcome outcome = quantized(options);
    const Graph exact = network();
    int seen = 0;
    for (const QuantizedLayer& layer : quantized_layers(outcome.graph)) {
      const std::string& name = outcome.graph.node(layer.node).name;
      if (!name.starts_with("block")) continue;
      ++seen;
      const auto codes = stored_codes(outcome.graph, layer);
      const auto weights = exact.constant(exact.node(find_node(exact, name)).input(1))->data<float>();
      double sum = 0;
      const std::int64_t each = layer.layout.inputs();
      for (std::int64_t i = 0; i < each; ++i) sum += std::abs(weights[static_cast<std::size_t>(i)]);
      EXPECT_NEAR(layer.scales[0], sum / static_cast<double>(each), 1e-5);
      for (std::size_t i = 0; i < codes.size(); ++i) EXPECT_EQ(codes[i], weights[i] < 0 ? -1 : 1);
    }
    EXPECT_EQ(seen, 2);
  }
}

TEST(Float8, StoresWeightsAndInputsAsF8e4m3) {
  PtqOptions options;
  options.mode = Mode::Float8;
  const QuantizeOutcome outcome = quantized(options);
  EXPECT_EQ(outcome.report.quantized_nodes.size(), 4U);
  int weights = 0, inputs = 0;
  for (const NodeId id : outcome.graph.node_ids()) {
    const Node& node = outcome.graph.node(id);
    if (node.kind == OpKind::QuantizeLinear) ++inputs;
    if (node.kind != OpKind::DequantizeLinear || outcome.graph.constant(node.input(0)) == nullptr) continue;
    EXPECT_EQ(outcome.graph.constant(node.input(0))->dtype(), DType::F8E4M3);
    ++weights;
  }
  EXPECT_EQ(weights, 4);
  EXPECT_EQ(inputs, 4);
  EXPECT_GT(sqnr(outcome.graph), 18);
  for (const WeightReport& weight : outcome.report.weights) EXPECT_GT(weight.sqnr_db, 28) << weight.node;
}

TEST(DescribeWeights, CountsAllWeightsAndKeepsErrorsWithinHalfAStep) {
  PtqOptions options;
  options.bits = {6, 8};
  const QuantizeOutcome outcome = quantized(options);
  const auto layers = quantized_layers(outcome.graph);
  int described = 0;
  for (const WeightReport& report : outcome.report.weights) {
    if (report.histogram.empty()) continue;
    const auto layer = std::find_if(layers.begin(), layers.end(), [&](const QuantizedLayer& one) {
      return outcome.graph.node(one.node).name == report.node;
    });
    ASSERT_NE(layer, layers.end());
    const auto size = static_cast<double>(num_elements(report.shape));
    for (const auto& counts : {report.histogram, report.restored_histogram, report.error_histogram}) {
      EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0.0), size);
    }
    if (report.bits == 8) {
      EXPECT_LE(report.error_limit, *std::max_element(layer->scales.begin(), layer->scales.end()) / 2 * 1.001F);
    }
    ++described;
  }
  EXPECT_EQ(described, 4);
}

}  // namespace
}  // namespace adze::quantize
