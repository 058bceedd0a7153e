#include "adze/rewrite/steps.h"

#include <gtest/gtest.h>

#include <ctime>

#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"
#include "adze/rewrite/rewrite.h"
#include "adze/rewrite/rules/remove_identities.h"
#include "adze/rewrite/simplify.h"

namespace adze::rewrite {
namespace {

Graph relu_graph() {
  return parse_graph(R"(graph "g" { input %x: f32[2]  %y = Relu(%x) "relu" : f32[2]  output %y })");
}

Step rename_step(std::string name) {
  return {std::move(name), [](Graph& graph) {
            graph.node(NodeId{0}).kind = OpKind::Abs;
            return 1;
          }};
}

TEST(RunSteps, RunsInOrderAndTellsWhatItDid) {
  Graph graph = relu_graph();
  int verified = 0;
  StepOptions options;
  options.skip = {"second"};
  options.verify = [&](const Graph& before, const Graph& after, const Step& step) {
    ++verified;
    EXPECT_EQ(step.name, "first");
    EXPECT_EQ(before.node(NodeId{0}).kind, OpKind::Relu);
    EXPECT_EQ(after.node(NodeId{0}).kind, OpKind::Abs);
  };
  const std::vector<Step> steps = {rename_step("first"), rename_step("second"), {"third", [](Graph&) { return 0; }}};
  const auto results = run_steps(graph, steps, options);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].changes, 1);
  EXPECT_TRUE(results[1].skipped);
  EXPECT_EQ(results[2].changes, 0);
  EXPECT_EQ(verified, 1);
}

TEST(RunSteps, HintsAtTheNearestNameOfAnUnknownStep) {
  Graph graph = relu_graph();
  StepOptions options;
  options.skip = {"fold-constant"};
  try {
    run_steps(graph, simplify_steps({}), options);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_EQ(error.hint(), "--skip=fold-constants");
  }
}

TEST(RunSteps, NamesStepAndNodeOfAFaultAndRestoresTheGraph) {
  Graph graph = relu_graph();
  const std::string before = print_graph(graph);
  const std::vector<Step> steps = {{"spoil", [](Graph& graph) {
                                      graph.node(NodeId{0}).inputs.clear();
                                      return 1;
                                    }}};
  try {
    run_steps(graph, steps, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("step spoil"), std::string::npos);
    EXPECT_EQ(error.place().node, "relu");
  }
  EXPECT_EQ(print_graph(graph), before);
}

TEST(RunSteps, PassesOnWhatTheCallbackFindsWrong) {
  Graph graph = relu_graph();
  StepOptions options;
  options.verify = [](const Graph&, const Graph&, const Step&) { throw ModelError("outputs differ"); };
  EXPECT_THROW(run_steps(graph, std::vector{rename_step("first")}, options), ModelError);
  EXPECT_EQ(graph.node(NodeId{0}).kind, OpKind::Relu);
}

TEST(Rewrite, StopsRulesThatDoNotComeToAnEnd) {
  Graph graph = relu_graph();
  const Rule flip{
      "flip", Exactness::Exact, {OpKind::Relu}, [](const RuleContext& context, NodeId id) -> std::optional<GraphEdit> {
        GraphEdit edit(context.graph, "again");
        edit.replace(context.node(id).output(), edit.add_node(OpKind::Relu, context.node(id).inputs, {}, "relu"));
        return edit;
      }};
  try {
    rewrite(graph, std::vector{flip});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::InternalFault);
    EXPECT_NE(error.message().find("rule flip"), std::string::npos);
  }
}

TEST(Rewrite, NamesRuleAndNodeOfAFault) {
  Graph graph = relu_graph();
  const Rule wrong{
      "wrong", Exactness::Exact, {OpKind::Relu}, [](const RuleContext& context, NodeId id) -> std::optional<GraphEdit> {
        GraphEdit edit(context.graph, "other type");
        edit.replace(context.node(id).output(), edit.add_constant("c", Tensor(DType::F32, {3})));
        return edit;
      }};
  try {
    rewrite(graph, std::vector{wrong});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("rule wrong: edit \"other type\" turns \"y\" from f32[2] into f32[3]"),
              std::string::npos)
        << error.message();
    EXPECT_EQ(error.place().node, "relu");
  }
}

TEST(Rewrite, EntersSubgraphs) {
  Graph graph = parse_graph(R"(graph "g" {
    input %c: bool[]
    input %x: f32[2]
    %y = If(%c) "if" {
      else_branch = graph "e" { capture %p = %x  %m = Identity(%p) "m"  %n = Neg(%m) "n"  output %n },
      then_branch = graph "t" { capture %q = %x  %k = Abs(%q) "k"  output %k } } : f32[2]
    output %y
  })");
  EXPECT_EQ(rewrite(graph, remove_identities_rules()), 1);
  EXPECT_EQ(print_graph(graph).find("Identity"), std::string::npos);
}

TEST(Rewrite, TakesLittleTimeForThousandsOfNodes) {
  Graph graph;
  ValueId at = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim(2)}));
  for (int i = 0; i < 2500; ++i) at = graph.add(OpKind::Relu, {graph.add(OpKind::Identity, {at})});
  graph.add_output(at);
  const std::clock_t start = std::clock();  // not wall time: other work may run beside
  simplify(graph, {});
  EXPECT_LT(std::clock() - start, CLOCKS_PER_SEC);
  for (const NodeId id : graph.node_ids()) EXPECT_EQ(std::as_const(graph).node(id).kind, OpKind::Relu);
}

TEST(Rewrite, TakesLittleTimeForThousandsOfFoldsAndTransposes) {
  Graph graph;
  ValueId at = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim(1), Dim(2), Dim(4), Dim(4)}));
  at = graph.add(OpKind::Transpose, {at}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
  for (int i = 0; i < 1000; ++i) {
    at = graph.add(OpKind::Add, {at, graph.add_constant(cat("b", i), Tensor::from<float>({2}, {1, 2}))});
    at = graph.add(OpKind::Relu, {at});
    at = graph.add(OpKind::Identity, {at});
    at = graph.add(OpKind::Sigmoid, {at});
    at = graph.add(OpKind::Mul, {at, at});
  }
  graph.add_output(graph.add(OpKind::Transpose, {at}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}}));
  infer_types(graph);
  const std::clock_t start = std::clock();  // not wall time: other work may run beside
  simplify(graph, {});
  EXPECT_LT(std::clock() - start, CLOCKS_PER_SEC);
  EXPECT_EQ(graph.num_alive_nodes(), 4000);
}

}  // namespace
}  // namespace adze::rewrite
