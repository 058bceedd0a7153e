#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/engine/reference/reference.h"
#include "tests/formats/onnx_builder.h"

namespace adze {
namespace {

using namespace onnx_builder;
using Dims = std::vector<std::int64_t>;

/// The only node of that kind in the graph.
const Node& only(const Graph& graph, OpKind kind) {
  const Node* found = nullptr;
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).kind != kind) continue;
    EXPECT_EQ(found, nullptr) << "more than one " << op_name(kind);
    found = &graph.node(id);
  }
  if (found == nullptr) throw InternalError("test: no node of that kind");
  return *found;
}

Dims input_ints(const Graph& graph, const Node& node, std::size_t i) {
  const Tensor* tensor = graph.constant(node.input(i));
  if (tensor == nullptr) throw InternalError("test: input is not constant");
  return to_ints(*tensor);
}

/// A model of one node in an old opset; x has the given shape.
Graph old_node(std::string_view op, int version, Messages attributes, const Dims& dims, Messages initializers = {},
               Names inputs = {"x"}, Names outputs = {"y"}) {
  Messages declared;
  for (const std::string& output : outputs) declared.push_back(value(output, DType::Undefined));
  return read(one_node_model(node(op, inputs, outputs, std::move(attributes), "old"), {value("x", DType::F32, dims)},
                             {value(outputs[0], DType::Undefined)}, version, std::move(initializers)));
}

std::vector<float> run(const Graph& graph, const Dims& dims, const std::vector<float>& x) {
  return to_floats(reference::run_tensors(graph, {Tensor::from<float>(dims, x)}).at(0));
}

TEST(OnnxUpgrade, TurnsAxesIntoInputs) {
  for (const char* op : {"Squeeze", "ReduceSum", "ReduceMean", "ReduceL2", "ReduceMax", "ReduceLogSumExp"}) {
    const Graph graph = old_node(op, 11, {attribute("axes", Dims{0, 2})}, {1, 4, 1});
    const Node& node = graph.node(NodeId{0});
    EXPECT_EQ(input_ints(graph, node, 1), (Dims{0, 2})) << op;
    EXPECT_FALSE(node.has("axes"));
  }
  const Graph mean = old_node("ReduceMean", 17, {attribute("axes", Dims{-1})}, {2, 3});
  EXPECT_EQ(input_ints(mean, only(mean, OpKind::ReduceMean), 1), Dims{-1});
  const Graph unsqueeze = old_node("Unsqueeze", 11, {attribute("axes", Dims{0})}, {2});
  EXPECT_EQ(input_ints(unsqueeze, only(unsqueeze, OpKind::Unsqueeze), 1), Dims{0});
  EXPECT_EQ(only(old_node("ReduceSum", 1, {}, {2, 3}), OpKind::ReduceSum).inputs.size(), 1u);
}

TEST(OnnxUpgrade, TurnsClipLimitsIntoInputs) {
  const Graph graph = old_node("Clip", 6, {attribute("min", -1.0f), attribute("max", 2.0f)}, {4});
  EXPECT_EQ(run(graph, {4}, {-5, 0, 1, 9}), (std::vector<float>{-1, 0, 1, 2}));
  const Graph upper = old_node("Clip", 6, {attribute("max", 2.0f)}, {2});
  EXPECT_EQ(run(upper, {2}, {-5, 9}), (std::vector<float>{-5, 2}));
}

TEST(OnnxUpgrade, TurnsSliceAndPadAndTopKAttributesIntoInputs) {
  const Graph slice = old_node("Slice", 9, {attribute("starts", Dims{1}), attribute("ends", Dims{3})}, {4});
  EXPECT_EQ(run(slice, {4}, {1, 2, 3, 4}), (std::vector<float>{2, 3}));
  const Graph pad = old_node("Pad", 2, {attribute("pads", Dims{1, 2}), attribute("value", 7.0f)}, {2});
  EXPECT_EQ(run(pad, {2}, {1, 2}), (std::vector<float>{7, 1, 2, 7, 7}));
  const Graph paddings = old_node("Pad", 1, {attribute("paddings", Dims{1, 0})}, {2});
  EXPECT_EQ(run(paddings, {2}, {1, 2}), (std::vector<float>{0, 1, 2}));
  const Graph topk = old_node("TopK", 1, {attribute("k", 2)}, {4}, {}, {"x"}, {"y", "i"});
  EXPECT_EQ(run(topk, {4}, {1, 9, 3, 4}), (std::vector<float>{9, 4}));
}

