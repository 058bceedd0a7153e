// Which inputs take which outputs of the call before: by metadata, by name, by operator.
#include "adze/graph/states.h"

#include <gtest/gtest.h>

#include "adze/graph/infer.h"

namespace adze {
namespace {

ValueType floats(SymbolicShape shape) {
  return ValueType::tensor(DType::F32, std::move(shape));
}

/// x joins what came before along the tokens.
Graph growing(const std::string& past_name, const std::string& present_name) {
  Graph graph;
  const ValueId x = graph.add_input("x", floats({1, 2, Dim::named("new"), 4}));
  const ValueId past = graph.add_input(past_name, floats({1, 2, Dim::named("past"), 4}));
  const ValueId present = graph.add(OpKind::Concat, {past, x}, {{"axis", std::int64_t{-2}}}, "join");
  graph.value(present).name = present_name;
  graph.add_output(graph.add(OpKind::Relu, {present}, {}, "y"));
  graph.add_output(present);
  infer_types(graph);
  return graph;
}

Graph lstm() {
  Graph graph;
  Node node;
  node.kind = OpKind::LSTM;
  node.name = "cell";
  node.set("hidden_size", std::int64_t{3});
  node.inputs = {graph.add_input("x", floats({1, 1, 2})),
                 graph.add_constant("w", Tensor(DType::F32, {1, 12, 2})),
                 graph.add_constant("r", Tensor(DType::F32, {1, 12, 3})),
                 ValueId::None,
                 ValueId::None,
                 graph.add_input("memory", floats({1, 1, 3})),
                 graph.add_input("cell", floats({1, 1, 3}))};
  node.outputs = {graph.add_value("y"), graph.add_value("a"), graph.add_value("b")};
  graph.set_outputs({node.outputs[0], node.outputs[2], node.outputs[1]});
  graph.add_node(std::move(node));
  infer_types(graph);
  return graph;
}

const std::vector<StatePair> one_pair{{1, 1}};

TEST(States, AreFoundByTheNamesThatExportersGive) {
  EXPECT_EQ(find_states(growing("past_key_values.0.key", "present.0.key")), one_pair);
  EXPECT_EQ(find_states(growing("past_3", "present_3")), one_pair);
  EXPECT_EQ(find_states(growing("cache_in", "cache_out")), one_pair);
}

TEST(States, AreNotInputsThatAConcatAppends) {
  Graph graph;
  const ValueId a = graph.add_input("a", floats({1, 2})), b = graph.add_input("b", floats({1, 3}));
  graph.add_output(graph.add(OpKind::Concat, {a, b}, {{"axis", std::int64_t{1}}}, "join"));
  infer_types(graph);
  EXPECT_TRUE(find_states(graph).empty());
}

TEST(States, AreFoundByConcatAndByRecurrentOperators) {
  const Graph graph = growing("a", "b");
  EXPECT_EQ(find_states(graph), one_pair);
  EXPECT_EQ(growing_axis(graph, graph.inputs()[1]), 2);
  const std::vector<StatePair> pairs{{1, 2}, {2, 1}};
  EXPECT_EQ(find_states(lstm()), pairs);
  EXPECT_EQ(growing_axis(lstm(), lstm().inputs()[1]), std::nullopt);
}

TEST(States, MetadataDecidesAndMustFit) {
  Graph graph = lstm();
  graph.metadata["adze.state"] = "cell=b";
  const std::vector<StatePair> pairs{{2, 1}};
  EXPECT_EQ(find_states(graph), pairs);
  graph.metadata["adze.state"] = "cell=nothing";
  EXPECT_THROW(find_states(graph), UsageError);
  graph.metadata["adze.state"] = "cell";
  EXPECT_THROW(find_states(graph), UsageError);
}

TEST(States, OneInputAloneIsNoState) {
  Graph graph;
  const ValueId x = graph.add_input("past", floats({1, 2}));
  graph.add_output(graph.add(OpKind::Relu, {x}, {}, "present"));
  infer_types(graph);
  EXPECT_TRUE(find_states(graph).empty());
}

TEST(States, BytesAreCountedByTokenWhereTheyGrow) {
  const Graph keys = growing("past", "present"), cell = lstm();
  EXPECT_EQ(state_bytes(keys, find_states(keys)).per_place, 2 * 4 * 4);
  EXPECT_EQ(state_bytes(keys, find_states(keys)).whole, 0);
  EXPECT_EQ(state_bytes(cell, find_states(cell)).whole, 2 * 3 * 4);
}

}  // namespace
}  // namespace adze
