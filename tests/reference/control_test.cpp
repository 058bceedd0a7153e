#include <gtest/gtest.h>

#include "adze/base/progress.h"
#include "adze/graph/infer.h"
#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::Datum;
using reference::run_data;
using reference::run_one;
using reference::RunOptions;
using reference::Sequence;
using Floats = std::vector<float>;

const ValueType scalar_bool = ValueType::tensor(DType::Bool, SymbolicShape{});
const ValueType scalar_int = ValueType::tensor(DType::S64, SymbolicShape{});

Tensor floats(std::vector<float> values) {
  return Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
}

/// body(i, condition, x) → (condition, x + step, x + step), where step is a captured value.
Subgraph adding_body(ValueId step) {
  auto body = std::make_shared<Graph>();
  body->add_input("i", scalar_int);
  const ValueId condition = body->add_input("condition", scalar_bool);
  const ValueId x = body->add_input("x", {});
  const ValueId inner_step = body->add_capture("step", {});
  const ValueId sum = body->add(OpKind::Add, {x, inner_step}, {}, "add");
  body->set_outputs({condition, sum, sum});
  return {body, {step}};
}

struct LoopGraph {
  Graph graph;
  ValueId final, scanned;
};

LoopGraph loop_graph(std::int64_t trips) {
  LoopGraph result;
  Graph& graph = result.graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim::named("n")}));
  const ValueId step = graph.add_input("step", ValueType::tensor(DType::F32, SymbolicShape{}));
  const ValueId count = graph.add_constant("count", Tensor::scalar(trips));
  result.final = graph.add(OpKind::Loop, {count, ValueId::None, x}, {{"body", adding_body(step)}}, "loop", 2);
  result.scanned = graph.producer_of(result.final)->outputs[1];
  graph.set_outputs({result.final, result.scanned});
  return result;
}

TEST(Loop, CarriesValuesAndStacksScans) {
  const LoopGraph loop = loop_graph(3);
  const auto outputs = reference::run_tensors(loop.graph, {floats({1, 2}), Tensor::scalar(10.0F)});
  EXPECT_EQ(to_floats(outputs[0]), (Floats{31, 32}));
  EXPECT_EQ(outputs[1].shape(), (Shape{3, 2}));
  EXPECT_EQ(to_floats(outputs[1]), (Floats{11, 12, 21, 22, 31, 32}));
}

TEST(Loop, InfersCarriedAndScannedTypes) {
  LoopGraph loop = loop_graph(3);
  infer_types(loop.graph);
  EXPECT_EQ(type_text(loop.graph.value(loop.final).type), "f32[n]");
  EXPECT_EQ(type_text(loop.graph.value(loop.scanned).type), "f32[?, n]");
}

TEST(Loop, StopsAtTheStepBudgetEvenWithAnEmptyBody) {
  Graph graph;
  auto body = std::make_shared<Graph>();
  body->add_input("i", scalar_int);
  body->set_outputs({body->add_input("condition", scalar_bool), body->inputs()[0]});
  const ValueId count = graph.add_constant("count", Tensor::scalar(std::int64_t{1} << 62));
  graph.set_outputs({graph.add(OpKind::Loop, {count, ValueId::None}, {{"body", Subgraph{body, {}}}}, "loop", 1)});
  RunOptions options;
  options.max_steps = 1000;
  EXPECT_THROW(reference::run(graph, {}, options), LimitError);
}

TEST(Loop, StopsWhenCancelled) {
  const LoopGraph loop = loop_graph(1 << 30);
  cancel_flag() = true;
  EXPECT_THROW(reference::run_tensors(loop.graph, {floats({1}), Tensor::scalar(1.0F)}), Interrupted);
  cancel_flag() = false;
}

TEST(Loop, RefusesABodyThatDoesNotFit) {
  Graph graph;
  const ValueId x = graph.add_input("x", {});
  auto body = std::make_shared<Graph>();
  const ValueId i = body->add_input("i", scalar_int);
  body->set_outputs({i});
  graph.set_outputs({graph.add(OpKind::Loop, {ValueId::None, ValueId::None, x}, {{"body", Subgraph{body, {}}}})});
  EXPECT_THROW(infer_types(graph), ModelError);
  EXPECT_THROW(reference::run(graph, {floats({1})}), ModelError);
}

TEST(If, RunsOneBranchAndInfersWhatBothShare) {
  Graph graph;
  const ValueId condition = graph.add_input("condition", scalar_bool);
  const auto branch = [](std::vector<float> values) {
    auto body = std::make_shared<Graph>();
    body->set_outputs({body->add_constant("values", floats(std::move(values)))});
    return Subgraph{body, {}};
  };
  const ValueId y = graph.add(OpKind::If, {condition}, {{"then_branch", branch({1})}, {"else_branch", branch({2, 3})}});
  graph.set_outputs({y});
  infer_types(graph);
  EXPECT_EQ(type_text(graph.value(y).type), "f32[?]");
  EXPECT_EQ(to_floats(reference::run_tensors(graph, {Tensor::scalar(true)})[0]), (Floats{1}));
  EXPECT_EQ(to_floats(reference::run_tensors(graph, {Tensor::scalar(false)})[0]), (Floats{2, 3}));
}

