#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/engine/reference/reference.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/compare.h"
#include "tests/formats/onnx_builder.h"

namespace adze {
namespace {

using namespace onnx_builder;
using Dims = std::vector<std::int64_t>;

std::vector<float> run(const Graph& graph, std::vector<Tensor> inputs) {
  return to_floats(reference::run_tensors(graph, inputs).at(0));
}

Graph reread(const Graph& graph, const onnx::WriteOptions& options = {}) {
  return read(onnx::write_bytes(graph, options));
}

/// If(c): then x + w, else x * inner, where the inner If captures w and x through two graphs.
Graph nested_captures() {
  GraphParts innermost;
  innermost.nodes = {node("Mul", {"x", "w"}, {"product"}, {}, "mul")};
  innermost.outputs = {value("product")};
  GraphParts negated;
  negated.nodes = {node("Neg", {"x"}, {"negative"}, {}, "neg")};
  negated.outputs = {value("negative")};
  GraphParts then_branch;
  then_branch.nodes = {node("If", {"c2"}, {"inner"},
                            {graph_attribute("then_branch", graph(std::move(innermost))),
                             graph_attribute("else_branch", graph(std::move(negated)))},
                            "inner_if")};
  then_branch.outputs = {value("inner")};
  GraphParts else_branch;
  else_branch.outputs = {value("x")};
  GraphParts parts;
  parts.nodes = {node("If", {"c"}, {"y"},
                      {graph_attribute("then_branch", graph(std::move(then_branch))),
                       graph_attribute("else_branch", graph(std::move(else_branch)))},
                      "outer_if")};
  parts.inputs = {value("c", DType::Bool, Dims{}), value("c2", DType::Bool, Dims{}), value("x", DType::F32, Dims{2})};
  parts.outputs = {value("y")};
  parts.initializers = {tensor<float>("w", {2}, {2, 3})};
  return read(model(onnx_builder::graph(std::move(parts))));
}

TEST(OnnxGraph, CapturesValuesThroughNestedSubgraphs) {
  const Graph once = nested_captures();
  for (const Graph& graph : {once, reread(once), reread(reread(once))}) {
    const auto ask = [&](bool c, bool c2) {
      return run(graph, {Tensor::scalar(c), Tensor::scalar(c2), Tensor::from<float>({2}, {5, 7})});
    };
    EXPECT_EQ(ask(true, true), (std::vector<float>{10, 21}));
    EXPECT_EQ(ask(true, false), (std::vector<float>{-5, -7}));
    EXPECT_EQ(ask(false, true), (std::vector<float>{5, 7}));
  }
}

TEST(OnnxGraph, SortsNodesThatStandInTheWrongOrder) {
  GraphParts parts;
  parts.nodes = {node("Neg", {"a"}, {"y"}), node("Abs", {"x"}, {"a"})};
  parts.inputs = {value("x", DType::F32, Dims{1})};
  parts.outputs = {value("y")};
  EXPECT_EQ(run(read(model(graph(std::move(parts)))), {Tensor::from<float>({1}, {-3})}), std::vector<float>{-3});
}

TEST(OnnxGraph, TreatsInputsWithInitializerAsConstants) {
  GraphParts parts;
  parts.nodes = {node("Add", {"x", "w"}, {"y"})};
  parts.inputs = {value("x", DType::F32, Dims{1}), value("w", DType::F32, Dims{1})};
  parts.outputs = {value("y")};
  parts.initializers = {tensor<float>("w", {1}, {2})};
  const Graph graph = read(model(onnx_builder::graph(std::move(parts)), 7, {}, 3));
  EXPECT_EQ(graph.inputs().size(), 1u);
  EXPECT_NE(graph.constant(graph.find_value("w")), nullptr);
}

TEST(OnnxGraph, ReadsEveryFormOfConstant) {
  GraphParts parts;
  const auto add = [&](const char* name, WireMessage attribute) {
    parts.nodes.push_back(node("Constant", {}, {name}, {std::move(attribute)}));
    parts.outputs.push_back(value(name, DType::Undefined));
  };
  add("a", tensor_attribute("value", tensor<float>("", {2}, {1, 2})));
  add("b", attribute("value_int", 3));
  add("c", attribute("value_float", 4.5f));
  add("d", attribute("value_ints", Dims{5, 6}));
  add("e", attribute("value_floats", std::vector<float>{7, 8}));
  add("f", attribute("value_string", "text"));
  const Graph graph = read(model(onnx_builder::graph(std::move(parts))));
  EXPECT_EQ(graph.num_alive_nodes(), 0);
  const auto constant = [&](const char* name) { return *graph.constant(graph.find_value(name)); };
  EXPECT_EQ(type_text(constant("a")), "f32[2]");
  EXPECT_EQ(constant("b").get_int(0), 3);
  EXPECT_EQ(constant("c").get_double(0), 4.5);
  EXPECT_EQ(to_ints(constant("d")), (Dims{5, 6}));
  EXPECT_EQ(to_floats(constant("e")), (std::vector<float>{7, 8}));
  EXPECT_EQ(constant("f").data<std::string>()[0], "text");
}

TEST(OnnxGraph, ExpandsFunctionsWithAttributesAndOptionalInputs) {
  Messages functions;
  functions.push_back(
      function("leak", {"a"}, {"b"},
               {node("LeakyRelu", {"a"}, {"t"}, {reference_attribute("alpha", "slope", 1)}), node("Neg", {"t"}, {"b"})},
               {"slope"}));
  functions.push_back(function("twice", {"a", "unused"}, {"b", "same"},
                               {node("leak", {"a"}, {"t"}, {attribute("slope", 0.5f)}, "", "local"),
                                node("leak", {"t"}, {"b"}, {}, "", "local"), node("Identity", {"a"}, {"same"})}));
  GraphParts parts;
  parts.nodes = {node("twice", {"x"}, {"y", "z"}, {}, "call", "local"),
                 node("twice", {"y"}, {"u"}, {}, "more", "local")};
  parts.inputs = {value("x", DType::F32, Dims{1})};
  parts.outputs = {value("y"), value("z"), value("u")};
  const Graph graph = read(model(onnx_builder::graph(std::move(parts)), 21, std::move(functions)));
  const auto y = reference::run_tensors(graph, {Tensor::from<float>({1}, {-4})});
  EXPECT_FLOAT_EQ(to_floats(y[0])[0], -2);  // leak: -(0.5 · -4) = 2; with the default slope: -(2) = -2
  EXPECT_FLOAT_EQ(to_floats(y[1])[0], -4);
  EXPECT_FLOAT_EQ(to_floats(y[2])[0], -1);  // leak: -(0.5 · -2) = 1; -(1) = -1
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
}

TEST(OnnxGraph, KeepsMetadataAndSymbols) {
  Graph graph;
  graph.name = "net";
  graph.doc = "what it is";
  graph.producer = "trainer 1.2";
  graph.metadata["adze.rounding"] = "tflm";
  const ValueId x =
      graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim::named("batch"), Dim(3), Dim()}));
  graph.add_output(graph.add(OpKind::Relu, {x}, {}, "relu"));
  graph.node(NodeId{0}).metadata["doc_string"] = "clips";
  graph.node(NodeId{0}).metadata["origin"] = "layer 1";
  const Graph again = reread(graph);
  EXPECT_EQ(again.name, "net");
  EXPECT_EQ(again.doc, "what it is");
  EXPECT_EQ(again.producer, "trainer 1.2");
  EXPECT_EQ(again.metadata, graph.metadata);
  EXPECT_EQ(again.node(NodeId{0}).metadata, graph.node(NodeId{0}).metadata);
  EXPECT_EQ(type_text(again.value(again.inputs()[0]).type), "f32[batch, 3, ?]");
  EXPECT_EQ(structural_difference(graph, again), std::nullopt);
}

TEST(OnnxGraph, NamesAllMissingOperatorsAtOnce) {
  GraphParts parts;
  parts.nodes = {node("Foo", {"x"}, {"a"}, {}, "one"), node("Bar", {"a"}, {"b"}, {}, "two", "com.example"),
                 node("Foo", {"b"}, {"y"}, {}, "three")};
  parts.inputs = {value("x")};
  parts.outputs = {value("y")};
  try {
    read(model(graph(std::move(parts)), 13));
    FAIL() << "was read";
  } catch (const UnsupportedError& error) {
    EXPECT_NE(error.message().find("Foo (node \"one\", opset 13; 2 nodes)"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("com.example.Bar (node \"two\", opset 1)"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace adze
