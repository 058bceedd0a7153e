#include "adze/recipe/figures.h"

#include <gtest/gtest.h>

#include "adze/recipe/model_files.h"
#include "adze/recipe/recipe.h"

namespace adze {
namespace {

const char* demo_path = ADZE_SOURCE_DIR "/examples/demo/demo.onnx";

Graph quantized_demo() {
  Recipe recipe;
  recipe.calibration.path = "demo:train";
  recipe.calibration_samples = 24;
  recipe.steps = {SlimStep{}, QuantizeStep{}};
  return run_recipe(load_model(demo_path), recipe).graph;
}

TEST(Figures, LayersAddUpToTheWholeNetworkFloatAndQuantized) {
  for (const Graph& graph : {load_model(demo_path), quantized_demo()}) {
    const ModelFigures whole = model_figures(graph, "whole");
    std::int64_t macs = 0, parameters = 0, weight_bytes = 0;
    for (const LayerFigures& layer : layer_figures(graph)) {
      macs += layer.macs;
      parameters += layer.parameters;
      weight_bytes += layer.weight_bytes;
    }
    EXPECT_EQ(macs, whole.macs);
    EXPECT_EQ(parameters, whole.parameters);
    EXPECT_EQ(weight_bytes, whole.weight_bytes);
  }
}

TEST(Figures, QuantizationShrinksWeightsAndActivationsFourfold) {
  const ModelFigures before = model_figures(load_model(demo_path), "before", demo_path);
  const ModelFigures after = model_figures(quantized_demo(), "after");
  EXPECT_LT(after.weight_bytes * 3, before.weight_bytes);
  EXPECT_LT(after.peak_activation_bytes * 3, before.peak_activation_bytes);
  EXPECT_EQ(after.macs, before.macs);
}

TEST(Figures, ObservedRunsShowTheValuesOfAQuantizedNetworkUnderTheirFloatNames) {
  const Graph graph = quantized_demo();
  std::size_t seen = 0;
  const auto run = make_observed_runner(graph);
  run(random_inputs(graph, 1, {}), [&](std::string_view, const Tensor&) { ++seen; });
  EXPECT_GT(seen, 20u);
}

}  // namespace
}  // namespace adze
