#include "adze/graph/edit.h"

#include <gtest/gtest.h>

#include "adze/base/text.h"
#include "adze/graph/compare.h"
#include "adze/graph/text.h"
#include "adze/graph/verify.h"

namespace adze {
namespace {

Graph chain() {
  return parse_graph(R"(graph "g" {
    input %x: f32[2, 3]
    %a = Relu(%x) "a" : f32[2, 3]
    %b = Neg(%a) "b" : f32[2, 3]
    %y = Abs(%b) "c" : f32[2, 3]
    output %y
  })");
}

std::string outline(const Graph& graph) {
  std::string text;
  for (const NodeId id : topological_order(graph)) {
    const Node& node = graph.node(id);
    text += cat(text.empty() ? "" : " ", op_name(node.kind), "(");
    for (const ValueId input : node.inputs) text += cat(graph.value(input).name, " ");
    text.back() = ')';
  }
  for (const ValueId id : graph.outputs()) text += cat(" ", graph.value(id).name);
  return text;
}

NodeId producer(const Graph& graph, std::string_view value) {
  return graph.value(graph.find_value(value)).producer;
}

void expect_refused(Graph graph, const GraphEdit& edit, std::string_view part) {
  try {
    apply(graph, edit);
    ADD_FAILURE() << "applied: " << edit.why();
  } catch (const InternalError& error) {
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
  }
}

TEST(GraphEdit, ReplacesAValueAndRemovesWhatIsDead) {
  Graph graph = chain();
  GraphEdit edit(graph, "drop the negation");
  edit.replace(graph.find_value("b"), graph.find_value("a"));
  apply(graph, edit);
  verify(graph);
  EXPECT_EQ(outline(graph), "Relu(x) Abs(a) y");
}

TEST(GraphEdit, RemovesAWholeDeadChain) {
  Graph graph = chain();
  GraphEdit edit(graph, "skip");
  edit.replace(graph.find_value("b"), graph.find_value("x"));
  apply(graph, edit);
  verify(graph);
  EXPECT_EQ(outline(graph), "Abs(x) y");
}

TEST(GraphEdit, PutsANodeBehindAValue) {
  Graph graph = chain();
  GraphEdit edit(graph, "add a sigmoid");
  const ValueId a = graph.find_value("a");
  edit.replace(a, edit.add_node(OpKind::Sigmoid, {a}, {}, "s"));
  apply(graph, edit);
  verify(graph);
  EXPECT_EQ(outline(graph), "Relu(x) Sigmoid(a) Neg(s:0) Abs(b) y");
  EXPECT_EQ(type_text(graph.value(graph.find_value("s:0")).type), "f32[2, 3]");
}

TEST(GraphEdit, KeepsTheNamesOfOutputs) {
  Graph graph = chain();
  GraphEdit edit(graph, "replace the output");
  edit.replace(graph.find_value("y"), edit.add_node(OpKind::Relu, {graph.find_value("b")}, {}, "c"));
  apply(graph, edit);
  verify(graph);
  EXPECT_EQ(outline(graph), "Relu(x) Neg(a) Relu(b) y");
}

TEST(GraphEdit, PutsAnIdentityWhereAnOutputWouldBecomeAnInput) {
  for (const char* target : {"x", "k"}) {
    Graph graph = chain();
    graph.add_constant("k", Tensor(DType::F32, {2, 3}));
    GraphEdit edit(graph, "return it");
    edit.replace(graph.find_value("y"), graph.find_value(target));
    apply(graph, edit);
    verify(graph);
    EXPECT_EQ(outline(graph), cat("Identity(", target, ") y"));
  }
}

TEST(GraphEdit, PutsAnIdentityBetweenTwoOutputs) {
  Graph graph = chain();
  graph.add_output(graph.find_value("a"));
  GraphEdit edit(graph, "both the same");
  edit.replace(graph.find_value("y"), graph.find_value("a"));
  apply(graph, edit);
  verify(graph);
  EXPECT_EQ(outline(graph), "Relu(x) Identity(a) y a");
}

TEST(GraphEdit, LeavesAnInputThatIsAnOutput) {
  Graph graph = chain();
  graph.add_output(graph.find_value("x"));
  GraphEdit edit(graph, "behind the input");
  const ValueId x = graph.find_value("x");
  edit.replace(x, edit.add_node(OpKind::Sigmoid, {x}, {}, "s"));
  apply(graph, edit);
  verify(graph);
  EXPECT_EQ(outline(graph), "Sigmoid(x) Relu(s:0) Neg(a) Abs(b) y x");
}

TEST(GraphEdit, ChangesInputsAndAttributes) {
  Graph graph = chain();
  GraphEdit edit(graph, "rewire");
  edit.set_input(producer(graph, "y"), 0, graph.find_value("a"));
  const ValueId flat = edit.add_node(OpKind::Flatten, {graph.find_value("a")}, {{"axis", std::int64_t{1}}}, "f");
  edit.replace(graph.find_value("y"), flat);
  apply(graph, edit);
  EXPECT_EQ(outline(graph), "Relu(x) Flatten(a) y");
  GraphEdit change(graph, "axis");
  change.set_attribute(producer(graph, "y"), "axis", std::int64_t{-1});
  apply(graph, change);
  EXPECT_EQ(graph.node(producer(graph, "y")).get_int("axis"), -1);
  GraphEdit erase(graph, "axis");
  erase.erase_attribute(producer(graph, "y"), "axis");
  apply(graph, erase);
  EXPECT_EQ(graph.node(producer(graph, "y")).get_int("axis"), 1);
  verify(graph);
}

TEST(GraphEdit, FollowsCapturesOfSubgraphs) {
  Graph graph = parse_graph(R"(graph "g" {
    input %c: bool[]
    input %x: f32[2]
    %a = Relu(%x) "a" : f32[2]
    %y = If(%c) "if" {
      else_branch = graph "e" { capture %p = %a  %n = Neg(%p) "n" output %n },
      then_branch = graph "t" { capture %q = %a  %m = Abs(%q) "m" output %m } } : f32[2]
    output %y
  })");
  GraphEdit edit(graph, "past the relu");
  edit.replace(graph.find_value("a"), graph.find_value("x"));
  apply(graph, edit);
  verify(graph);
  EXPECT_EQ(graph.num_alive_nodes(), 1);
  EXPECT_EQ(values_read(graph.node(producer(graph, "y"))),
            (std::vector{graph.find_value("c"), graph.find_value("x"), graph.find_value("x")}));
}

