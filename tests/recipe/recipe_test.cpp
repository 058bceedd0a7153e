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
  recipe.steps.push_back(SlimStep{{"fold-pad"}});
  quantize::PtqOptions options;
  options.calibrator = quantize::Calibrator::Percentile;
  options.percentile = 99.9;
  options.skip = {"head*"};
  recipe.steps.push_back(QuantizeStep{options});
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

TEST(Recipe, FaultsNameLineAndNearestWord) {
  const std::string head = "schema = \"adze.recipe/1\"\n";
  EXPECT_NE(message_of(head + "[[step]]\nrun = \"quantise\"\n").find("quantize"), std::string::npos);
  EXPECT_NE(message_of(head + "[[step]]\nrun = \"quantize\"\ncalibrater = \"mse\"\n").find("calibrator"),
            std::string::npos);
  EXPECT_NE(message_of(head + "[[step]]\nrun = \"quantize\"\nmode = \"statik\"\n").find("line 4"), std::string::npos);
  EXPECT_NE(message_of(head + "sed = 1\n[[step]]\nrun = \"slim\"\n").find("seed"), std::string::npos);
  EXPECT_NE(message_of("schema = \"adze.recipe/9\"\n").find("adze.recipe/1"), std::string::npos);
  EXPECT_NE(message_of("schema = \n").find("line 1"), std::string::npos);
  EXPECT_NE(message_of(head).find("no [[step]]"), std::string::npos);
}

}  // namespace
}  // namespace adze
