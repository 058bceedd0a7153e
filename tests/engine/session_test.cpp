#include "adze/engine/session.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "adze/base/random.h"
#include "adze/engine/isa.h"
#include "adze/engine/reference/reference.h"
#include "adze/evaluate/latency.h"
#include "adze/graph/infer.h"
#include "adze/plan/plan.h"

namespace adze {
namespace {

Tensor normal(Shape shape, Random& random, double scale = 1.0) {
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(scale * random.normal());
  return tensor;
}

/// A small residual net with what convolutional nets are made of, for any batch.
Graph float_net() {
  Random random(3);
  Graph graph;
  const auto constant = [&](const char* name, Shape shape) {
    return graph.add_constant(name, normal(shape, random, 0.3));
  };
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim::named("batch"), 3, 9, 7}));
  const std::vector<std::int64_t> same = {1, 1, 1, 1};
  const ValueId a =
      graph.add(OpKind::Conv, {x, constant("w1", {8, 3, 3, 3}), constant("b1", {8})}, {{"pads", same}}, "conv1");
  const ValueId r = graph.add(OpKind::Relu, {a}, {}, "relu1");
  const ValueId b =
      graph.add(OpKind::Conv, {r, constant("w2", {8, 1, 3, 3})}, {{"group", std::int64_t{8}}, {"pads", same}}, "dw");
  const ValueId bn = graph.add(OpKind::BatchNormalization,
                               {b, constant("s", {8}), constant("t", {8}), constant("m", {8}),
                                graph.add_constant("v", Tensor::from<float>({8}, {1, 2, 1, 2, 1, 2, 1, 2}))},
                               {}, "bn");
  const ValueId sum = graph.add(OpKind::Add, {bn, r}, {}, "sum");
  const ValueId six = graph.add_constant("six", Tensor::scalar(6.0f));
  const ValueId zero = graph.add_constant("zero", Tensor::scalar(0.0f));
  const ValueId c = graph.add(OpKind::Clip, {sum, zero, six}, {}, "clip");
  const ValueId p = graph.add(
      OpKind::MaxPool, {c},
      {{"kernel_shape", std::vector<std::int64_t>{3, 3}}, {"pads", same}, {"strides", std::vector<std::int64_t>{2, 2}}},
      "pool");
  const ValueId q = graph.add(
      OpKind::AveragePool, {p},
      {{"kernel_shape", std::vector<std::int64_t>{2, 2}}, {"pads", std::vector<std::int64_t>{0, 0, 1, 1}}}, "mean");
  const ValueId gate = graph.add(OpKind::GlobalAveragePool, {q}, {}, "squeeze");
  const ValueId g = graph.add(OpKind::Sigmoid, {gate}, {}, "gate");
  const ValueId m = graph.add(OpKind::Mul, {q, g}, {}, "excite");
  const ValueId k = graph.add(OpKind::Concat, {m, p}, {{"axis", std::int64_t{1}}}, "concat");
  const ValueId pooled = graph.add(OpKind::GlobalAveragePool, {k}, {}, "global");
  const ValueId f = graph.add(OpKind::Flatten, {pooled}, {}, "flat");
  const ValueId d =
      graph.add(OpKind::Gemm, {f, constant("w3", {5, 16}), constant("b3", {5})}, {{"transB", std::int64_t{1}}}, "fc");
  graph.add_output(graph.add(OpKind::Softmax, {d}, {}, "softmax"));
  graph.add_output(k);
  infer_types(graph);
  return graph;
}

void expect_near(const Tensor& actual, const Tensor& expected, double tolerance) {
  ASSERT_EQ(actual.shape(), expected.shape());
  ASSERT_EQ(actual.dtype(), expected.dtype());
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual.get_double(i), expected.get_double(i), tolerance * (1.0 + std::abs(expected.get_double(i))))
        << "at element " << i;
  }
}

TEST(Session, AgreesWithTheReferenceOnAConvolutionalNet) {
  const Graph graph = float_net();
  Random random(5);
  for (const Isa isa : machine_isas()) {
    SessionOptions options;
    options.isa = isa_name(isa);
    Session session(graph, options);
    EXPECT_EQ(session.isa(), isa_name(choose_isa(isa_name(isa))));
    for (const std::int64_t batch : {1, 3, 2, 3}) {
      const std::vector<Tensor> inputs = {normal({batch, 3, 9, 7}, random)};
      const std::vector<Tensor> expected = reference::run_tensors(graph, inputs);
      const std::vector<Tensor> actual = session.run(inputs);
      ASSERT_EQ(actual.size(), expected.size());
      for (std::size_t i = 0; i < actual.size(); ++i) expect_near(actual[i], expected[i], 1e-5);
    }
    EXPECT_GT(session.arena_bytes(), 0);
  }
}

TEST(Session, GivesTheSameBytesForAnyNumberOfThreads) {
  const Graph graph = float_net();
  Random random(6);
  const std::vector<Tensor> inputs = {normal({4, 3, 9, 7}, random)};
  SessionOptions two;
  two.threads = 2;
  const std::vector<Tensor> a = Session(graph).run(inputs), b = Session(graph, two).run(inputs);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(identical(a[i], b[i]));
}

