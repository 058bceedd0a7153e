#include "adze/recipe/data_parts.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "adze/recipe/model_files.h"
#include "adze/recipe/optimize.h"

namespace adze {
namespace {

Graph demo() {
  return load_model(ADZE_SOURCE_DIR "/examples/demo/demo.onnx");
}

std::set<std::string> names_of(const Dataset& dataset) {
  std::set<std::string> names;
  for (std::int64_t i = 0; i < dataset.size(); ++i) names.insert(dataset.name(i));
  return names;
}

TEST(DataParts, PartsOfOneSetAreDisjoint) {
  DataRequest request;
  request.path = "demo:test";
  const DataParts parts = divide_data(demo(), request, {24, 100, 0}, 5);
  std::set<std::string> all = names_of(*parts.calibration);
  EXPECT_EQ(all.size(), 24u);
  all.merge(names_of(*parts.validation));
  EXPECT_EQ(all.size(), 124u);
  all.merge(names_of(*parts.test));
  EXPECT_EQ(all.size(), 2400u);
}

TEST(DataParts, TooLittleDataIsAUsageError) {
  DataRequest request;
  request.path = "demo:test";
  EXPECT_THROW(divide_data(demo(), request, {2390, 100, 0}, 5), UsageError);
}

TEST(Optimize, RecipeRepeatsTheChosenNetworkOnDividedAndOnUndividedData) {
  for (const char* path : {"demo", "demo:test"}) {
    OptimizeOptions options;
    options.data.path = path;
    options.calibration_samples = 24;
    options.validation_samples = 48;
    options.test_samples = 48;
    options.latency_seconds = 0.02;
    options.max_drop = 0.5;
    const OptimizeOutcome outcome = optimize(demo(), options);
    ASSERT_TRUE(outcome.within_limit);
    ASSERT_FALSE(outcome.recipe.calibration.path.empty()) << "the smallest is quantized with calibration data";
    EXPECT_FALSE(outcome.report.kernels.empty());
    EXPECT_FALSE(outcome.report.saturation.empty());
    EXPECT_GT(outcome.report.weight_histograms.size(), outcome.report.kernels.size()) << "1x1 kernels are no pictures";
    EXPECT_FALSE(outcome.report.histograms.at(0).after.empty());
    const RecipeOutcome again = run_recipe(demo(), parse_recipe(print_recipe(outcome.recipe), "recipe"));
    save_model(outcome.graph, testing::TempDir() + "/chosen.adze");
    save_model(again.graph, testing::TempDir() + "/again.adze");
    EXPECT_EQ(load_model(testing::TempDir() + "/chosen.adze").metadata, again.graph.metadata) << path;
    EXPECT_EQ(system(("cmp " + testing::TempDir() + "/chosen.adze " + testing::TempDir() + "/again.adze").c_str()), 0);
  }
}

TEST(Optimize, ALimitThatNothingKeepsToIsSaid) {
  OptimizeOptions options;
  options.data.path = "demo";
  options.calibration_samples = 24;
  options.validation_samples = 60;
  options.test_samples = 48;
  options.latency_seconds = 0.02;
  options.max_drop = 0;  // even the original's own interval is wider
  options.max_reverts = 1;
  const OptimizeOutcome outcome = optimize(demo(), options);
  EXPECT_FALSE(outcome.within_limit);
  for (const TrialFigures& trial : outcome.report.trials) {
    if (trial.name == "original") continue;
    EXPECT_NE(trial.verdict.find("refused"), std::string::npos) << trial.name;
  }
}

}  // namespace
}  // namespace adze
