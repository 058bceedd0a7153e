#include "adze/graph/graph.h"

#include <gtest/gtest.h>

#include <ctime>

#include "adze/base/text.h"
#include "adze/graph/compare.h"
#include "adze/graph/text.h"

namespace adze {
namespace {

TEST(Graph, MakesNamesUniqueAlsoAfterARename) {
  Graph graph;
  const ValueId a = graph.add_input("a", {});
  EXPECT_EQ(graph.unique_name("a"), "a_1");
  EXPECT_EQ(graph.unique_name("b"), "b");
  graph.value(a).name = "b";
  EXPECT_EQ(graph.unique_name("b"), "b_1");
  graph.add_value("b_1");
  EXPECT_EQ(graph.unique_name("b"), "b_2");
  EXPECT_EQ(graph.find_value("b"), a);
}

TEST(Graph, AddsManyNodesQuickly) {
  const std::clock_t start = std::clock();  // not wall time: other work may run beside
  Graph graph;
  ValueId at = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim(1)}));
  for (int i = 0; i < 20'000; ++i) at = graph.add(OpKind::Relu, {at});
  graph.add_output(at);
  EXPECT_EQ(topological_order(graph).size(), 20'000u);
  EXPECT_LT(std::clock() - start, 2 * CLOCKS_PER_SEC);
}

TEST(Graph, RefusesASecondProducer) {
  Graph graph;
  const ValueId y = graph.add(OpKind::Relu, {graph.add_input("x", {})});
  Node node;
  node.kind = OpKind::Neg;
  node.outputs = {y};
  EXPECT_THROW(graph.add_node(node), InternalError);
}

TEST(Graph, CompactDropsWhatIsDeadAndKeepsTheMeaning) {
  Graph graph = parse_graph(R"(graph "g" {
    input %x: f32[2]
    constant %w: f32[2] = [1.0, 2.0]
    %a = Add(%x, %w) "a"
    %b = If(%x) "if" { else_branch = graph "e" { capture %p = %a  output %p }, then_branch = graph "t" { capture %p = %w  output %p } }
    output %b
  })");
  const Graph before = graph;
  graph.add_constant("unused", Tensor(DType::F32, {4}));
  graph.remove_node(graph.value(graph.add(OpKind::Neg, {graph.find_value("x")})).producer);
  graph.compact();
  EXPECT_EQ(structural_difference(before, graph), std::nullopt);
  EXPECT_EQ(graph.num_nodes(), 2);
  EXPECT_EQ(graph.find_value("unused"), ValueId::None);
  EXPECT_EQ(graph.unique_name("a"), "a_1");
}

TEST(TopologicalOrder, NamesANodeOnACycle) {
  Graph graph;
  const ValueId a = graph.add(OpKind::Relu, {graph.add_input("x", {})}, {}, "first");
  const ValueId b = graph.add(OpKind::Neg, {a}, {}, "second");
  graph.node(graph.value(a).producer).inputs[0] = b;
  try {
    topological_order(graph);
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_EQ(error.place().node, "first");
  }
}

TEST(StructuralDifference, SeesAttributesConstantsAndWiring) {
  const auto graph = [](std::string_view attribute, std::string_view constant, std::string_view first) {
    return parse_graph(cat("graph \"g\" { input %x: f32[2] input %z: f32[2] constant %c: f32[2] = [", constant,
                           "] %e = Elu(%x) ", attribute, " %y = Sub(%", first,
                           ", %c) output %y output %e output %z }"));
  };
  const Graph base = graph("{ alpha = 1.0 }", "1.0, 2.0", "e");
  EXPECT_EQ(structural_difference(base, graph("", "1.0, 2.0", "e")), std::nullopt);
  EXPECT_NE(structural_difference(base, graph("{ alpha = 2.0 }", "1.0, 2.0", "e")), std::nullopt);
  EXPECT_NE(structural_difference(base, graph("", "1.0, 2.5", "e")), std::nullopt);
  EXPECT_NE(structural_difference(base, graph("", "1.0, 2.0", "x")), std::nullopt);
  EXPECT_NE(structural_difference(base, graph("", "1.0, 2.0", "z")), std::nullopt);
}

}  // namespace
}  // namespace adze
