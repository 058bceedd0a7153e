// Networks that keep outputs for the next call.
#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/states.h"
#include "tests/emit/compile.h"

namespace adze {
namespace {

/// h' = 0.5 (x + h), and the same doubled: a cell that forgets.
Graph cell(float next_scale) {
  Graph graph;
  const auto type = ValueType::tensor(DType::S8, symbolic(Shape{1, 6}));
  const ValueId x = graph.add_input("x", type), h = graph.add_input("h", type);
  const auto layer = [&](OpKind kind, std::vector<ValueId> inputs, const std::string& name, float y_scale) {
    Node node;
    node.kind = kind;
    node.name = name;
    node.inputs = std::move(inputs);
    node.set("rounding", std::string("tflm"));
    node.set("y_scale", y_scale);
    node.set("y_zero_point", std::int64_t{-20});
    node.set("y_dtype", static_cast<std::int64_t>(DType::S8));
    node.set("y_min", std::int64_t{-128});
    node.set("y_max", std::int64_t{127});
    node.outputs = {graph.add_value(name, type)};
    return node;
  };
  Node sum = layer(OpKind::QAdd, {x, h}, "h2", next_scale);
  for (const char* operand : {"a", "b"}) {
    sum.set(std::string(operand) + "_scale", operand[0] == 'a' ? 0.25f : 0.5f);
    sum.set(std::string(operand) + "_zero_point", std::int64_t{operand[0] == 'a' ? 7 : -20});
  }
  Node twice = layer(OpKind::QRequantize, {sum.outputs[0]}, "y", 0.3f);
  twice.set("x_scale", next_scale);
  twice.set("x_zero_point", std::int64_t{-20});
  graph.set_outputs({twice.outputs[0], sum.outputs[0]});
  graph.add_node(std::move(sum));
  graph.add_node(std::move(twice));
  graph.metadata["adze.state"] = "h=h2";
  return graph;
}

TEST(State, IsKeptBetweenCallsAndBeginsAtZero) {
  const Graph graph = cell(0.5f);
  Random random(5);
  emit::EmitOptions options;
  Tensor state(DType::S8, {1, 6});
  for (auto& value : state.mutable_data<std::int8_t>()) value = -20;
  for (int run = 0; run < 4; ++run) {
    Tensor input(DType::S8, {1, 6});
    for (std::int64_t i = 0; i < 6; ++i) input.set_int(i, static_cast<std::int64_t>(random.below(256)) - 128);
    const std::vector<Tensor> outputs = reference::run_tensors(graph, {input, state});
    options.golden.push_back({{input, state}, outputs});
    state = outputs[1];
  }
  const emit::Emission emission = emit::emit_c(graph, options);
  const auto ran = testing::compile_and_run(emission, "net");
  EXPECT_EQ(ran.output, "equal 24 of 24\n");
  for (const auto& file : emission.files) {
    if (file.path != "net.h") continue;
    EXPECT_NE(file.bytes.find("int net_run(const int8_t *input, int8_t *output);"), std::string::npos) << file.bytes;
    EXPECT_NE(file.bytes.find("void net_reset(void);"), std::string::npos);
  }
}

TEST(State, BeginsAtTheZeroPointThatItsReadersSay) {
  Graph graph = cell(0.5f);
  EXPECT_EQ(stored_zero(graph, graph.inputs()[0]), 7);
  EXPECT_EQ(stored_zero(graph, graph.inputs()[1]), -20);
  // Behind a view as well.
  const ValueId moved = graph.add_value("moved", ValueType::tensor(DType::S8, symbolic(Shape{1, 6})));
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).kind == OpKind::QAdd) graph.node(id).inputs[1] = moved;
  }
  Node view;
  view.kind = OpKind::Reshape;
  view.inputs = {graph.inputs()[1], graph.add_constant("shape", Tensor::ints({1, 6}))};
  view.outputs = {moved};
  graph.add_node(std::move(view));
  EXPECT_EQ(stored_zero(graph, graph.inputs()[1]), -20);
}

TEST(State, RefusesPortsOfDifferentScales) {
  EXPECT_THROW(emit::emit_c(cell(0.25f)), UsageError);
  Graph wrong = cell(0.5f);
  wrong.metadata["adze.state"] = "h=nothing";
  EXPECT_THROW(emit::emit_c(wrong), UsageError);
}

}  // namespace
}  // namespace adze
