#include "adze/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "adze/graph/infer.h"
#include "adze/plan/cost.h"

namespace adze {
namespace {

ValueType f32(SymbolicShape shape) {
  return ValueType::tensor(DType::F32, std::move(shape));
}

/// x [4] → a [4] → view [2, 2] → y, with every type given.
Graph chain() {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({4}));
  const ValueId a = graph.add(OpKind::Softmax, {x}, {}, "a");
  const ValueId shape = graph.add_constant("shape", Tensor::ints({2, 2}));
  const ValueId v = graph.add(OpKind::Reshape, {a, shape}, {}, "v");
  const ValueId y = graph.add(OpKind::Relu, {v}, {}, "y");
  graph.value(a).type = f32({4});
  graph.value(v).type = graph.value(y).type = f32({2, 2});
  graph.add_output(y);
  return graph;
}

TEST(MakePlan, SharesMemoryOfViewsAndElementwiseNodes) {
  const Graph graph = chain();
  const Plan plan = make_plan(graph);
  EXPECT_EQ(plan.order.size(), 3u);
  EXPECT_EQ(plan.peak_activation_bytes, 32);
  EXPECT_EQ(plan.arena_bytes, 32);
  const ValueId y = graph.outputs()[0];
  EXPECT_EQ(plan.at(y).storage, graph.node(plan.order[0]).outputs[0]);
  EXPECT_EQ(plan.at(y).last, 3);
}

TEST(MakePlan, GivesEachValueItsOwnMemoryWhenAsked) {
  const Plan plan = make_plan(chain(), {64, false, false});
  EXPECT_EQ(plan.peak_activation_bytes, 32);
  EXPECT_EQ(plan.arena_bytes, 128);  // two live at a time, each at a multiple of 64
}

TEST(MakePlan, DoesNotWriteOverAValueThatIsReadLater) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({8}));
  const ValueId a = graph.add(OpKind::Relu, {x});
  const ValueId b = graph.add(OpKind::Add, {a, x});
  graph.value(a).type = graph.value(b).type = f32({8});
  graph.add_output(b);
  const Plan plan = make_plan(graph);
  EXPECT_NE(plan.at(a).offset, plan.at(x).offset);
  EXPECT_EQ(plan.at(b).offset, plan.at(a).offset);
}

TEST(MakePlan, CountsValuesOfUnknownSize) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({Dim::named("batch")}));
  graph.add_output(x);
  EXPECT_EQ(make_plan(graph).unplanned_values, 1);
  EXPECT_EQ(make_plan(with_unknown_dims(graph, 3)).peak_activation_bytes, 12);
}

TEST(WithInputShapes, BindsSymbolsAndRefusesContradictions) {
  Graph graph;
  graph.add_input("x", f32({Dim::named("batch"), 3}));
  graph.add_input("y", f32({Dim::named("batch")}));
  const Graph bound = with_input_shapes(graph, {{"x", {5, 3}}});
  EXPECT_EQ(*bound.value(bound.inputs()[1]).type.shape, SymbolicShape{5});
  EXPECT_THROW(with_input_shapes(graph, {{"x", {5, 4}}}), ModelError);
  EXPECT_THROW(with_input_shapes(graph, {{"x", {5, 3}}, {"y", {6}}}), ModelError);
  EXPECT_THROW(with_input_shapes(graph, {{"z", {5, 3}}}), ModelError);
}

TEST(ComputeCost, CountsConvolutionAndGemm) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({1, 4, 8, 8}));
  const ValueId w = graph.add_constant("w", Tensor(DType::F32, {6, 2, 3, 3}));
  const ValueId bias = graph.add_constant("b", Tensor(DType::F32, {6}));
  const ValueId y = graph.add(OpKind::Conv, {x, w, bias}, {{"group", std::int64_t{2}}});
  graph.value(y).type = f32({1, 6, 6, 6});
  graph.add_output(y);
  const GraphCost cost = compute_cost(graph);
  EXPECT_EQ(cost.macs, 6 * 6 * 6 * 2 * 9);
  EXPECT_EQ(cost.parameters, 6 * 2 * 9 + 6);
  EXPECT_EQ(cost.weight_bytes, 4 * cost.parameters);
  EXPECT_EQ(cost.nodes_with_unknown_macs, 0);
}

TEST(ComputeCost, CountsWeightsWithoutScalesExponentsAndTables) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32({1, 6}));
  const ValueId codes = graph.add_constant("codes", Tensor(DType::U4, {3, 4}));
  const ValueId exponents = graph.add_constant("exponents", Tensor(DType::U8, {3, 1}));
  const ValueId indices = graph.add(OpKind::Cast, {codes}, {{"to", static_cast<std::int64_t>(DType::S32)}});
  const ValueId scale = graph.add(OpKind::Cast, {exponents}, {{"to", static_cast<std::int64_t>(DType::F32)}});
  const ValueId table = graph.add_constant("table", Tensor(DType::F32, {16}));
  const ValueId values = graph.add(OpKind::Gather, {table, indices});
  ValueId w = graph.add(OpKind::Mul, {values, scale});
  w = graph.add(OpKind::Reshape, {w, graph.add_constant("shape", Tensor::ints(std::vector<std::int64_t>{6, 2}))});
  const ValueId y = graph.add(OpKind::MatMul, {x, w});
  const ValueId z = graph.add(OpKind::MatMul, {x, w});  // the same weight once more
  graph.set_outputs({y, z});
  infer_types(graph);
  const GraphCost cost = compute_cost(graph);
  EXPECT_EQ(cost.parameters, 12);
  EXPECT_EQ(cost.weight_bytes, 6);
  EXPECT_EQ(cost.macs, 24);
  const auto reader = std::find_if(cost.nodes.begin(), cost.nodes.end(), [](const auto& one) { return one.macs > 0; });
  EXPECT_EQ(reader->parameters, 12) << "weights belong to the first node that reads them";
}

}  // namespace
}  // namespace adze