TEST(OnnxUpgrade, GivesSplitItsSizesOrNumberOfParts) {
  const Graph sizes = old_node("Split", 11, {attribute("split", Dims{1, 3})}, {4}, {}, {"x"}, {"y", "z"});
  EXPECT_EQ(input_ints(sizes, only(sizes, OpKind::Split), 1), (Dims{1, 3}));
  const Graph equal = old_node("Split", 13, {}, {4}, {}, {"x"}, {"y", "z"});
  EXPECT_EQ(only(equal, OpKind::Split).get_int("num_outputs"), 2);
}

TEST(OnnxUpgrade, TurnsReshapeAndTileOfTheFirstOpsetsIntoTodays) {
  const Graph reshape =
      old_node("Reshape", 1, {attribute("shape", Dims{2, 2}), attribute("consumed_inputs", Dims{0})}, {4});
  EXPECT_EQ(input_ints(reshape, only(reshape, OpKind::Reshape), 1), (Dims{2, 2}));
  const Graph tile = old_node(
      "Tile", 1, {}, {2, 1}, {tensor<std::int64_t>("n", {}, {3}), tensor<std::int64_t>("a", {}, {1})}, {"x", "n", "a"});
  EXPECT_EQ(run(tile, {2, 1}, {1, 2}), (std::vector<float>{1, 1, 1, 2, 2, 2}));
}

TEST(OnnxUpgrade, ConcatenatesAlongAxisOneWhenNothingIsSaid) {
  const Graph graph = old_node("Concat", 1, {}, {2, 1}, {}, {"x", "x"});
  EXPECT_EQ(run(graph, {2, 1}, {1, 2}), (std::vector<float>{1, 1, 2, 2}));
}

TEST(OnnxUpgrade, ReadsTypesOfCastByName) {
  EXPECT_EQ(only(old_node("Cast", 1, {attribute("to", "INT64")}, {2}), OpKind::Cast).get_int("to"), 7);
  EXPECT_EQ(only(old_node("Cast", 1, {attribute("to", "float16")}, {2}), OpKind::Cast).get_int("to"), 10);
  EXPECT_THROW(old_node("Cast", 1, {attribute("to", "QUATERNION")}, {2}), ModelError);
}

TEST(OnnxUpgrade, BroadcastsFromTheAxisThatOldArithmeticNames) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow"}) {
    const Graph graph = old_node(op, 6, {attribute("broadcast", 1), attribute("axis", 0)}, {2, 3},
                                 {tensor<float>("b", {2}, {1, 2})}, {"x", "b"});
    const auto y = run(graph, {2, 3}, {1, 1, 1, 4, 4, 4});
    ASSERT_EQ(y.size(), 6u) << op;
    EXPECT_EQ(y[0], y[2]) << op;
    EXPECT_NE(y[0], y[3]) << op;
  }
  const Graph sum = old_node("Add", 6, {attribute("broadcast", 1), attribute("axis", 1)}, {1, 2, 2},
                             {tensor<float>("b", {2}, {10, 20})}, {"x", "b"});
  EXPECT_EQ(run(sum, {1, 2, 2}, {1, 2, 3, 4}), (std::vector<float>{11, 12, 23, 24}));
  const Graph plain =
      old_node("Add", 6, {attribute("broadcast", 1)}, {2, 2}, {tensor<float>("b", {2}, {10, 20})}, {"x", "b"});
  EXPECT_EQ(plain.num_alive_nodes(), 1);
  EXPECT_THROW(old_node("Add", 6, {attribute("broadcast", 1), attribute("axis", 1)}, {2, 2},
                        {tensor<float>("b", {2, 2}, {1, 2, 3, 4})}, {"x", "b"}),
               ModelError);
}