TEST(GraphEdit, RefusesAChangeOfType) {
  Graph graph = chain();
  GraphEdit shape(graph, "other shape");
  shape.replace(graph.find_value("b"), shape.add_constant("k", Tensor(DType::F32, {2, 4})));
  expect_refused(graph, shape, "turns \"b\" from f32[2, 3] into f32[2, 4]");
  GraphEdit dtype(graph, "other dtype");
  dtype.replace(graph.find_value("b"), dtype.add_constant("k", Tensor(DType::S32, {2, 3})));
  expect_refused(graph, dtype, "into s32[2, 3]");
}

TEST(GraphEdit, RefusesACycle) {
  Graph graph = chain();
  GraphEdit edit(graph, "loop");
  edit.replace(graph.find_value("a"), graph.find_value("y"));
  expect_refused(graph, edit, "cycle");
  GraphEdit input(graph, "loop");
  input.set_input(producer(graph, "a"), 0, graph.find_value("b"));
  expect_refused(graph, input, "cycle");
}

TEST(GraphEdit, RefusesToRemoveWhatIsRead) {
  Graph graph = chain();
  GraphEdit edit(graph, "remove b");
  edit.remove(producer(graph, "b"));
  expect_refused(graph, edit, "whose output is still read");
}

TEST(GraphEdit, RefusesAnEditOfAnotherGraph) {
  Graph graph = chain();
  GraphEdit edit(graph, "old");
  edit.replace(graph.find_value("b"), graph.find_value("a"));
  graph.add_constant("new", Tensor(DType::F32, {1}));
  expect_refused(graph, edit, "made for another graph");
}

TEST(GraphEdit, KeepsUsesUpToDate) {
  Graph graph = chain();
  Uses uses(graph);
  GraphEdit edit(graph, "add");
  const ValueId a = graph.find_value("a");
  const ValueId sum = edit.add_node(OpKind::Add, {a, a}, {}, "sum");
  edit.replace(graph.find_value("y"), sum);
  apply(graph, uses, edit);
  const Uses fresh(graph);
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    EXPECT_TRUE(std::ranges::equal(uses.of(id), fresh.of(id))) << graph.value(id).name;
    EXPECT_EQ(uses.is_output(id), fresh.is_output(id));
  }
}

TEST(RemoveDeadNodes, KeepsOnlyWhatOutputsNeed) {
  Graph graph = chain();
  graph.add(OpKind::Sigmoid, {graph.add(OpKind::Tanh, {graph.find_value("a")})});
  EXPECT_EQ(remove_dead_nodes(graph), 2);
  EXPECT_EQ(remove_dead_nodes(graph), 0);
  EXPECT_EQ(outline(graph), "Relu(x) Neg(a) Abs(b) y");
}

}  // namespace
}  // namespace adze
