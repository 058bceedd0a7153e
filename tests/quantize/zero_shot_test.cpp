#include "adze/quantize/zero_shot.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/graph/infer.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/quantized_layers.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

TEST(ZeroShot, CoversSixDeviationsOfANotedLayerBehindItsRelu) {
  testing::Builder b(3);
  const ValueId conv = b.conv(b.input({1, 3, 8, 8}), 3, 2, "conv");
  const ValueId relu = b.add(OpKind::Relu, {conv}, "relu");
  b.graph.add_output(b.conv(relu, 2, 2, "next"));
  infer_types(b.graph);
  set_noted_statistics(b.graph.node(find_node(b.graph, "conv")), {{1, -2}, {0.5, 3}});
  const ValueId wanted[] = {relu};
  const Observations found = observations_from_statistics(b.graph, wanted);
  EXPECT_EQ(found.histograms.at(relu).min(), 0);
  EXPECT_NEAR(found.histograms.at(relu).max(), 16, 1e-4);  // -2 + 6 · 3
}

TEST(ZeroShot, QuantizesWithoutData) {
  const Graph graph = testing::residual_network();
  PtqOptions options;
  options.methods.zero_shot = true;
  const QuantizeOutcome outcome = quantize(graph, {}, options);
  EXPECT_EQ(outcome.report.quantized_nodes.size() > 3, true);
  EXPECT_EQ(outcome.report.num_samples, 0);
}

TEST(ZeroShot, NamesTheOperatorBehindWhichNothingIsKnown) {
  testing::Builder b(3);
  const ValueId exp = b.add(OpKind::Exp, {b.conv(b.input({1, 3, 8, 8}), 3, 2, "conv")}, "exp");
  b.graph.add_output(b.conv(exp, 2, 2, "next"));
  infer_types(b.graph);
  const ValueId wanted[] = {exp};
  try {
    observations_from_statistics(b.graph, wanted);
    FAIL();
  } catch (const UnsupportedError& error) {
    EXPECT_NE(std::string(error.what()).find("exp"), std::string::npos);
  }
}

}  // namespace
}  // namespace adze::quantize
