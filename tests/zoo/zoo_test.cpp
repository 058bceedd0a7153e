// The zoo's networks have the shapes, parameters and multiply-accumulates of their papers and releases.
#include "adze/zoo/zoo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/formats/onnx/write.h"
#include "adze/plan/cost.h"

namespace adze::zoo {
namespace {

struct Figures {
  const char* name;
  std::int64_t macs, parameters;
  Shape input, output;
};

/// Counted by an independent builder in another language; batch norms folded into weights and biases.
const Figures figures[] = {
    {"resnet8", 12'501'632, 77'706, {1, 3, 32, 32}, {1, 10}},
    {"dscnn", 2'656'768, 22'604, {1, 1, 49, 10}, {1, 12}},
    {"mobilenetv1_025_96", 7'489'664, 210'850, {1, 3, 96, 96}, {1, 2}},
    {"fcae", 264'192, 265'864, {1, 640}, {1, 640}},
    {"mobilenetv1", 568'740'352, 4'221'032, {1, 3, 224, 224}, {1, 1000}},
    {"mobilenetv2", 300'774'272, 3'487'816, {1, 3, 224, 224}, {1, 1000}},
    {"mobilenetv3s", 56'510'400, 2'536'800, {1, 3, 224, 224}, {1, 1000}},
    {"squeezenet11", 349'151'936, 1'235'496, {1, 3, 224, 224}, {1, 1000}},
    {"mobilenetv2_32", 87'976'448, 2'219'626, {1, 3, 32, 32}, {1, 10}},
    // He et al., table 6: 0.27, 0.46 and 0.85 million parameters.
    {"resnet20", 40'813'184, 271'690, {1, 3, 32, 32}, {1, 10}},
    {"resnet32", 69'124'736, 465'674, {1, 3, 32, 32}, {1, 10}},
    {"resnet56", 125'747'840, 853'642, {1, 3, 32, 32}, {1, 10}},
    // Han et al., arXiv:1506.02626, tables 2 and 3: 266 and 431 thousand weights, 2 · 2,293 thousand operations.
    {"lenet300", 266'200, 266'610, {1, 1, 28, 28}, {1, 10}},
    {"lenet5", 2'293'000, 431'080, {1, 1, 28, 28}, {1, 10}},
    {"resnet34", 3'663'761'408, 21'789'160, {1, 3, 224, 224}, {1, 1000}},
    {"resnet18", 1'814'073'344, 11'684'712, {1, 3, 224, 224}, {1, 1000}},
    {"resnet50", 4'089'184'256, 25'530'472, {1, 3, 224, 224}, {1, 1000}},
    {"efficientnetb0", 385'814'752, 5'267'540, {1, 3, 224, 224}, {1, 1000}},
    {"encoder4x256", 436'207'616, 3'159'040, {1, 128, 256}, {1, 128, 256}},
};

/// Those that the plain loops of the reference run in a moment.
const char* const small_networks[] = {"resnet8",
                                      "dscnn",
                                      "mobilenetv1_025_96,resolution=48",
                                      "fcae",
                                      "mobilenetv2,resolution=32,width=0.35,classes=20",
                                      "mobilenetv3s,resolution=32,width=0.5,classes=20",
                                      "squeezenet11,resolution=40,width=0.25,classes=20",
                                      "resnet18,resolution=32,width=0.125,classes=20",
                                      "resnet50,resolution=32,width=0.0625,classes=20",
                                      "efficientnetb0,resolution=32,width=0.25,classes=20"};

Shape shape_of(const Graph& graph, ValueId id) {
  Shape shape;
  for (const Dim& dim : *graph.value(id).type.shape) shape.push_back(dim.value);
  return shape;
}

double largest(const Tensor& tensor) {
  double result = 0;
  for (const float value : tensor.data<float>()) result = std::max(result, std::abs(double{value}));
  return result;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double result = 0;
  for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
    result = std::max(result, std::abs(double{a.data<float>()[i]} - double{b.data<float>()[i]}));
  }
  return result;
}

TEST(Zoo, HasTheFiguresOfThePapers) {
  std::vector<std::string> seen;
  for (const Figures& expected : figures) {
    const Graph graph = build(expected.name, {.zeros = true});
    const GraphCost cost = compute_cost(graph);
    EXPECT_EQ(cost.macs, expected.macs) << expected.name;
    EXPECT_EQ(cost.parameters, expected.parameters) << expected.name;
    EXPECT_EQ(shape_of(graph, graph.inputs().at(0)), expected.input) << expected.name;
    EXPECT_EQ(shape_of(graph, graph.outputs().at(0)), expected.output) << expected.name;
    seen.push_back(expected.name);
  }
  // The figures of the others are in published_test.cpp.
  const std::vector<std::string> all = names();
  for (const std::string& name : seen) EXPECT_EQ(std::count(all.begin(), all.end(), name), 1) << name;
}

TEST(Zoo, KeepsTheFiguresWhenQuantized) {
  for (const Figures& expected : figures) {
    if (expected.parameters > 3'000'000) continue;  // for time
    const GraphCost cost = compute_cost(build(expected.name, {.quantized = true}));
    EXPECT_EQ(cost.macs, expected.macs) << expected.name;
    EXPECT_EQ(cost.parameters, expected.parameters) << expected.name;
    EXPECT_LT(cost.weight_bytes, expected.parameters * 12 / 10) << expected.name;
  }
}

TEST(Zoo, RunsInTheEngineAsInTheReference) {
  for (const std::string name : small_networks) {
    const Graph graph = build(name);
    const std::vector<Tensor> inputs = random_inputs(graph, 3);
    const Tensor ours = Session(graph).run(inputs).at(0), plain = reference::run_tensors(graph, inputs).at(0);
    EXPECT_GT(largest(plain), 1e-3) << name;
    EXPECT_LE(largest_difference(ours, plain), 1e-4 * largest(plain)) << name;
  }
}

TEST(Zoo, StaysInRangeAndUsesItWhenQuantized) {
  for (const std::string name : small_networks) {
    const Graph graph = build(name), quantized = build(name, {.quantized = true});
    const std::vector<Tensor> inputs = random_inputs(graph, 3);
    const Tensor exact = Session(graph).run(inputs).at(0), coarse = Session(quantized).run(inputs).at(0);
    EXPECT_LE(largest_difference(exact, coarse), 0.5 * largest(exact) + 0.1) << name;
    std::set<float> values(coarse.data<float>().begin(), coarse.data<float>().end());
    EXPECT_GT(values.size(), std::min<std::size_t>(5, coarse.data<float>().size() - 1)) << name;
  }
}

TEST(Zoo, GivesTheSameBytesForTheSameSeedOnly) {
  const auto bytes = [](std::string_view description) { return onnx::write_bytes(build(description)); };
  EXPECT_EQ(bytes("resnet8,int8,seed=5"), bytes("resnet8,seed=5,int8"));
  EXPECT_NE(bytes("resnet8,seed=5"), bytes("resnet8,seed=6"));
}

TEST(Zoo, ReadsSettings) {
  const Graph narrow = build("mobilenetv1,width=0.5,resolution=96,classes=10,batch=4");
  EXPECT_EQ(shape_of(narrow, narrow.inputs().at(0)), (Shape{4, 3, 96, 96}));
  EXPECT_EQ(shape_of(narrow, narrow.outputs().at(0)), (Shape{4, 10}));
  // MobileNet paper, table 7: 0.5 MobileNet-160 has 76 million multiply-adds and 1.3 million parameters.
  const GraphCost cost = compute_cost(build("mobilenetv1,width=0.5,resolution=160"));
  EXPECT_NEAR(static_cast<double>(cost.macs), 76e6, 1e6);
  EXPECT_NEAR(static_cast<double>(cost.parameters), 1.3e6, 0.05e6);
}

TEST(Zoo, LeavesTheBatchOpen) {
  for (const std::string name : {"resnet8", "encoder4x256"}) {
    const Graph open = build(name, {.batch = 0}), one = build(name);
    EXPECT_EQ(open.value(open.outputs().at(0)).type.shape->at(0).symbol, "batch") << name;
    const std::vector<Tensor> inputs = random_inputs(one, 1);
    EXPECT_EQ(largest_difference(Session(open).run(inputs).at(0), Session(one).run(inputs).at(0)), 0) << name;
  }
}

TEST(Zoo, NamesWhatItDoesNotHave) {
  const auto message = [](std::string_view description) -> std::string {
    try {
      build(description);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  const std::string unknown = message("resnet19");
  EXPECT_NE(unknown.find("did you mean resnet18"), unknown.npos) << unknown;
  for (const std::string& name : names()) EXPECT_NE(unknown.find(name), unknown.npos) << unknown;
  EXPECT_NE(message("").find("one of"), std::string::npos);
  EXPECT_NE(message("fcae,resolution=64").find("no resolution"), std::string::npos);
  EXPECT_NE(message("encoder4x256,width=2").find("no width"), std::string::npos);
  for (const char* wrong : {"resnet8,width=", "resnet8,width=nan", "resnet8,width=1e9", "resnet8,depth=3", "resnet8,",
                            "resnet8,batch=-1", "resnet8,int8=1", "mobilenetv1,resolution=10x"}) {
    EXPECT_NE(message(wrong), "") << wrong;
  }
  EXPECT_NE(message("squeezenet11,resolution=8"), "");
}

}  // namespace
}  // namespace adze::zoo