TEST(OnnxUpgrade, GivesOldPReluSlopesToTheChannels) {
  const Graph graph = old_node("PRelu", 6, {}, {1, 2, 2, 1}, {tensor<float>("s", {2}, {2, 10})}, {"x", "s"});
  EXPECT_EQ(run(graph, {1, 2, 2, 1}, {-1, 1, -1, 1}), (std::vector<float>{-2, 1, -10, 1}));
}

TEST(OnnxUpgrade, DropsGemmsBroadcastFlagAndConsumedInputs) {
  const Graph gemm =
      old_node("Gemm", 6, {attribute("broadcast", 1)}, {1, 2},
               {tensor<float>("w", {2, 2}, {1, 0, 0, 1}), tensor<float>("c", {2}, {5, 6})}, {"x", "w", "c"});
  EXPECT_EQ(run(gemm, {1, 2}, {1, 2}), (std::vector<float>{6, 8}));
  EXPECT_FALSE(
      only(old_node("Relu", 1, {attribute("consumed_inputs", Dims{0})}, {2}), OpKind::Relu).has("consumed_inputs"));
}

TEST(OnnxUpgrade, FlattensForOldSoftmaxes) {
  const std::vector<float> ones(8, 1);
  const Graph matrix = old_node("Softmax", 11, {}, {2, 2, 2});
  EXPECT_EQ(run(matrix, {2, 2, 2}, ones), std::vector<float>(8, 0.25f));
  const Graph last = old_node("Softmax", 11, {attribute("axis", 2)}, {2, 2, 2});
  EXPECT_EQ(last.num_alive_nodes(), 1);
  EXPECT_EQ(run(last, {2, 2, 2}, ones), std::vector<float>(8, 0.5f));
  const Graph log = old_node("LogSoftmax", 1, {attribute("axis", 0)}, {2, 2});
  EXPECT_FLOAT_EQ(run(log, {2, 2}, {1, 1, 1, 1})[0], std::log(0.25f));
  const Graph hard = old_node("Hardmax", 11, {}, {1, 2, 2});
  EXPECT_EQ(run(hard, {1, 2, 2}, {1, 5, 5, 2}), (std::vector<float>{0, 1, 0, 0}));
}

TEST(OnnxUpgrade, FlattensForOldSoftmaxesOfUnknownShape) {
  GraphParts parts;
  parts.nodes = {node("Softmax", {"x"}, {"y"})};
  parts.inputs = {value("x")};
  parts.outputs = {value("y")};
  const Graph graph = read(model(onnx_builder::graph(std::move(parts)), 9));
  EXPECT_EQ(run(graph, {2, 2, 2}, std::vector<float>(8, 1)), std::vector<float>(8, 0.25f));
}

