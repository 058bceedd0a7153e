#include "adze/prune/prune.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/zoo/zoo.h"

namespace adze::prune {
namespace {

Batches random_batches(const Graph& graph) {
  const Shape shape = concrete(*graph.value(graph.inputs()[0]).type.shape).value();
  return {2, [shape](std::int64_t batch) {
            Random random(static_cast<std::uint64_t>(batch));
            Tensor tensor(DType::F32, shape);
            for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
            return std::vector<Tensor>{tensor};
          }};
}

TEST(Prune, RoundsReachTheSameRatioAndNameEachUnitOnce) {
  const Graph graph = zoo::build("resnet8,width=0.5");
  PruneOptions options;
  options.ratio = 0.5;
  const PruneOutcome once = prune(graph, options, {});
  options.rounds = 3;
  std::int64_t tuned = 0;
  PruneInputs inputs;
  inputs.tune = [&](const Graph& pruned, std::int64_t round) {
    EXPECT_EQ(round, ++tuned);
    return pruned;
  };
  const PruneOutcome thrice = prune(graph, options, inputs);
  EXPECT_EQ(tuned, 3);
  ASSERT_EQ(thrice.rounds.size(), 3u);
  EXPECT_NEAR(static_cast<double>(thrice.rounds[2].units), static_cast<double>(once.rounds[0].units), 2);
  EXPECT_GT(thrice.rounds[0].units, thrice.rounds[1].units);
  for (const GroupOutcome& group : thrice.groups) {
    std::vector<std::int64_t> sorted = group.removed;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
    if (!sorted.empty()) {
      EXPECT_LT(sorted.back(), group.size);
    }
    EXPECT_EQ(group.rounds.size(), group.removed.size());
    EXPECT_TRUE(std::is_sorted(group.rounds.begin(), group.rounds.end()));
    EXPECT_EQ(static_cast<std::int64_t>(group.kept.size() + group.removed.size()), group.size);
  }
}

TEST(Prune, RefusesWeightsThatAreNoNumbers) {
  Graph graph = zoo::build("lenet300,width=0.2");
  PruneOptions options;
  EXPECT_NO_THROW(prune(graph, options, {}));
  const Layer layer = weight_layers(graph).at(0);
  graph.value(layer.weight).constant->mutable_data<float>()[3] = std::nanf("");
  EXPECT_THROW(prune(graph, options, {}), ModelError);
  options.channels = false;
  EXPECT_THROW(prune(graph, options, {}), ModelError);
}

TEST(Prune, SensitivitySparesWhatMattersAndMeetsItsTarget) {
  const Graph graph = zoo::build("resnet8,width=0.25,resolution=16");
  PruneOptions options;
  options.spread = Spread::Sensitivity;
  options.target_macs = 0.6;
  PruneInputs inputs;
  inputs.batches = random_batches(graph);
  const PruneOutcome outcome = prune(graph, options, inputs);
  EXPECT_LE(static_cast<double>(outcome.after.macs), 0.6 * static_cast<double>(outcome.before.macs));
}

TEST(Prune, ZeroesWeightsOverRounds) {
  const Graph graph = zoo::build("lenet300,width=0.2");
  PruneOptions options;
  options.channels = false;
  options.ratio = 0.9;
  options.rounds = 4;
  options.limits.max_ratio = 0.99;
  const PruneOutcome outcome = prune(graph, options, {});
  std::int64_t weights = 0, zeros = 0;
  for (const LayerOutcome& layer : outcome.layers) {
    weights += layer.weights;
    zeros += layer.zeros;
  }
  EXPECT_NEAR(static_cast<double>(zeros) / static_cast<double>(weights), 0.9, 0.001);
}

TEST(Prune, TakesTheShareThatIsSetForAGroup) {
  const Graph graph = zoo::build("lenet5");
  PruneOptions options;
  options.own = {{"Conv_1", 0.5}, {"Gemm_*", 0.25}};
  for (const std::int64_t rounds : {1, 3}) {
    options.rounds = rounds;
    const PruneOutcome outcome = prune(graph, options, {});
    for (const GroupOutcome& group : outcome.groups) {
      const double share = static_cast<double>(group.removed.size()) / static_cast<double>(group.size);
      if (group.name.find("Conv_1") != std::string::npos) {
        EXPECT_NEAR(share, 0.5, 0.03) << group.name;
      } else if (group.name.find("Gemm_1") != std::string::npos) {
        EXPECT_NEAR(share, 0.25, 0.01) << group.name;
      }
    }
  }
}

TEST(Prune, TakesTheShareThatIsSetForALayer) {
  const Graph graph = zoo::build("lenet5");
  PruneOptions options;
  options.channels = false;
  options.own = {{"Conv_2", 0.2}};
  options.ratio = 0.7;
  for (const bool surgeon : {false, true}) {
    options.surgeon = surgeon;
    PruneInputs inputs;
    if (surgeon) inputs.batches = random_batches(graph);
    for (const LayerOutcome& layer : prune(graph, options, inputs).layers) {
      const double share = static_cast<double>(layer.zeros) / static_cast<double>(layer.weights);
      if (layer.name == "Conv_2") {
        EXPECT_NEAR(share, 0.2, 0.01);
      } else if (layer.name == "Gemm_1") {
        EXPECT_NEAR(share, 0.7, 0.1);
      }
    }
  }
}

TEST(Prune, RefusesWhatCannotBe) {
  PruneOptions options;
  EXPECT_THROW(prune(zoo::build("resnet8,int8"), options, {}), UnsupportedError);
  options.ratio = 1;
  EXPECT_THROW(prune(zoo::build("resnet8"), options, {}), UsageError);
  options.ratio = 0.3;
  options.criteria = parse_criteria("taylor");
  EXPECT_THROW(prune(zoo::build("resnet8"), options, {}), UsageError);
  options.criteria = parse_criteria("bn-scale");
  EXPECT_THROW(prune(zoo::build("resnet8"), options, {}), UsageError);
}

}  // namespace
}  // namespace adze::prune
