#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/formats/tflite/tflite.h"
#include "tests/formats/tflite_builder.h"

namespace adze {
namespace {

using namespace test;

Graph read_model(const TestModel& model) {
  const auto file = std::make_shared<const std::string>(model.serialize());
  return tflite::read_bytes(std::as_bytes(std::span(*file)), file, {}, "test.tflite");
}

int count(const Graph& graph, OpKind kind) {
  return static_cast<int>(
      std::ranges::count_if(graph.node_ids(), [&](NodeId id) { return graph.node(id).kind == kind; }));
}

std::vector<float> run_floats(const Graph& graph, const Tensor& input) {
  return to_floats(reference::run_tensors(graph, {input})[0]);
}

TEST(TfliteRead, FloatModelsHaveNoTranspose) {
  const char* data = std::getenv("ADZE_DATA");
  if (data == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  for (const char* name : {"ic_resnet8", "kws_dscnn", "vww_mobilenetv1", "ad_autoencoder"}) {
    const Graph graph = tflite::read(cat(data, "/models/", name, "_float32.tflite"));
    EXPECT_EQ(count(graph, OpKind::Transpose), 0) << name;
    for (const NodeId id : graph.node_ids()) {
      for (const ValueId output : graph.node(id).outputs) {
        EXPECT_TRUE(graph.value(output).type.shape.has_value()) << name << " " << graph.node(id).name;
      }
    }
  }
  const Graph graph = tflite::read(cat(data, "/models/ic_resnet8_float32.tflite"));
  const SymbolicShape& shape = *graph.value(graph.inputs()[0]).type.shape;
  EXPECT_EQ(shape[1], Dim(3));
  EXPECT_EQ(graph.metadata.at("adze.source_layout"), "NHWC");
  EXPECT_FALSE(graph.metadata.contains("adze.rounding"));
}

TEST(TfliteRead, FortyOperatorsAreTranslated) {
  EXPECT_GE(tflite::supported_operators().size(), 60u);
}

TEST(TfliteRead, ConvolutionTurnsItsLayoutAndPads) {
  TestModel model;
  // 2×2 picture, 2 channels; filter 1×2×2×2 of ones: SAME pads below and right.
  model.tensors = {{"x", {1, 2, 2, 2}},
                   {"w", {1, 2, 2, 2}, 0, content<float>({1, 10, 1, 10, 1, 10, 1, 10})},
                   {"b", {1}, 0, content<float>({-100})},
                   {"y", {1, 2, 2, 1}}};
  model.operators = {{3, {0, 1, 2}, {3}, conv_options(0, 1, 1)}};
  model.inputs = {0};
  model.outputs = {3};
  const Graph graph = read_model(model);
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
  EXPECT_EQ(count(graph, OpKind::Relu), 1);
  // NCHW: first channel 1 2 3 4, second 5 6 7 8.
  const auto y = run_floats(graph, Tensor::from<float>({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(y, (std::vector<float>{10 + 260 - 100, 6 + 140 - 100, 7 + 150 - 100, 0}));
}

TEST(TfliteRead, FlattenedPictureTurnsTheWeightsInsteadOfItself) {
  TestModel model;
  model.tensors = {{"x", {1, 1, 2, 2}},
                   {"p", {1, 1, 2, 2}},
                   {"shape", {2}, 2, content<std::int32_t>({1, 4})},
                   {"f", {1, 4}},
                   {"w", {2, 4}, 0, content<float>({1, 2, 3, 4, 1, 0, 0, 0})},
                   {"y", {1, 2}}};
  model.operators = {
      {17, {0}, {1}, table({{0, raw(std::int8_t{1})}, {1, raw(1)}, {2, raw(1)}, {3, raw(1)}, {4, raw(1)}})},
      {22, {1, 2}, {3}},
      {9, {3, 4, -1}, {5}}};
  model.inputs = {0};
  model.outputs = {5};
  const Graph graph = read_model(model);
  EXPECT_EQ(count(graph, OpKind::Transpose), 0);
  // NHWC rows (1 2) (3 4) are NCHW channels (1 3) (2 4): the dot product with 1 2 3 4 is 1 + 4 + 9 + 16.
  EXPECT_EQ(run_floats(graph, Tensor::from<float>({1, 2, 1, 2}, {1, 3, 2, 4})), (std::vector<float>{30, 1}));
}

TEST(TfliteRead, FlattenedPictureThatIsTheResultIsTransposed) {
  TestModel model;
  model.tensors = {
      {"x", {1, 1, 2, 2}}, {"p", {1, 1, 2, 2}}, {"shape", {2}, 2, content<std::int32_t>({1, 4})}, {"f", {1, 4}}};
  model.operators = {
      {17, {0}, {1}, table({{0, raw(std::int8_t{1})}, {1, raw(1)}, {2, raw(1)}, {3, raw(1)}, {4, raw(1)}})},
      {22, {1, 2}, {3}}};
  model.inputs = {0};
  model.outputs = {3};
  const Graph graph = read_model(model);
  EXPECT_EQ(count(graph, OpKind::Transpose), 1);
  EXPECT_EQ(run_floats(graph, Tensor::from<float>({1, 2, 1, 2}, {1, 3, 2, 4})), (std::vector<float>{1, 2, 3, 4}));
}

TEST(TfliteRead, BroadcastConstantFollowsTheChannels) {
  TestModel model;
  model.tensors = {
      {"x", {1, 1, 2, 2}}, {"p", {1, 1, 2, 2}}, {"c", {2}, 0, content<float>({100, 200})}, {"y", {1, 1, 2, 2}}};
  model.operators = {
      {17, {0}, {1}, table({{0, raw(std::int8_t{1})}, {1, raw(1)}, {2, raw(1)}, {3, raw(1)}, {4, raw(1)}})},
      {0, {1, 2}, {3}, table({})}};
  model.inputs = {0};
  model.outputs = {3};
  const Graph graph = read_model(model);
  EXPECT_EQ(run_floats(graph, Tensor::from<float>({1, 2, 1, 2}, {1, 3, 2, 4})),
            (std::vector<float>{101, 103, 202, 204}));
}

TEST(TfliteRead, MeanOverHeightAndWidthKeepsTheChannels) {
  TestModel model;
  model.tensors = {
      {"x", {1, 2, 2, 2}}, {"p", {1, 2, 2, 2}}, {"axes", {2}, 2, content<std::int32_t>({1, 2})}, {"y", {1, 2}}};
  model.operators = {
      {17, {0}, {1}, table({{0, raw(std::int8_t{1})}, {1, raw(1)}, {2, raw(1)}, {3, raw(1)}, {4, raw(1)}})},
      {40, {1, 2}, {3}}};
  model.inputs = {0};
  model.outputs = {3};
  const Graph graph = read_model(model);
  EXPECT_EQ(count(graph, OpKind::Transpose), 0);
  EXPECT_EQ(run_floats(graph, Tensor::from<float>({1, 2, 2, 2}, {1, 2, 3, 4, 10, 20, 30, 40})),
            (std::vector<float>{2.5f, 25}));
}

TEST(TfliteRead, QuantizedTensorsBecomeQuantizeAndDequantizePairs) {
  TestModel model;
  model.tensors = {{"x", {1, 4}, 9, "", {0.5f}, {3}}, {"y", {1, 4}, 9, "", {1.0f / 256}, {-128}}};
  model.operators = {{14, {0}, {1}}};
  model.inputs = {0};
  model.outputs = {1};
  const Graph graph = read_model(model);
  EXPECT_EQ(graph.metadata.at("adze.rounding"), "tflm");
  EXPECT_EQ(count(graph, OpKind::DequantizeLinear), 1);
  EXPECT_EQ(count(graph, OpKind::QuantizeLinear), 1);
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.dtype, DType::S8);
}

TEST(TfliteRead, SixteenBitActivationsWithSixtyFourBitBiasesAreRead) {
  TestModel model;
  model.tensors = {{"x", {1, 2}, 7, "", {0.5f}, {0}},
                   {"w", {1, 2}, 9, content<std::int8_t>({10, 20}), {0.1f}, {0}},
                   {"b", {1}, 4, content<std::int64_t>({100}), {0.05f}, {0}},
                   {"y", {1, 1}, 7, "", {0.25f}, {0}}};
  model.operators = {{9, {0, 1, 2}, {3}, table({})}};
  model.inputs = {0};
  model.outputs = {3};
  const Graph graph = read_model(model);
  // 0.5 * (4 * 1 + 6 * 2) + 5 = 13 = 52 quarters
  EXPECT_EQ(reference::run_tensors(graph, {Tensor::from<std::int16_t>({1, 2}, {4, 6})})[0].get_int(0), 52);
}

TEST(TfliteRead, EveryUnknownOperatorIsNamedInOneError) {
  TestModel model;
  model.tensors = {{"x", {1, 4}}, {"y", {1, 4}}, {"z", {1, 4}}};
  model.operators = {{27, {0}, {1}}, {103, {1}, {2}}};
  model.inputs = {0};
  model.outputs = {2};
  try {
    read_model(model);
    FAIL() << "no error";
  } catch (const UnsupportedError& error) {
    EXPECT_NE(std::string(error.what()).find("SVDF"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("UNIQUE"), std::string::npos);
    EXPECT_EQ(error.place().file, "test.tflite");
  }
}

}  // namespace
}  // namespace adze