TEST(OnnxUpgrade, TurnsUpsampleIntoResize) {
  const std::vector<float> doubled = {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
  const Dims dims = {1, 1, 2, 2};
  const Graph seven = old_node("Upsample", 7, {attribute("scales", std::vector<float>{1, 1, 2, 2})}, dims);
  EXPECT_EQ(run(seven, dims, {1, 2, 3, 4}), doubled);
  const Graph nine = old_node("Upsample", 9, {}, dims, {tensor<float>("s", {4}, {1, 1, 2, 2})}, {"x", "s"});
  EXPECT_EQ(run(nine, dims, {1, 2, 3, 4}), doubled);
  const Graph one = old_node("Upsample", 1, {attribute("height_scale", 2.0f), attribute("width_scale", 2.0f)}, dims);
  EXPECT_EQ(run(one, dims, {1, 2, 3, 4}), doubled);
  const Graph ten = old_node("Resize", 10, {}, dims, {tensor<float>("s", {4}, {1, 1, 2, 2})}, {"x", "s"});
  EXPECT_EQ(run(ten, dims, {1, 2, 3, 4}), doubled);
  EXPECT_EQ(only(ten, OpKind::Resize).get_string("coordinate_transformation_mode"), "asymmetric");
}

TEST(OnnxUpgrade, DropsTheEmptyInputsOfOldResizes) {
  const Graph graph = old_node(
      "Resize", 11, {}, {1, 1, 2, 2},
      {tensor<float>("roi", {0}, {}), tensor<float>("none", {0}, {}), tensor<std::int64_t>("sizes", {4}, {1, 1, 4, 4})},
      {"x", "roi", "none", "sizes"});
  const Node& node = only(graph, OpKind::Resize);
  EXPECT_EQ(node.input(1), ValueId::None);
  EXPECT_EQ(node.input(2), ValueId::None);
  EXPECT_EQ(run(graph, {1, 1, 2, 2}, {1, 2, 3, 4}).size(), 16u);
}

const Messages& batch_norm_inputs() {
  static const Messages tensors = {tensor<float>("s", {1}, {2}), tensor<float>("b", {1}, {1}),
                                   tensor<float>("m", {1}, {3}), tensor<float>("v", {1}, {4})};
  return tensors;
}

TEST(OnnxUpgrade, RunsOldBatchNormalizationsInInference) {
  const Names inputs = {"x", "s", "b", "m", "v"};
  for (const int version : {6, 7, 9}) {
    Messages attributes = {attribute("epsilon", 0.0f)};
    if (version < 7) attributes.push_back(attribute("is_test", 1));
    const Graph graph =
        old_node("BatchNormalization", version, std::move(attributes), {1, 1, 2}, batch_norm_inputs(), inputs);
    EXPECT_EQ(run(graph, {1, 1, 2}, {3, 7}), (std::vector<float>{1, 5})) << version;
    EXPECT_EQ(only(graph, OpKind::BatchNormalization).get_int("training_mode"), 0);
  }
  const Graph training = old_node("BatchNormalization", 9, {}, {1, 1, 2}, batch_norm_inputs(), inputs,
                                  {"y", "mean", "var", "saved_mean", "saved_var"});
  EXPECT_EQ(only(training, OpKind::BatchNormalization).get_int("training_mode"), 1);
  EXPECT_EQ(only(training, OpKind::BatchNormalization).outputs.size(), 3u);
}

TEST(OnnxUpgrade, NormalizesElementsWhenSpatialIsOff) {
  const Graph graph = old_node("BatchNormalization", 7, {attribute("spatial", 0), attribute("epsilon", 0.0f)}, {1, 2},
                               {tensor<float>("s", {2}, {2, 1}), tensor<float>("b", {2}, {1, 0}),
                                tensor<float>("m", {2}, {3, 0}), tensor<float>("v", {2}, {4, 1})},
                               {"x", "s", "b", "m", "v"});
  EXPECT_EQ(run(graph, {1, 2}, {7, 8}), (std::vector<float>{5, 8}));
}

TEST(OnnxUpgrade, RepeatsGroupScalesForTheChannels) {
  const Graph graph = old_node("GroupNormalization", 18, {attribute("num_groups", 1)}, {1, 2, 1},
                               {tensor<float>("s", {1}, {3}), tensor<float>("b", {1}, {1})}, {"x", "s", "b"});
  const auto y = run(graph, {1, 2, 1}, {-1, 1});
  EXPECT_NEAR(y[0], -2, 1e-3);
  EXPECT_NEAR(y[1], 4, 1e-3);
}

TEST(OnnxUpgrade, TurnsDropoutsRatioIntoAnInput) {
  const Graph graph = old_node("Dropout", 7, {attribute("ratio", 0.25f)}, {2}, {}, {"x"}, {"y", "mask"});
  const Node& node = only(graph, OpKind::Dropout);
  EXPECT_FLOAT_EQ(static_cast<float>(graph.constant(node.input(1))->get_double(0)), 0.25f);
  EXPECT_EQ(only(graph, OpKind::Cast).get_int("to"), 1);  // the mask had the type of the data
  EXPECT_EQ(run(graph, {2}, {1, 2}), (std::vector<float>{1, 2}));
  EXPECT_EQ(run(old_node("Dropout", 6, {attribute("is_test", 1)}, {2}), {2}, {1, 2}), (std::vector<float>{1, 2}));
}

TEST(OnnxUpgrade, RenamesScatterAndModesAndNormOrders) {
  const Graph scatter = old_node("Scatter", 9, {}, {3},
                                 {tensor<std::int64_t>("i", {1}, {1}), tensor<float>("u", {1}, {9})}, {"x", "i", "u"});
  EXPECT_EQ(run(scatter, {3}, {1, 2, 3}), (std::vector<float>{1, 9, 3}));
  const Graph pool = old_node("GlobalLpPool", 1, {attribute("p", 2.0f)}, {1, 1, 2});
  EXPECT_EQ(only(pool, OpKind::GlobalLpPool).get_int("p"), 2);
  const Graph sample =
      old_node("GridSample", 16, {}, {1, 1, 2, 2}, {tensor<float>("g", {1, 1, 1, 2}, {0, 0})}, {"x", "g"});
  EXPECT_EQ(only(sample, OpKind::GridSample).get_string("mode"), "linear");
  const Graph align =
      old_node("RoiAlign", 10, {}, {1, 1, 2, 2},
               {tensor<float>("r", {1, 4}, {0, 0, 1, 1}), tensor<std::int64_t>("i", {1}, {0})}, {"x", "r", "i"});
  EXPECT_EQ(only(align, OpKind::RoiAlign).get_string("coordinate_transformation_mode"), "output_half_pixel");
}

TEST(OnnxUpgrade, MovesTheAxisOfDftToAnInput) {
  const Graph graph = old_node("DFT", 17, {}, {1, 4, 1});
  EXPECT_EQ(input_ints(graph, only(graph, OpKind::DFT), 2), Dims{1});
}

TEST(OnnxUpgrade, TurnsScanWithBatchIntoScanOverTheBatch) {
  GraphParts body;
  body.nodes = {node("Add", {"sum", "item"}, {"total"}), node("Identity", {"total"}, {"seen"})};
  body.inputs = {value("sum", DType::F32, Dims{1}), value("item", DType::F32, Dims{1})};
  body.outputs = {value("total", DType::F32, Dims{1}), value("seen", DType::F32, Dims{1})};
  GraphParts parts;
  parts.nodes = {node("Scan", {"", "init", "x"}, {"final", "all"},
                      {graph_attribute("body", graph(std::move(body))), attribute("num_scan_inputs", 1)}, "scan")};
  parts.inputs = {value("x", DType::F32, Dims{2, 3, 1})};
  parts.outputs = {value("final"), value("all")};
  parts.initializers = {tensor<float>("init", {2, 1}, {0, 100})};
  const Graph graph = read(model(onnx_builder::graph(std::move(parts)), 8));
  const auto outputs = reference::run_tensors(graph, {Tensor::from<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(to_floats(outputs[0]), (std::vector<float>{6, 115}));
  EXPECT_EQ(to_floats(outputs[1]), (std::vector<float>{1, 3, 6, 104, 109, 115}));
  EXPECT_EQ(outputs[1].shape(), (Shape{2, 3, 1}));
}

TEST(OnnxUpgrade, DropsOutputSequenceOfTheFirstRecurrentOperators) {
  const Graph graph =
      old_node("RNN", 1, {attribute("hidden_size", 1), attribute("output_sequence", 1)}, {1, 1, 1},
               {tensor<float>("w", {1, 1, 1}, {1}), tensor<float>("r", {1, 1, 1}, {1})}, {"x", "w", "r"});
  EXPECT_FALSE(only(graph, OpKind::RNN).has("output_sequence"));
}

}  // namespace
}  // namespace adze
