#include "adze/rewrite/simplify.h"

#include <gtest/gtest.h>

#include "adze/base/text.h"
#include "adze/engine/reference/evaluator.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"
#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/fold_constants.h"
#include "adze/rewrite/rules/merge_duplicates.h"

namespace adze::rewrite {
namespace {

Graph inferred(std::string_view text) {
  Graph graph = parse_graph(text);
  infer_types(graph);
  return graph;
}

TEST(FoldConstants, LeavesConstantsThatMemoryCannotHold) {
  Graph graph = inferred(R"(graph "g" {
    constant %shape: s64[3] = [100000, 100000, 1000]
    constant %more: s64[3] = [9000000000, 9000000000, 9000000000]
    %c = ConstantOfShape(%shape) "c"
    %e = ConstantOfShape(%more) "e"
    %d = Identity(%e) "d"
    output %c
    output %d
  })");
  EXPECT_EQ(rewrite(graph, fold_constants_rules(), {reference::evaluator()}), 0);
}

TEST(FoldConstants, ComputesNothingWithoutAnEvaluator) {
  Graph graph = inferred(R"(graph "g" { constant %a: f32[1] = [1.0]  %y = Neg(%a) "n"  output %y })");
  EXPECT_EQ(rewrite(graph, fold_constants_rules()), 0);
  EXPECT_EQ(rewrite(graph, fold_constants_rules(), {reference::evaluator()}), 1);
  ASSERT_EQ(graph.num_alive_nodes(), 1);  // an Identity that carries the output's name
  EXPECT_EQ(rewrite(graph, fold_constants_rules(), {reference::evaluator()}), 0);
}

TEST(FoldConstants, LeavesANodeThatFails) {
  Graph graph = inferred(R"(graph "g" {
    constant %a: f32[2] = [1.0, 2.0]
    constant %i: s64[1] = [7]
    %y = Gather(%a, %i) "n"
    output %y
  })");
  EXPECT_EQ(rewrite(graph, fold_constants_rules(), {reference::evaluator()}), 0);
}

TEST(MergeEqualConstants, MergesLargeOnesOnly) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim(512)}));
  ValueId at = x;
  for (int i = 0; i < 3; ++i) {
    at = graph.add(OpKind::Add, {at, graph.add_constant(cat("large", i), Tensor(DType::F32, {512}))});
    at = graph.add(OpKind::Mul, {at, graph.add_constant(cat("small", i), Tensor::scalar(2.0f))});
  }
  graph.add_output(at);
  EXPECT_EQ(merge_equal_constants(graph), 2);
  EXPECT_EQ(merge_equal_constants(graph), 0);
}

TEST(MergeEqualConstants, KeepsThoseThatDifferOnlyAtTheEnd) {
  Graph graph;
  Tensor other(DType::F32, {512});
  other.set_double(511, 1);
  const ValueId sum =
      graph.add(OpKind::Add, {graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim(512)})),
                              graph.add_constant("a", Tensor(DType::F32, {512}))});
  graph.add_output(graph.add(OpKind::Add, {sum, graph.add_constant("b", other)}));
  EXPECT_EQ(merge_equal_constants(graph), 0);
}

TEST(Simplify, MakesAnExportedConvBlockOneConv) {
  Graph graph = inferred(R"(graph "g" {
    input %x: f32[n, 3, 8, 8]
    constant %w: f32[2, 3, 1, 1] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    constant %one: f32[2] = [1.0, 1.0]
    constant %zero: f32[2] = [0.0, 0.0]
    constant %b: f32[1, 2, 1, 1] = [0.5, 0.25]
    constant %minus: s64[1] = [-1]
    constant %first: s64[] = [0]
    %c = Conv(%x, %w) "conv"
    %n = BatchNormalization(%c, %one, %zero, %zero, %one) "bn"
    %a = Add(%n, %b) "add"
    %i = Identity(%a) "id"
    %r = Relu(%i) "relu"
    %s = Shape(%r) "shape"
    %g = Gather(%s, %first) "gather"
    %u = Unsqueeze(%g, %first) "unsqueeze"
    %t = Concat(%u, %minus) "concat" { axis = 0 }
    %y = Reshape(%r, %t) "reshape"
    output %y
  })");
  const auto results = simplify(graph, {reference::evaluator()});
  EXPECT_FALSE(results.empty());
  ASSERT_EQ(graph.num_alive_nodes(), 3) << print_graph(graph);
  EXPECT_EQ(graph.node(NodeId{0}).name, "conv");
  EXPECT_EQ(graph.node(NodeId{1}).kind, OpKind::Relu);
  EXPECT_EQ(graph.node(NodeId{2}).kind, OpKind::Reshape);
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
}

TEST(Simplify, IsFinishedTheFirstTime) {
  Graph graph = inferred(R"(graph "g" {
    input %x: f32[n, 4]
    %a = Relu(%x) "a"
    %b = Relu(%a) "b"
    %c = Transpose(%b) "c"
    %y = Transpose(%c) "y"
    output %y
  })");
  simplify(graph, {reference::evaluator()});
  const std::string once = print_graph(graph);
  for (const StepResult& step : simplify(graph, {reference::evaluator()})) EXPECT_EQ(step.changes, 0) << step.name;
  EXPECT_EQ(print_graph(graph), once);
}

}  // namespace
}  // namespace adze::rewrite
