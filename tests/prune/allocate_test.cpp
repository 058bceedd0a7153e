#include "adze/prune/allocate.h"

#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/prune/criteria.h"
#include "adze/prune/sensitivity.h"
#include "adze/zoo/zoo.h"

namespace adze::prune {
namespace {

Groups two_groups(std::int64_t a, std::int64_t b) {
  Groups groups;
  groups.groups.resize(2);
  groups.groups[0].size = a;
  groups.groups[1].size = b;
  return groups;
}

TEST(ChooseByGroup, TakesTheSmallestAndKeepsMultiples) {
  const Groups groups = two_groups(8, 5);
  const std::vector<std::vector<double>> scores = {{8, 1, 7, 2, 6, 3, 5, 4}, {1, 2, 3, 4, 5}};
  const auto selections = choose_by_group(groups, scores, std::vector<double>{0.6, 0.6}, {.round_to = 4});
  ASSERT_EQ(selections.size(), 2u);
  EXPECT_EQ(selections[0].units, (std::vector<std::int64_t>{1, 3, 5, 7}));
  EXPECT_EQ(selections[1].units, (std::vector<std::int64_t>{0, 1, 2}));  // 5 is no multiple of 4
}

TEST(ChooseGlobally, RanksUnitsOfAllGroupsAndSparesTheLast) {
  const Groups groups = two_groups(4, 4);
  const std::vector<std::vector<double>> scores = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  const auto selections = choose_globally(groups, scores, 0.5, {.max_ratio = 0.75});
  ASSERT_EQ(selections.size(), 2u);
  EXPECT_EQ(selections[0].units, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(selections[1].units, (std::vector<std::int64_t>{0}));
}

TEST(ChooseForCost, MeetsATargetOfMacs) {
  const Graph graph = zoo::build("resnet8");
  const Groups groups = find_groups(graph);
  const auto layers = weight_layers(graph);
  std::vector<std::vector<double>> scores;
  for (const Group& group : groups.groups) scores.push_back(unit_scores(Criterion::L1, graph, group, layers, {}));
  for (auto& one : scores) normalize(one, Normalization::Mean);
  const auto whole = static_cast<double>(size_of(graph).macs);
  const Cost macs = [&](std::span<const Selection> selections) {
    return static_cast<double>(size_of(remove_units(graph, groups, selections)).macs) / whole;
  };
  const auto choose = [&](double ratio) { return choose_globally(groups, scores, ratio, {}); };
  const double reached = macs(choose_for_cost(choose, macs, 0.5));
  EXPECT_LE(reached, 0.5);
  EXPECT_GT(reached, 0.45);
  EXPECT_THROW(choose_for_cost(choose, macs, 1e-4), UsageError);
}

TEST(RatiosBelow, InterpolateBetweenMeasuredShares) {
  const std::vector<GroupSensitivity> sensitivity = {{1, {0.1, 0.3}}, {2, {0.01, 0.02}}};
  const auto ratios = ratios_below(sensitivity, std::vector<double>{0.2, 0.4}, 3, 0.2);
  EXPECT_DOUBLE_EQ(ratios[0], 0);
  EXPECT_NEAR(ratios[1], 0.3, 1e-12);
  EXPECT_DOUBLE_EQ(ratios[2], 0.4);
}

TEST(MeasureSensitivity, GrowsWithTheShareThatGoes) {
  const Graph graph = zoo::build("lenet300,width=0.1");
  const Groups groups = find_groups(graph);
  const auto layers = weight_layers(graph);
  std::vector<std::vector<double>> scores;
  for (const Group& group : groups.groups) scores.push_back(unit_scores(Criterion::L1, graph, group, layers, {}));
  const Shape shape = concrete(*graph.value(graph.inputs()[0]).type.shape).value();
  const Batches batches{2, [&](std::int64_t batch) {
                          Random random(static_cast<std::uint64_t>(batch));
                          Tensor tensor(DType::F32, shape);
                          for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
                          return std::vector<Tensor>{tensor};
                        }};
  const std::vector<double> ratios = {0.0, 0.5, 0.9};
  const auto sensitivity = measure_sensitivity(graph, groups, scores, ratios, batches);
  ASSERT_EQ(sensitivity.size(), groups.groups.size());
  for (const auto& one : sensitivity) {
    EXPECT_NEAR(one.errors[0], 0, 1e-10);
    EXPECT_GT(one.errors[1], 0);
    EXPECT_GT(one.errors[2], one.errors[1]);
  }
}

}  // namespace
}  // namespace adze::prune
