#include <gtest/gtest.h>

#include <algorithm>

#include "adze/base/error.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/weights.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::Builder;

const Shape picture{4, 3, 8, 8};

/// A convolution of eight channels whose weights differ tenfold from one to the next.
Graph uneven_network() {
  Builder b;
  const ValueId y = b.conv(b.input({1, 3, 8, 8}), 3, 8, "conv");
  Tensor& weight = *b.graph.value(b.graph.find_value("conv.weight")).constant;
  for (std::size_t i = 0; i < 8 * 27; ++i) weight.mutable_data<float>()[i] *= i / 27 % 2 == 0 ? 10.0F : 1.0F;
  b.graph.add_output(b.add(OpKind::Relu, {y}, "relu"));
  return b.graph;
}

QuantizedWeight codes_of(const WeightScaling& scaling) {
  const Graph graph = uneven_network();
  const Node& conv = graph.node(graph.node_ids()[0]);
  return quantize_weight(graph, conv, conv.input(1), scaling);
}

bool same(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.size() != b.size()) return false;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    if (a.get_int(i) != b.get_int(i)) return false;
  }
  return true;
}

TEST(ChannelGroups, HaveOneScaleEachTheLastMayBeShort) {
  for (const int bits : {1, 2, 4, 8}) {
    const std::vector<AffineScale> scales = codes_of({0, 3, bits}).scales.scales;
    ASSERT_EQ(scales.size(), 8U);
    for (const std::size_t i : {1U, 2U, 4U, 5U, 7U}) EXPECT_EQ(scales[i], scales[i / 3 * 3]) << bits << " bits, " << i;
    EXPECT_NE(scales[0].scale, scales[3].scale);
    EXPECT_NE(scales[3].scale, scales[6].scale);
  }
}

TEST(ChannelGroups, OfOneAreChannelsAndOfAllAreTheTensor) {
  for (const int bits : {1, 2, 4, 8}) {
    const QuantizedWeight tensor = codes_of({std::nullopt, 1, bits});
    for (const std::int64_t group : {8, 100}) {
      const QuantizedWeight all = codes_of({0, group, bits});
      EXPECT_TRUE(same(all.codes, tensor.codes)) << bits;
      EXPECT_NEAR(all.scales.scales[7].scale, tensor.scales.scales[0].scale, 1e-6F * tensor.scales.scales[0].scale);
    }
    EXPECT_FALSE(same(codes_of({0, 2, bits}).codes, codes_of({0, 1, bits}).codes) && bits > 1);
  }
}

TEST(ChannelGroups, LieBetweenChannelsAndTensorInEveryModeAndRounding) {
  const CalibrationData data = calibration_from(testing::random_batches(4, picture));
  const auto sqnr = [&](PtqOptions options, std::string_view granularity) {
    set_granularity(options, granularity);
    options.methods.adaround.iterations = 50;
    return quantize(uneven_network(), data, options).report.weights.at(0);
  };
  std::vector<PtqOptions> forms(5);
  forms[1].mode = Mode::WeightOnly;
  forms[2].mode = Mode::Dynamic;
  forms[3].bits = {4, 8};
  forms[3].end_bits = 4;
  forms[3].methods.rounding = Rounding::Gptq;
  forms[4].mode = Mode::WeightOnly;
  forms[4].format = "f4e2m1";
  for (const PtqOptions& form : forms) {
    const WeightReport channel = sqnr(form, "per-channel"), group = sqnr(form, "per-group=5"),
                       tensor = sqnr(form, "per-tensor");
    EXPECT_EQ(channel.num_scales, 8);
    EXPECT_EQ(group.num_scales, 2);
    EXPECT_EQ(tensor.num_scales, 1);
    EXPECT_GT(channel.sqnr_db, group.sqnr_db) << mode_name(form.mode);
    EXPECT_GE(group.sqnr_db + 0.2, tensor.sqnr_db) << mode_name(form.mode);
  }
}

TEST(ChannelGroups, AreNamedAndRefusedWhereTheyCannotBe) {
  PtqOptions options;
  for (const char* text : {"per-tensor", "per-channel", "per-group=4"}) {
    set_granularity(options, text);
    EXPECT_EQ(granularity_text(options), text);
  }
  for (const char* text : {"per-group", "per-group=", "per-group=0", "per-group=-2", "per-group=4x", "per-row", ""}) {
    EXPECT_THROW(set_granularity(options, text), UsageError) << text;
  }
  set_granularity(options, "per-group=4");
  check_options(options);
  options.mode = Mode::WeightOnly;
  options.block = 32;
  EXPECT_THROW(check_options(options), UsageError);
}

}  // namespace
}  // namespace adze::quantize
