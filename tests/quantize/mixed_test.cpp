#include "adze/quantize/mixed.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "adze/base/files.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/diagnose.h"
#include "adze/quantize/quantized_layers.h"
#include "adze/quantize/width_latency.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::random_batches;

Graph network() {
  Graph graph = testing::residual_network();
  infer_types(graph);
  return graph;
}

CalibrationData pictures() {
  return calibration_from(random_batches(4, {8, 3, 8, 8}));
}

TEST(ChooseWidths, KeepsToTheBudgetAndBeatsEqualWidths) {
  const PtqOptions options;
  const Trials trials(network(), pictures(), options, 2, silent_progress());
  ASSERT_EQ(trials.layers().size(), 4U);
  const MixedOutcome outcome = choose_widths(trials, options, {BudgetKind::Bits, 4}, {}, silent_progress());
  EXPECT_LE(outcome.cost, 4);
  EXPECT_GE(outcome.predicted, outcome.bound * (1 - 1e-9));
  EXPECT_LE(outcome.measured, outcome.start);
  std::vector<LayerBits> equal = outcome.layer_bits;
  for (LayerBits& one : equal) one.bits = {4, 8};
  EXPECT_LT(outcome.measured, trials.all(equal));
}

TEST(ChooseWidths, RefusesABudgetThatNothingFits) {
  const PtqOptions options;
  const Trials trials(network(), pictures(), options, 1, silent_progress());
  EXPECT_THROW(choose_widths(trials, options, {BudgetKind::Bytes, 10}, {}, silent_progress()), UsageError);
}

