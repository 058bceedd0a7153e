#include "adze/quantize/channel_codes.h"

#include <gtest/gtest.h>

#include "adze/graph/infer.h"
#include "adze/quantize/kernel_sheet.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

/// x[N, 2, 1, 4] → QuantizeLinear(scale 1, zero point 0) → DequantizeLinear
Graph one_quantizer() {
  testing::Builder b;
  const ValueId x = b.input({1, 2, 1, 4});
  const ValueId scale = b.constant("scale", Tensor::scalar(1.0F));
  const ValueId zero = b.constant("zero", Tensor::scalar<std::int8_t>(0));
  const ValueId codes = b.add(OpKind::QuantizeLinear, {x, scale, zero}, "codes");
  b.graph.add_output(b.add(OpKind::DequantizeLinear, {codes, scale, zero}, "y"));
  infer_types(b.graph);
  return b.graph;
}

TEST(ChannelCodes, CountsEndsAndWhatIsCutOffByChannel) {
  const Tensor x = Tensor::from<float>({1, 2, 1, 4}, {-128, -129, 0, 127.4F, 127, 130, 200, 1});
  const auto found = channel_codes(one_quantizer(), calibration_from({{x}}), 0, silent_progress());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].value, "x");
  EXPECT_EQ(found[0].lowest, (std::vector<double>{0.5, 0}));
  EXPECT_EQ(found[0].highest, (std::vector<double>{0.25, 0.75}));
  EXPECT_EQ(found[0].cut_off, (std::vector<double>{0.25, 0.5}));
  ASSERT_EQ(found[0].codes.size(), 256u);
  EXPECT_EQ(found[0].codes.front(), 2);
  EXPECT_EQ(found[0].codes[128], 1);
  EXPECT_EQ(found[0].codes.back(), 4);
}

TEST(ChannelCodes, QuantizedNetworkHasARowForEachActivation) {
  Graph graph = testing::residual_network();
  infer_types(graph);
  PtqOptions options;
  options.bits = {4, 4};
  const auto data = calibration_from(testing::random_batches(2, {4, 3, 8, 8}));
  const QuantizeOutcome outcome = quantize(graph, data, options);
  const auto found = channel_codes(outcome.graph, data, 0, silent_progress());
  ASSERT_EQ(found.size(), outcome.report.activations.size());
  for (const ChannelCodes& one : found) {
    EXPECT_LE(one.codes.size(), 256u);
    for (const double share : one.cut_off) EXPECT_LT(share, 0.1) << one.value;
  }
}

TEST(KernelSheet, ShowsFiltersOverColoursAndKernelsByInput) {
  testing::Builder b;
  Node node;
  node.kind = OpKind::Conv;
  const Tensor first = b.normal({16, 3, 5, 5}, 1), next = b.normal({4, 16, 3, 3}, 1),
               point = b.normal({8, 16, 1, 1}, 1);
  const KernelSheet filters = kernel_sheet(node, first, first.data<float>());
  EXPECT_EQ(filters.colours, 3);
  EXPECT_EQ(filters.columns, 4);
  EXPECT_EQ(std::ssize(filters.before), first.size());
  EXPECT_EQ(filters.after, filters.before);
  const KernelSheet kernels = kernel_sheet(node, next, next.data<float>());
  EXPECT_TRUE(kernels.by_input);
  ASSERT_EQ(kernels.before.size(), 4u * 8 * 9);
  EXPECT_EQ(kernels.before[8 * 9], next.data<float>()[16 * 9]);  // the second output's first channel
  EXPECT_TRUE(kernel_sheet(node, point, point.data<float>()).before.empty());
}

}  // namespace
}  // namespace adze::quantize
