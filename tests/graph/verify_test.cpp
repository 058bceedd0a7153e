#include "adze/graph/verify.h"

#include <gtest/gtest.h>

#include "adze/graph/text.h"

namespace adze {
namespace {

Graph sound() {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim(4)}));
  graph.add_output(graph.add(OpKind::Elu, {graph.add(OpKind::Relu, {x}, {}, "relu")}, {{"alpha", 2.0f}}, "elu"));
  return graph;
}

void expect_wrong(const Graph& graph, std::string_view part, std::string_view node = "") {
  try {
    verify(graph);
    ADD_FAILURE() << "accepted, expected: " << part;
  } catch (const Error& error) {
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
    if (!node.empty()) {
      EXPECT_EQ(error.place().node, node);
    }
  }
}

TEST(Verify, AcceptsASoundGraph) {
  EXPECT_NO_THROW(verify(sound()));
}

TEST(Verify, RefusesWrongCountsOfInputs) {
  Graph graph = sound();
  graph.node(NodeId{0}).inputs.clear();
  expect_wrong(graph, "has 0 inputs, expected 1", "relu");
  graph.node(NodeId{0}).inputs = {ValueId::None};
  expect_wrong(graph, "input 0 is left out", "relu");
}

TEST(Verify, RefusesAttributesThatTheOperatorLacksOrMisses) {
  Graph graph = sound();
  graph.node(NodeId{0}).set("alpha", 1.0f);
  expect_wrong(graph, "attribute \"alpha\" is not known", "relu");
  graph = sound();
  graph.node(NodeId{1}).set("alpha", std::int64_t{1});
  expect_wrong(graph, "attribute \"alpha\" has the wrong type", "elu");
  graph = sound();
  graph.node(NodeId{0}).kind = OpKind::Cast;
  expect_wrong(graph, "attribute \"to\" is missing", "relu");
}

TEST(Verify, RefusesValuesThatNothingComputes) {
  Graph graph = sound();
  graph.node(NodeId{1}).inputs[0] = graph.add_value("ghost");
  expect_wrong(graph, "reads \"ghost\", which nothing computes", "elu");
  graph = sound();
  graph.add_output(graph.add_value("ghost"));
  expect_wrong(graph, "ghost");
}

TEST(Verify, RefusesNamesUsedTwice) {
  Graph graph = sound();
  graph.add_constant("x", Tensor(DType::F32, {1}));
  expect_wrong(graph, "value name \"x\" is used twice");
}

TEST(Verify, RefusesValuesDefinedTwice) {
  Graph graph = sound();
  graph.set_inputs({graph.inputs()[0], graph.inputs()[0]});
  expect_wrong(graph, "defined twice");
  graph = sound();
  graph.value(graph.inputs()[0]).constant = Tensor(DType::F32, {4});
  expect_wrong(graph, "defined twice");
}

TEST(Verify, RefusesAnInterfaceOutOfRange) {
  Graph graph = sound();
  graph.set_outputs({static_cast<ValueId>(99)});
  expect_wrong(graph, "out of range");
  graph = sound();
  graph.set_inputs({ValueId::None});
  expect_wrong(graph, "absent value");
}

TEST(Verify, RefusesACycle) {
  Graph graph = sound();
  graph.node(NodeId{0}).inputs[0] = graph.outputs()[0];
  expect_wrong(graph, "cycle");
}

Graph nested(int depth) {
  Graph graph;
  ValueId value = graph.add_input("c", ValueType::tensor(DType::Bool, SymbolicShape{}));
  if (depth > 0) {
    const auto inner = std::make_shared<const Graph>([&] {
      Graph branch = nested(depth - 1);
      branch.set_inputs({});
      branch.value(branch.find_value("c")).constant = Tensor(DType::Bool, {});
      return branch;
    }());
    value =
        graph.add(OpKind::If, {value}, {{"else_branch", Subgraph{inner, {}}}, {"then_branch", Subgraph{inner, {}}}});
  }
  graph.add_output(value);
  return graph;
}

TEST(Verify, BoundsTheDepthOfSubgraphs) {
  EXPECT_NO_THROW(verify(nested(8)));
  Graph chain = nested(0);
  for (int i = 0; i < 70; ++i) {
    Graph outer;
    chain.set_inputs({});
    if (i == 0) chain.value(ValueId{0}).constant = Tensor(DType::Bool, {});
    const ValueId c = outer.add_constant("c", Tensor(DType::Bool, {}));
    const Subgraph branch{std::make_shared<const Graph>(std::move(chain)), {}};
    Graph small;
    small.add_output(small.add_constant("k", Tensor(DType::Bool, {})));
    const Subgraph leaf{std::make_shared<const Graph>(std::move(small)), {}};
    outer.add_output(outer.add(OpKind::If, {c}, {{"else_branch", branch}, {"then_branch", leaf}}));
    chain = std::move(outer);
  }
  expect_wrong(chain, "nested more than 64 deep");
}

TEST(Verify, RefusesCapturesThatDoNotMatch) {
  Graph graph = parse_graph(R"(graph "g" {
    input %c: bool[]
    %y = If(%c) "if" { else_branch = graph "e" { capture %p = %c output %p }, then_branch = graph "t" { capture %p = %c output %p } }
    output %y
  })");
  auto subgraph = std::get<Subgraph>(*graph.node(NodeId{0}).find("then_branch"));
  subgraph.captured.clear();
  graph.node(NodeId{0}).set("then_branch", subgraph);
  expect_wrong(graph, "captures of then_branch do not match");
}

}  // namespace
}  // namespace adze