TEST(SensitivityCurves, GoOnFromTheFileAndRefuseAnothersFile) {
  const PtqOptions options;
  const Trials trials(network(), pictures(), options, 1, silent_progress());
  const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "adze_curves.json";
  std::filesystem::remove(file);
  auto curves = sensitivity_curves(
      trials,
      [](const Node&) {
        return std::vector{3, 8};
      },
      8, file, "one", silent_progress());
  EXPECT_GT(curves[0].points[0].damage, curves[0].points[1].damage);
  curves[1].points[0].damage = 123;  // a point that is known is not measured again
  write_file(file, print_curves(curves, "one"));
  EXPECT_EQ(sensitivity_curves(
                trials,
                [](const Node&) {
                  return std::vector{3, 8};
                },
                8, file, "one", silent_progress())[1]
                .points[0]
                .damage,
            123);
  EXPECT_THROW(sensitivity_curves(
                   trials,
                   [](const Node&) {
                     return std::vector{3, 8};
                   },
                   8, file, "two", silent_progress()),
               UsageError);
  // A run that asks for another width adds it, and leaves what others measured.
  const auto asked = sensitivity_curves(
      trials, [](const Node&) { return std::vector{4}; }, 8, file, "one", silent_progress());
  ASSERT_EQ(asked[1].points.size(), 1U);
  std::string key;
  const auto kept = parse_curves(read_text_file(file), key);
  ASSERT_EQ(kept.size(), asked.size());
  for (const LayerCurve& curve : kept) {
    ASSERT_EQ(curve.points.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(curve.points[i].bits, (std::vector{3, 4, 8})[i]);
  }
  EXPECT_EQ(kept[1].points[0].damage, 123);
  EXPECT_EQ(kept[1].points[1].damage, asked[1].points[0].damage);
}

TEST(ChooseWidths, ByLatencyLooksAtWhatRunsDifferentlyAndMayLeaveLayersInFloat) {
  const Graph graph = network();
  EXPECT_EQ(stored_widths(graph.node(find_node(graph, "stem"))), (std::vector{8, float_bits}));
  EXPECT_EQ(stored_widths(graph.node(find_node(graph, "head"))), (std::vector{2, 4, 8, float_bits}));
  const PtqOptions options;
  const Trials trials(graph, pictures(), options, 1, silent_progress());
  MixedOptions mixed;
  mixed.refinements = 0;
  mixed.latency = {0.01, 3, 5, 1};
  // So much time that nothing needs to be quantized.
  const MixedBudget budget{BudgetKind::Latency, 1, "10s"};
  const MixedOutcome outcome = choose_widths(trials, options, budget, mixed, silent_progress());
  ASSERT_EQ(outcome.layer_bits.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(outcome.times[i].size(), outcome.curves[i].points.size());
    EXPECT_EQ(outcome.layer_bits[i].bits.weights, float_bits);
  }
  EXPECT_EQ(outcome.predicted, 0);
  EXPECT_LE(outcome.measured_us, outcome.limit);
  PtqOptions chosen;
  set_layer_bits(chosen, outcome.layer_bits);
  EXPECT_EQ(chosen.skip.size(), 4U);
  EXPECT_TRUE(chosen.layer_bits.empty());
  EXPECT_EQ(trials.all(outcome.layer_bits), 0) << "nothing is quantized";
}

TEST(RaiseWidths, RaisesUntilThePairedIntervalHolds) {
  PtqOptions options;
  options.bits = {2, 4};
  options.end_bits = 2;
  const Graph graph = network();
  const Trials trials(graph, pictures(), options, 1, silent_progress());
  const auto samples = random_batches(6, {32, 3, 8, 8}, 55);
  // The float network's own classes are the labels; scores are taken relative to their means, or one class had it all.
  const auto judge = [&](const Graph& quantized) {
    EvaluateResult result;
    std::int64_t correct = 0;
    for (const auto& inputs : samples) {
      const Tensor exact = reference::run_tensors(graph, inputs)[0],
                   found = reference::run_tensors(quantized, inputs)[0];
      std::vector<float> means(5, 0.0F);
      for (std::size_t i = 0; i < 32 * 5; ++i) means[i % 5] += exact.data<float>()[i] / 32;
      for (std::int64_t row = 0; row < 32; ++row) {
        const auto best = [&](const Tensor& of) {
          const auto scores = of.data<float>().subspan(static_cast<std::size_t>(row) * 5, 5);
          std::int64_t found = 0;
          for (std::int64_t i = 1; i < 5; ++i) {
            const auto at = static_cast<std::size_t>(i), before = static_cast<std::size_t>(found);
            if (scores[at] - means[at] > scores[before] - means[before]) found = i;
          }
          return found;
        };
        result.labels.push_back(best(exact));
        result.predictions.push_back(best(found));
        correct += result.labels.back() == result.predictions.back() ? 1 : 0;
      }
    }
    result.top1 = static_cast<double>(correct) / static_cast<double>(result.labels.size());
    return result;
  };
  const RaiseOutcome outcome = raise_widths(trials, options, 0.7, judge(graph), judge, silent_progress());
  ASSERT_TRUE(outcome.within_limit) << outcome.steps.size() << " steps, " << outcome.steps.front().highest_drop
                                    << " -> " << outcome.steps.back().highest_drop;
  ASSERT_GT(outcome.steps.size(), 1U);
  EXPECT_GT(outcome.steps.front().highest_drop, 0.7);
  EXPECT_LE(outcome.steps.back().highest_drop, 0.7);
  EXPECT_NE(outcome.steps[1].why.find("damage"), std::string::npos);
}

TEST(ParseBytes, ReadsUnits) {
  EXPECT_EQ(parse_bytes("256KiB"), 262144);
  EXPECT_EQ(parse_bytes("1.5 kB"), 1500);
  EXPECT_EQ(parse_bytes("70000"), 70000);
  EXPECT_THROW(parse_bytes("many"), UsageError);
  EXPECT_THROW(parse_bytes("5 parsecs"), UsageError);
}

TEST(Diagnose, NoticesHalvesThatDifferAndRangesThatSaturate) {
  auto batches = random_batches(4, {16, 3, 8, 8});
  const QuantizeOutcome calm = quantize(network(), calibration_from(batches), {});
  ASSERT_FALSE(calm.report.calibration.empty());
  for (const ActivationDiagnosis& one : calm.report.calibration) {
    EXPECT_GT(one.coverage, 0.3) << one.value;
    EXPECT_LT(one.drift, 0.2) << one.value;
  }
  for (std::size_t i = 2; i < 4; ++i) {
    for (float& value : batches[i][0].mutable_data<float>()) value = 5 * value + 4;
  }
  PtqOptions options;
  options.calibrator = Calibrator::Percentile;
  options.percentile = 95;
  const QuantizeOutcome moved = quantize(network(), calibration_from(batches), options);
  const auto has = [&](const std::string& remark) {
    for (const ActivationDiagnosis& one : moved.report.calibration) {
      if (std::find(one.remarks.begin(), one.remarks.end(), remark) != one.remarks.end()) return true;
    }
    return false;
  };
  EXPECT_TRUE(has("drifts"));
  EXPECT_TRUE(has("not settled"));
  EXPECT_TRUE(has("saturates"));
}

}  // namespace
}  // namespace adze::quantize
