#include "adze/recipe/recipe.h"

#include <gtest/gtest.h>

namespace adze {
namespace {

Recipe sample() {
  Recipe recipe;
  recipe.seed = 7;
  recipe.calibration.path = "pictures";
  recipe.calibration.split = "train";
  recipe.calibration_samples = 100;
  recipe.steps.emplace_back(SlimStep{{"fold-pad"}});
  quantize::PtqOptions options;
  options.calibrator = quantize::Calibrator::Percentile;
  options.percentile = 99.9;
  options.skip = {"head*"};
  recipe.steps.emplace_back(QuantizeStep{options, {}, 0, {}});
  return recipe;
}

std::string message_of(const std::string& text) {
  try {
    parse_recipe(text, "r.toml");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Recipe, KeepsEverySettingOfQuantization) {
  Recipe recipe = sample();
  recipe.steps.clear();
  quantize::PtqOptions options;
  options.mode = quantize::Mode::WeightOnly;
  options.bits = {4, 8};
  options.block = 32;
  options.power_of_two = options.reduce_range = true;
  options.methods.awq = options.methods.adaround.blocks = true;
  options.methods.smooth = 0.5;
  options.methods.split_outliers = 0.25;
  options.state = {DType::S4, quantize::StateScales::Token};
  options.dynamic_rows = true;
  recipe.steps.emplace_back(QuantizeStep{options, "edgetpu", 64, {"h0=hn"}});
  const Recipe back = parse_recipe(print_recipe(recipe), "r.toml");
  const auto& step = std::get<QuantizeStep>(back.steps.at(0));
  EXPECT_EQ(step.device, "edgetpu");
  EXPECT_EQ(step.synthetic_samples, 64);
  EXPECT_EQ(step.options.block, 32);
  EXPECT_TRUE(step.options.power_of_two && step.options.reduce_range);
  EXPECT_TRUE(step.options.methods.awq && step.options.methods.adaround.blocks);
  EXPECT_EQ(step.options.methods.smooth, 0.5);
  EXPECT_EQ(step.options.state.dtype, DType::S4);
  EXPECT_EQ(step.options.state.scales, quantize::StateScales::Token);
  EXPECT_EQ(step.states, (std::vector<std::string>{"h0=hn"}));
  EXPECT_TRUE(step.options.dynamic_rows);
  EXPECT_EQ(step.options.methods.split_outliers, 0.25);
  EXPECT_EQ(print_recipe(back), print_recipe(recipe));
}

TEST(Recipe, TakesPresets) {
  const Recipe recipe =
      parse_recipe("schema = \"adze.recipe/1\"\n[[step]]\nrun = \"quantize\"\npreset = \"int4-g32\"\n", "r.toml");
  const auto& options = std::get<QuantizeStep>(recipe.steps.at(0)).options;
  EXPECT_EQ(options.mode, quantize::Mode::WeightOnly);
  EXPECT_EQ(options.block, 32);
}

TEST(Recipe, PrintsAndParsesToTheSameText) {
  const std::string text = print_recipe(sample());
  EXPECT_EQ(print_recipe(parse_recipe(text, "r.toml")), text);
  const Recipe again = parse_recipe(text, "r.toml");
  EXPECT_EQ(again.seed, 7u);
  EXPECT_EQ(again.calibration.split, "train");
  const auto& options = std::get<QuantizeStep>(again.steps.at(1)).options;
  EXPECT_EQ(options.percentile, 99.9);
  EXPECT_EQ(options.skip, std::vector<std::string>{"head*"});
}

TEST(Recipe, KeepsEverySettingOfATrainingStep) {
  TrainStep step;
  step.data.path = "cifar10";
  step.data.split = "train";
  step.samples = 500;
  step.bits = "w4a8";
  step.scales = "fixed";
  step.layer_bits = {"head*=w8a8"};
  step.settings.epochs = 3;
  step.settings.learning_rate = 0.02;
  step.settings.nesterov = true;
  step.settings.gradient_bits = 8;
  step.settings.augment = "crop=4 flip";
  step.settings.milestones = {"1", "2"};
  step.settings.teachers = {"teacher.onnx"};
  step.settings.features = {"a=b:0.5"};
  Recipe recipe = sample();
  recipe.steps.insert(recipe.steps.begin() + 1, step);
  const std::string text = print_recipe(recipe);
  const Recipe again = parse_recipe(text, "r.toml");
  EXPECT_EQ(print_recipe(again), text);
  const auto& read = std::get<TrainStep>(again.steps.at(1));
  EXPECT_EQ(read.settings, step.settings);
  EXPECT_EQ(read.data.path, "cifar10");
  EXPECT_EQ(read.data.split, "train");
  EXPECT_EQ(read.samples, 500);
  EXPECT_EQ(read.bits, "w4a8");
  EXPECT_EQ(read.scales, "fixed");
  EXPECT_EQ(read.layer_bits, step.layer_bits);
}

TEST(Recipe, FaultsNameLineAndNearestWord) {
  const std::string head = "schema = \"adze.recipe/1\"\n";
  EXPECT_NE(message_of(head + "[[step]]\nrun = \"quantise\"\n").find("quantize"), std::string::npos);
  EXPECT_NE(message_of(head + "[[step]]\nrun = \"quantize\"\ncalibrater = \"mse\"\n").find("calibrator"),
            std::string::npos);
  EXPECT_NE(message_of(head + "[[step]]\nrun = \"quantize\"\nmode = \"statik\"\n").find("line 4"), std::string::npos);
  EXPECT_NE(message_of(head + "[[step]]\nrun = \"train\"\noptimizer = \"adamx\"\n").find("adamx"), std::string::npos);
  EXPECT_NE(message_of(head + "[[step]]\nrun = \"train\"\nepoch = 3\n").find("epochs"), std::string::npos);
  EXPECT_NE(message_of(head + "sed = 1\n[[step]]\nrun = \"slim\"\n").find("seed"), std::string::npos);
  EXPECT_NE(message_of("schema = \"adze.recipe/9\"\n").find("adze.recipe/1"), std::string::npos);
  EXPECT_NE(message_of("schema = \n").find("line 1"), std::string::npos);
  EXPECT_NE(message_of(head).find("no [[step]]"), std::string::npos);
}

}  // namespace
}  // namespace adze