TEST(Scan, RunsOverAnAxisInEitherDirection) {
  Graph graph;
  const ValueId start = graph.add_input("start", ValueType::tensor(DType::F32, SymbolicShape{2}));
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{2, 3}));
  auto body = std::make_shared<Graph>();
  const ValueId state = body->add_input("state", {}), slice = body->add_input("slice", {});
  const ValueId sum = body->add(OpKind::Add, {state, slice}, {}, "add");
  body->set_outputs({sum, sum});
  const std::vector<std::int64_t> second = {1}, backward = {1};
  const ValueId y = graph.add(OpKind::Scan, {start, x},
                              {{"body", Subgraph{body, {}}},
                               {"num_scan_inputs", std::int64_t{1}},
                               {"scan_input_axes", second},
                               {"scan_input_directions", backward},
                               {"scan_output_axes", second}},
                              "scan", 2);
  graph.set_outputs({y, graph.producer_of(y)->outputs[1]});
  infer_types(graph);
  EXPECT_EQ(type_text(graph.value(graph.outputs()[1]).type), "f32[2, 3]");
  const Tensor xs = Tensor::from<float>({2, 3}, {1, 2, 3, 10, 20, 30});
  const auto outputs = reference::run_tensors(graph, {floats({0, 0}), xs});
  EXPECT_EQ(to_floats(outputs[0]), (Floats{6, 60}));
  EXPECT_EQ(to_floats(outputs[1]), (Floats{3, 5, 6, 30, 50, 60}));
}

TEST(SequenceMap, RunsItsBodyForEachElement) {
  Graph graph;
  const ValueId sequence = graph.add_input("sequence", ValueType::sequence(ValueType::tensor(DType::F32)));
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{}));
  auto body = std::make_shared<Graph>();
  const ValueId a = body->add_input("a", {}), b = body->add_input("b", {});
  body->set_outputs({body->add(OpKind::Add, {a, b}, {}, "add")});
  graph.set_outputs({graph.add(OpKind::SequenceMap, {sequence, x}, {{"body", Subgraph{body, {}}}})});
  infer_types(graph);
  const Sequence elements = {floats({1}), floats({2, 3})};
  const auto outputs = reference::run(graph, {Datum(elements), Tensor::scalar(1.0F)});
  EXPECT_EQ(to_floats(outputs[0].sequence()[1].tensor()), (Floats{3, 4}));
}

TEST(Sequences, InsertEraseAndIndexFromTheEnd) {
  const Datum sequence(Sequence{floats({1}), floats({2})});
  const Datum at = Tensor::scalar(std::int64_t{-1}), far = Tensor::scalar(std::int64_t{3});
  EXPECT_EQ(to_floats(run_one(OpKind::SequenceAt, {sequence, at})[0]), (Floats{2}));
  const auto inserted = run_data(OpKind::SequenceInsert, {sequence, floats({9}), at})[0].sequence();
  EXPECT_EQ(to_floats(inserted[1].tensor()), (Floats{9}));
  EXPECT_EQ(run_data(OpKind::SequenceErase, {sequence, at})[0].sequence().size(), 1u);
  EXPECT_THROW(run_data(OpKind::SequenceAt, {sequence, far}), ModelError);
  EXPECT_THROW(run_data(OpKind::SequenceErase, {Datum(Sequence{})}), ModelError);
  EXPECT_THROW(run_data(OpKind::ConcatFromSequence, {Datum(Sequence{})}, {{"axis", std::int64_t{0}}}), ModelError);
}

TEST(SplitToSequence, ChecksItsLengths) {
  const Tensor x = floats({1, 2, 3});
  const auto pieces = run_data(OpKind::SplitToSequence, {x, Tensor::scalar(std::int64_t{2})})[0].sequence();
  EXPECT_EQ(to_floats(pieces[1].tensor()), (Floats{3}));
  const auto rows = run_data(OpKind::SplitToSequence, {x}, {{"keepdims", std::int64_t{0}}})[0].sequence();
  EXPECT_EQ(rows[2].tensor().shape(), Shape{});
  EXPECT_THROW(run_data(OpKind::SplitToSequence, {x, Tensor::ints({1, 1})}), ModelError);
  EXPECT_THROW(run_data(OpKind::SplitToSequence, {x, Tensor::ints({4, -1})}), ModelError);
  EXPECT_THROW(run_data(OpKind::SplitToSequence, {x, Tensor::scalar(std::int64_t{0})}), ModelError);
}

TEST(Optionals, TellAndGiveTheirElement) {
  EXPECT_EQ(run_one(OpKind::OptionalHasElement, {floats({1})})[0].get_int(0), 1);  // opset 18: a tensor will do
  EXPECT_EQ(run_one(OpKind::OptionalHasElement, {Datum()})[0].get_int(0), 0);
  EXPECT_EQ(to_floats(run_one(OpKind::OptionalGetElement, {floats({1})})[0]), (Floats{1}));
  EXPECT_THROW(run_data(OpKind::OptionalGetElement, {Datum()}), ModelError);
}

}  // namespace
}  // namespace adze