TEST(Session, ShowsEveryValueToAnObserverUnderItsName) {
  const Graph graph = float_net();
  Random random(7);
  const std::vector<Tensor> inputs = {normal({2, 3, 9, 7}, random)};
  std::map<std::string, Tensor> expected;
  reference::RunOptions run;
  run.observer = [&](NodeId id, std::span<const reference::Datum> outputs) {
    const Node& node = graph.node(id);
    for (std::size_t i = 0; i < outputs.size(); ++i) expected[graph.value(node.outputs[i]).name] = outputs[i].tensor();
  };
  expected["x"] = inputs[0];
  reference::run_tensors(graph, inputs, run);
  Session session(graph);
  std::set<std::string> seen;
  session.observe([&](std::string_view name, const Tensor& tensor) {
    seen.insert(std::string(name));
    expect_near(tensor, expected.at(std::string(name)), 1e-5);
  });
  session.run(inputs);
  EXPECT_EQ(seen.size(), expected.size());
}

TEST(Session, NamesTheInputThatDoesNotFit) {
  Session session(float_net());
  for (const Tensor& wrong :
       {Tensor(DType::F32, {1, 4, 9, 7}), Tensor(DType::F32, {3, 9, 7}), Tensor(DType::U8, {1, 3, 9, 7})}) {
    try {
      session.run(std::vector<Tensor>{wrong});
      FAIL() << "accepted " << type_text(wrong);
    } catch (const ModelError& error) {
      EXPECT_NE(std::string(error.what()).find("\"x\""), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(session.run(std::vector<Tensor>{}), ModelError);
}

TEST(Session, RefusesAnUnknownInstructionSetAndListsTheKnown) {
  SessionOptions options;
  options.isa = "avx9";
  try {
    Session session(float_net(), options);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("avx2, avxvnni, avx512vnni"), std::string::npos) << error.what();
  }
}

TEST(ChooseIsa, IsCappedByTheEnvironment) {
  const char* before = std::getenv("ADZE_ISA");
  const std::string kept = before != nullptr ? before : "";
  setenv("ADZE_ISA", "ref", 1);
  EXPECT_EQ(choose_isa(), Isa::Ref);
  EXPECT_EQ(choose_isa("avx2"), Isa::Ref);
  setenv("ADZE_ISA", "sse9", 1);
  EXPECT_THROW(choose_isa(), UsageError);
  setenv("ADZE_ISA", kept.c_str(), 1);
}

/// Output shapes that depend on data, and branches that read surrounding values, go through the reference.
TEST(Session, RunsWhatHasNoFixedShapeOrHasSubgraphs) {
  Graph then_graph, else_graph;
  for (Graph* branch : {&then_graph, &else_graph}) {
    const ValueId captured = branch->add_capture("outer", ValueType::tensor(DType::F32, SymbolicShape{4}));
    branch->add_output(branch->add(branch == &then_graph ? OpKind::Relu : OpKind::Neg, {captured}));
    infer_types(*branch);
  }
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{4}));
  const ValueId choice = graph.add_input("choice", ValueType::tensor(DType::Bool, SymbolicShape{}));
  const ValueId y = graph.add(OpKind::Abs, {x});
  const ValueId branch = graph.add(OpKind::If, {choice},
                                   {{"else_branch", Subgraph{std::make_shared<Graph>(else_graph), {y}}},
                                    {"then_branch", Subgraph{std::make_shared<Graph>(then_graph), {y}}}});
  graph.add_output(branch);
  graph.add_output(graph.add(OpKind::NonZero, {x}));
  infer_types(graph);
  if (reference::kernel_function(OpKind::If) == nullptr) GTEST_SKIP() << "skipped: no reference for If";
  Session session(graph);
  for (const bool flag : {true, false}) {
    const std::vector<Tensor> inputs = {Tensor::from<float>({4}, {1, 0, -2, flag ? 0.0f : 3.0f}),
                                        Tensor::from<bool>({}, {flag})};
    const auto expected = reference::run_tensors(graph, inputs);
    const auto actual = session.run(inputs);
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_TRUE(identical(actual[i], expected[i]));
  }
}

TEST(MeasureLatency, CountsRunsAndOrdersPercentiles) {
  LatencyOptions options;
  options.warm_up_seconds = 0.0;
  options.seconds = 0.01;
  options.per_layer = true;
  const LatencyResult result = measure_latency(float_net(), options);
  EXPECT_GE(result.runs, options.min_runs);
  EXPECT_EQ(result.samples_us.size(), static_cast<std::size_t>(result.runs));
  EXPECT_LE(result.min_us, result.p50_us);
  EXPECT_LE(result.p50_us, result.p90_us);
  EXPECT_LE(result.p90_us, result.p99_us);
  EXPECT_FALSE(result.steps.empty());
}

}  // namespace
}  // namespace adze
