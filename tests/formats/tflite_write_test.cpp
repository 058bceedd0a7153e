// What is written as TFLite is whole wire data, and computes the same when it is read back.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/formats/tflite/schema.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/formats/tflite/write.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"
#include "adze/plan/lower_integers.h"
#include "adze/zoo/zoo.h"
#include "tests/formats/tflite_verify.h"

namespace adze {
namespace {

Graph parsed(const std::string& body) {
  Graph graph = parse_graph("graph \"test\" {\n  metadata \"adze.rounding\" = \"tflm\"\n" + body + "}\n");
  infer_types(graph);
  return graph;
}

std::shared_ptr<const std::string> written(const Graph& graph) {
  auto bytes = std::make_shared<const std::string>(tflite::write_bytes(graph));
  EXPECT_NO_THROW(test::TfliteVerifier::check(*bytes));
  return bytes;
}

Graph read_back(const std::shared_ptr<const std::string>& bytes) {
  return tflite::read_bytes(std::as_bytes(std::span(*bytes)), bytes);
}

std::vector<Tensor> random_inputs(const Graph& graph) {
  Random random(7);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    Shape shape;
    for (const Dim& dim : *graph.value(id).type.shape) shape.push_back(dim.is_known() ? dim.value : 1);
    Tensor tensor(graph.value(id).type.dtype, shape);
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      const auto byte = static_cast<std::int64_t>(random.below(256)) - 128;
      if (is_integer(tensor.dtype()))
        tensor.set_int(i, tensor.dtype() == DType::U8 ? byte + 128 : byte);
      else
        tensor.set_double(i, static_cast<double>(byte) / 32);
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

/// The graph's results, the results of what is read back, and the operators that were written.
struct RoundTrip {
  std::vector<Tensor> before, after;
  std::vector<std::string> operators;

  explicit RoundTrip(const Graph& graph) {
    const auto bytes = written(graph);
    const auto model = tflite::parse_model(std::as_bytes(std::span(*bytes)), {});
    for (const auto& op : model.operators) operators.push_back(op.name);
    const auto inputs = random_inputs(graph);
    before = reference::run_tensors(lower_integers(graph), inputs);
    after = reference::run_tensors(lower_integers(read_back(bytes)), inputs);
  }
  bool equal() const {
    if (before.size() != after.size()) return false;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (!identical(before[i], after[i])) return false;
    }
    return true;
  }
};

using Names = std::vector<std::string>;

TEST(TfliteWrite, TurnsConvolutionsToChannelsLastWithoutTransposes) {
  const RoundTrip trip(parsed(R"(
    input %x: f32[1, 3, 6, 6]
    constant %w: f32[4, 3, 3, 3] = base64 ")" +
                              std::string(4 * 27 / 3 * 4 * 4, 'P') + R"("
    constant %b: f32[4] = [1.0, -2.0, 0.5, 3.0]
    %c = Conv(%x, %w, %b) { pads = [1, 1, 1, 1] }
    %r = Relu(%c)
    %p = MaxPool(%r) { kernel_shape = [2, 2], strides = [2, 2] }
    output %p
)"));
  EXPECT_EQ(trip.operators, (Names{"CONV_2D", "MAX_POOL_2D"}));
  EXPECT_TRUE(trip.equal());
}

TEST(TfliteWrite, PutsAPadInFrontOfPadsThatAreNotSame) {
  const RoundTrip trip(parsed(R"(
    input %x: f32[1, 1, 5, 5]
    constant %w: f32[1, 1, 2, 2] = [1.0, 2.0, -3.0, 0.5]
    %c = Conv(%x, %w) { pads = [2, 0, 1, 1] }
    output %c
)"));
  EXPECT_EQ(trip.operators, (Names{"PAD", "CONV_2D"}));
  EXPECT_TRUE(trip.equal());
}

TEST(TfliteWrite, WidensOneDimensionalConvolutions) {
  const RoundTrip trip(parsed(R"(
    input %x: f32[1, 2, 7]
    constant %w: f32[3, 2, 2] = [1.0, 2.0, -3.0, 0.5, 4.0, 1.5, -1.0, 2.5, 3.5, 0.25, 1.25, -2.0]
    %c = Conv(%x, %w) { strides = [2], pads = [1, 0] }
    output %c
)"));
  EXPECT_TRUE(trip.equal());
}

constexpr const char* quantized_head = R"(
    input %x: s8[1, 2, 4, 4]
    constant %xs: f32[] = [0.1]
    constant %xz: s8[] = [-3]
    constant %ys: f32[] = [0.2]
    constant %yz: s8[] = [5]
    constant %w: s8[2, 2, 1, 1] = [10, -20, 30, 127]
    constant %ws: f32[2] = [0.01, 0.02]
    constant %wz: s8[2] = [0, 0]
    constant %b: f32[2] = [0.5, -0.25]
    %xf = DequantizeLinear(%x, %xs, %xz)
    %wf = DequantizeLinear(%w, %ws, %wz) { axis = 0 }
)";

TEST(TfliteWrite, MakesIntegerOperatorsWithFusedActivations) {
  const RoundTrip trip(parsed(std::string(quantized_head) + R"(
    %c = Conv(%xf, %wf, %b)
    %r = Relu(%c)
    %q = QuantizeLinear(%r, %ys, %yz)
    %d = DequantizeLinear(%q, %ys, %yz)
    %s = Add(%d, %xf)
    %t = QuantizeLinear(%s, %ys, %yz)
    output %t
)"));
  EXPECT_EQ(trip.operators, (Names{"CONV_2D", "ADD"}));
  EXPECT_TRUE(trip.equal());
}

TEST(TfliteWrite, ClampsWhatNoActivationExpresses) {
  const RoundTrip trip(parsed(std::string(quantized_head) + R"(
    constant %low: f32[] = [-1.0]
    constant %high: f32[] = [2.0]
    %c = Conv(%xf, %wf, %b)
    %r = Clip(%c, %low, %high)
    %q = QuantizeLinear(%r, %ys, %yz)
    output %q
)"));
  EXPECT_EQ(trip.operators, (Names{"CONV_2D", "MAXIMUM", "MINIMUM"}));
  EXPECT_TRUE(trip.equal());
}

TEST(TfliteWrite, RescalesWhatIsConcatenated) {
  const RoundTrip trip(parsed(std::string(quantized_head) + R"(
    %c = Conv(%xf, %wf, %b)
    %q = QuantizeLinear(%c, %ys, %yz)
    %d = DequantizeLinear(%q, %ys, %yz)
    %j = Concat(%d, %xf) { axis = 1 }
    %t = QuantizeLinear(%j, %ys, %yz)
    output %t
)"));
  EXPECT_EQ(trip.operators, (Names{"CONV_2D", "QUANTIZE", "CONCATENATION"}));
  EXPECT_TRUE(trip.equal());
}

TEST(TfliteWrite, TurnsTheWeightsBehindAFlattenedPicture) {
  std::string numbers;
  for (int i = 0; i < 64; ++i) numbers += cat(i == 0 ? "" : ", ", i * 7 % 31, ".0");
  const RoundTrip trip(parsed(R"(
    input %x: f32[1, 2, 4, 4]
    constant %w: f32[2, 2, 1, 1] = [1.0, 2.0, -3.0, 0.5]
    constant %v: f32[32, 2] = [)" +
                              numbers + R"(]
    %c = Conv(%x, %w)
    %f = Flatten(%c)
    %y = Gemm(%f, %v)
    output %y
)"));
  EXPECT_EQ(trip.operators, (Names{"CONV_2D", "RESHAPE", "FULLY_CONNECTED"}));
  ASSERT_EQ(trip.before[0].size(), trip.after[0].size());
  for (std::int64_t i = 0; i < trip.before[0].size(); ++i) {
    EXPECT_NEAR(trip.before[0].get_double(i), trip.after[0].get_double(i), 1e-3);
  }
}

TEST(TfliteWrite, MakesUnsignedActivationsSignedWhereWeightsAre) {
  const RoundTrip trip(parsed(R"(
    input %x: u8[1, 2, 4, 4]
    constant %xs: f32[] = [0.1]
    constant %xz: u8[] = [120]
    constant %ys: f32[] = [0.2]
    constant %yz: u8[] = [133]
    constant %w: s8[2, 2, 1, 1] = [10, -20, 30, 127]
    constant %ws: f32[] = [0.01]
    constant %wz: s8[] = [0]
    %xf = DequantizeLinear(%x, %xs, %xz)
    %wf = DequantizeLinear(%w, %ws, %wz)
    %c = Conv(%xf, %wf)
    %q = QuantizeLinear(%c, %ys, %yz)
    output %q
)"));
  EXPECT_EQ(trip.operators, (Names{"QUANTIZE", "CONV_2D", "QUANTIZE"}));
  EXPECT_EQ(trip.after[0].dtype(), DType::U8);
  EXPECT_TRUE(trip.equal());
}

TEST(TfliteWrite, KeepsOwnMetadataButWhatTheFileSaysItself) {
  Graph graph = parsed("  input %x: f32[1, 4]\n  %y = Relu(%x)\n  output %y\n");
  graph.metadata = {{"adze.preprocessing", "{\"scale\": 0.5}"}, {"adze.rounding", "onnx"}, {"author", "someone"}};
  const std::map<std::string, std::string> wanted = {{"adze.preprocessing", "{\"scale\": 0.5}"}};
  EXPECT_EQ(read_back(written(graph)).metadata, wanted);
}

TEST(TfliteWrite, LeavesTheBatchOpen) {
  const Graph graph = parsed(R"(
    input %x: f32[batch, 8]
    constant %w: f32[8, 2] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    %y = MatMul(%x, %w)
    %s = Softmax(%y) { axis = -1 }
    output %s
)");
  const Graph back = read_back(written(graph));
  const auto& shape = *back.value(back.inputs()[0]).type.shape;
  EXPECT_EQ(shape[0].symbol, "batch");
  EXPECT_EQ(shape[1].value, 8);
}

TEST(TfliteWrite, NamesNodeAndOperatorThatHaveNoForm) {
  const Graph graph = parsed(R"(
    input %x: f32[1, 8]
    %y = Hardmax(%x) "the_node" { axis = 1 }
    output %y
)");
  try {
    tflite::write_bytes(graph);
    FAIL() << "no error";
  } catch (const UnsupportedError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("Hardmax"), std::string::npos) << text;
    EXPECT_NE(error.place().node.find("the_node"), std::string::npos);
  }
}

TEST(TfliteWrite, KeepsTheBytesOfQuantizedNetworksOfTheZoo) {
  for (const char* name : {"dscnn,int8", "lenet5,int8", "fcae,int8"}) {
    Graph graph = zoo::build(name);
    graph.metadata["adze.rounding"] = "tflm";  // what a TFLite file is read with
    EXPECT_TRUE(RoundTrip(graph).equal()) << name;
  }
}

TEST(TfliteWrite, KeepsTheOutputsOfFloatModels) {
  const char* data = std::getenv("ADZE_DATA");
  if (data == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  for (const char* name : {"ad_autoencoder", "kws_dscnn", "ic_resnet8"}) {
    const RoundTrip trip(tflite::read(cat(data, "/models/", name, "_float32.tflite")));
    EXPECT_TRUE(trip.equal()) << name;
    EXPECT_EQ(std::ranges::count(trip.operators, "TRANSPOSE"), 0) << name;
  }
}

}  // namespace
}  // namespace adze
