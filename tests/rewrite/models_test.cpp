// The real models of the shared data, simplified step by step, each step run on the reference.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "adze/engine/reference/evaluator.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/graph/compare.h"
#include "adze/graph/text.h"
#include "adze/plan/lower_integers.h"
#include "adze/rewrite/simplify.h"
#include "tests/support/same_outputs.h"

namespace adze::rewrite {
namespace {

class SimplifyModel : public ::testing::TestWithParam<const char*> {};

TEST_P(SimplifyModel, ComputesTheSameAfterEveryStep) {
  const char* data = std::getenv("ADZE_DATA");
  if (data == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  Graph graph = tflite::read(std::filesystem::path(data) / "models" / (std::string(GetParam()) + ".tflite"));
  const Graph original = graph;
  SimplifyOptions options{reference::evaluator()};
  options.steps.verify = [](const Graph& before, const Graph& after, const Step& step) {
    const auto difference = testing::run_difference(before, after, step.exactness);
    EXPECT_EQ(difference.value_or("none"), "none") << step.name;
  };
  simplify(graph, options);
  EXPECT_LE(graph.num_alive_nodes(), original.num_alive_nodes());
  // The integer path stays the same to the byte.
  const auto difference = testing::run_difference(lower_integers(original), lower_integers(graph), Exactness::Exact);
  if (std::string_view(GetParam()).ends_with("int8")) {
    EXPECT_EQ(difference.value_or("none"), "none");
  }
  EXPECT_EQ(print_graph(parse_graph(print_graph(graph))), print_graph(graph));
  const std::string bytes = onnx::write_bytes(graph);
  const auto owner = std::make_shared<std::string>(bytes);
  const Graph back = onnx::read_bytes(std::as_bytes(std::span(owner->data(), owner->size())), owner);
  EXPECT_EQ(structural_difference(graph, back).value_or("none"), "none");
  for (const StepResult& step : simplify(graph, {reference::evaluator()})) EXPECT_EQ(step.changes, 0) << step.name;
}

INSTANTIATE_TEST_SUITE_P(Models, SimplifyModel,
                         ::testing::Values("ad_autoencoder_float32", "ad_autoencoder_int8", "ic_resnet8_float32",
                                           "ic_resnet8_int8", "kws_dscnn_float32", "kws_dscnn_int8",
                                           "vww_mobilenetv1_float32", "vww_mobilenetv1_int8"));

}  // namespace
}  // namespace adze::rewrite
