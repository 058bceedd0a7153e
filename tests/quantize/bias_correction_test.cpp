#include "adze/quantize/bias_correction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/quantize/channel_statistics.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/quantized_layers.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::Builder;
using testing::random_batches;

/// The largest |mean difference| of the network outputs' channels, over the batches.
double mean_shift(const Graph& exact, const Graph& other, const std::vector<std::vector<Tensor>>& batches) {
  std::vector<double> shift;
  for (const auto& inputs : batches) {
    const auto a = reference::run_tensors(exact, inputs), b = reference::run_tensors(other, inputs);
    const auto channels = static_cast<std::size_t>(a[0].dim(1));
    shift.resize(channels);
    for (std::size_t i = 0; i < a[0].data<float>().size(); ++i) {
      shift[i % channels] += b[0].data<float>()[i] - a[0].data<float>()[i];
    }
  }
  double largest = 0;
  for (const double one : shift) largest = std::max(largest, std::abs(one));
  return largest;
}

Graph regressor() {
  Builder b(11);
  const ValueId x = b.add(OpKind::Relu, {b.conv(b.input({1, 3, 8, 8}), 3, 8, "a")}, "a_relu");
  const ValueId y = b.add(OpKind::Relu, {b.conv(x, 8, 8, "b")}, "b_relu");
  const ValueId pooled = b.add(OpKind::GlobalAveragePool, {y}, "pool");
  b.graph.add_output(b.gemm(b.add(OpKind::Flatten, {pooled}, "flat"), 8, 4, "head"));
  return b.graph;
}

TEST(CorrectBiases, TakesTheMeanErrorOfTheOutputsAway) {
  const auto batches = random_batches(4, {8, 3, 8, 8});
  PtqOptions options;
  options.bits = {3, 8};
  options.end_bits = 3;
  const Graph plain = quantize(regressor(), calibration_from(batches), options).graph;
  options.methods.bias_correction = BiasCorrection::Data;
  const QuantizeOutcome corrected = quantize(regressor(), calibration_from(batches), options);
  ASSERT_EQ(corrected.report.methods.size(), 1U);
  const double before = mean_shift(regressor(), plain, batches),
               after = mean_shift(regressor(), corrected.graph, batches);
  EXPECT_GT(before, 0.5);
  EXPECT_LT(after, before / 20);
}

TEST(ClippedNormalMean, AgreesWithDraws) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  struct Case {
    double mean, deviation, low, high;
  };
  for (const Case& one : {Case{0.5, 1, 0, infinity}, Case{-2, 0.7, 0, infinity}, Case{4, 3, 0, 6}, Case{1, 0, 0, 6}}) {
    Random random(3);
    double sum = 0;
    constexpr int draws = 200000;
    for (int i = 0; i < draws; ++i) sum += std::clamp(one.mean + one.deviation * random.normal(), one.low, one.high);
    EXPECT_NEAR(clipped_normal_mean(one.mean, one.deviation, one.low, one.high), sum / draws,
                0.02 * (1 + one.deviation));
  }
}

TEST(CorrectBiasesAnalytically, UsesTheStatisticsOfTheLayerBefore) {
  Builder b(12);
  const ValueId x = b.input({1, 6});
  b.graph.add_output(b.gemm(b.add(OpKind::Relu, {b.gemm(x, 6, 16, "a")}, "relu"), 16, 5, "b"));
  Graph graph = b.graph;
  infer_types(graph);
  // Normal inputs make exactly normal outputs of the first layer, whose statistics are known.
  ChannelStatistics statistics;
  const auto weights = graph.constant(graph.find_value("a.weight"))->data<float>();
  for (std::size_t i = 0; i < 16; ++i) {
    double squares = 0;
    for (std::size_t k = 0; k < 6; ++k) squares += weights[i * 6 + k] * weights[i * 6 + k];
    statistics.mean.push_back(graph.constant(graph.find_value("a.bias"))->data<float>()[i]);
    statistics.deviation.push_back(std::sqrt(squares));
  }
  set_noted_statistics(graph.node(find_node(graph, "a")), statistics);
  PtqOptions options;
  options.layer_bits = {{"b", {2, 8}}};
  const auto batches = random_batches(40, {256, 6});
  const Graph plain = quantize(graph, calibration_from(batches), options).graph;
  options.methods.bias_correction = BiasCorrection::Analytic;
  const Graph corrected = quantize(graph, calibration_from(batches), options).graph;
  const double before = mean_shift(graph, plain, batches), after = mean_shift(graph, corrected, batches);
  EXPECT_LT(after, before / 5);
}

}  // namespace
}  // namespace adze::quantize
