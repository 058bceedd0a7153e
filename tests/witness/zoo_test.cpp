// Whole networks of the zoo in the engine and in ONNX Runtime: the same floats, and the same codes when quantized.
#include "adze/zoo/zoo.h"

#include <cmath>

#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/graph/infer.h"
#include "tests/witness/onnxruntime.h"

namespace adze {
namespace {

class ZooWitness : public testing::OnnxRuntimeTest, public ::testing::WithParamInterface<const char*> {};

/// The codes of the count-th quantization (or of the last one) as the only output.
Graph up_to_quantization(Graph graph, int count = 1 << 30) {
  for (const NodeId id : graph.node_ids()) {  // in the order of computation
    if (graph.node(id).kind != OpKind::QuantizeLinear) continue;
    graph.set_outputs({graph.node(id).output()});
    if (--count == 0) break;
  }
  graph.compact();
  return graph;
}

struct CodeDifference {
  double equal = 0;  ///< share of codes that are the same
  double mean = 0;   ///< of the absolute differences
};

CodeDifference difference_of(const Tensor& ours, const Tensor& theirs) {
  EXPECT_EQ(ours.dtype(), theirs.dtype());
  EXPECT_EQ(ours.shape(), theirs.shape());
  CodeDifference result;
  for (std::int64_t i = 0; i < ours.size(); ++i) {
    const std::int64_t difference = std::abs(ours.get_int(i) - theirs.get_int(i));
    result.equal += difference == 0 ? 1 : 0;
    result.mean += static_cast<double>(difference);
  }
  result.equal /= static_cast<double>(ours.size());
  result.mean /= static_cast<double>(ours.size());
  return result;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double result = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a.get_double(i) - b.get_double(i)));
  return result;
}

double largest_value(const Tensor& tensor) {
  double result = 0;
  for (std::int64_t i = 0; i < tensor.size(); ++i) result = std::max(result, std::abs(tensor.get_double(i)));
  return result;
}

TEST_P(ZooWitness, AgreesInFloat) {
  const Graph graph = zoo::build(GetParam());
  const std::vector<Tensor> inputs = random_inputs(graph, 1);
  const Tensor theirs = run_witness(graph, inputs).at(0), ours = Session(graph).run(inputs).at(0);
  ASSERT_EQ(ours.shape(), theirs.shape());
  EXPECT_LE(largest_difference(ours, theirs), 1e-5 * largest_value(theirs));
}

/// Against each operator as written. A tie that falls the other way deep in a network of random weights spreads, so
/// equality is asked for in the first layers, and nearness at the end.
TEST_P(ZooWitness, GivesTheSameCodesWhenQuantized) {
  const Graph graph = zoo::build(GetParam(), {.quantized = true});
  const std::vector<Tensor> inputs = random_inputs(graph, 1);
  for (const int count : {18, 1 << 30}) {
    const Graph part = up_to_quantization(graph, count);
    const Tensor theirs = run_witness(part, inputs, "disabled").at(0);
    const CodeDifference difference = difference_of(Session(part).run(inputs).at(0), theirs);
    EXPECT_GE(difference.equal, count == 18 ? 0.999 : 0.4);
    EXPECT_LE(difference.mean, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooWitness,
                         ::testing::Values("resnet8", "dscnn", "mobilenetv1_025_96", "fcae",
                                           "mobilenetv2,resolution=64,width=0.5", "mobilenetv3s,resolution=96",
                                           "squeezenet11,resolution=96,width=0.5", "resnet50,resolution=64,width=0.25",
                                           "efficientnetb0,resolution=64,width=0.5", "resnet20", "dscnn_m,width=0.25",
                                           "vggsmall,width=0.1", "lenet5", "mobilenetv3l,resolution=64,width=0.5"));

using ZooFloat = testing::OnnxRuntimeTest;

TEST_F(ZooFloat, Agrees) {
  for (const char* name : {"seresnet50,resolution=64,width=0.125,batch_norm", "resnext50,resolution=64,width=0.125",
                           "mobilenetv2_32,width=0.5,batch_norm", "squeezenet10,resolution=96,width=0.25", "lstm",
                           "gru", "resnet32,train,batch=2"}) {
    const Graph graph = zoo::build(name);
    const std::vector<Tensor> inputs = random_inputs(graph, 1);
    const Tensor theirs = run_witness(graph, inputs).at(0), ours = Session(graph).run(inputs).at(0);
    EXPECT_LE(largest_difference(ours, theirs), 2e-5 * largest_value(theirs)) << name;
  }
}

TEST_F(ZooFloat, AgreesOnTokens) {
  const Graph graph = zoo::build("gpt,layers=2,context=16");
  const std::vector<Tensor> tokens = {
      Tensor::from<std::int64_t>({1, 16}, {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 64, 0})};
  const Tensor theirs = run_witness(graph, tokens).at(0), ours = Session(graph).run(tokens).at(0);
  EXPECT_LE(largest_difference(ours, theirs), 2e-5 * largest_value(theirs));
}

using ZooEncoder = testing::OnnxRuntimeTest;

TEST_F(ZooEncoder, AgreesInFloat) {
  const Graph graph = zoo::build("encoder4x256");
  const std::vector<Tensor> inputs = random_inputs(graph, 1);
  const Tensor theirs = run_witness(graph, inputs).at(0), ours = Session(graph).run(inputs).at(0);
  EXPECT_LE(largest_difference(ours, theirs), 1e-5 * largest_value(theirs));
}

/// The DequantizeLinear that a value comes from through movement; null: another operator computes it.
const Node* source_of(const Graph& graph, ValueId value) {
  const Node* node = graph.producer_of(value);
  while (node != nullptr && (node->kind == OpKind::Reshape || node->kind == OpKind::Transpose)) {
    node = graph.producer_of(node->input(0));
  }
  return node != nullptr && node->kind == OpKind::DequantizeLinear ? node : nullptr;
}

/// Each quantized product of two activations as a QLinearMatMul, which ONNX Runtime adds up in integers. As floats the
/// products of this network are nothing to compare with: by the scales 1/256 and equal ones one sum in 256 lies exactly
/// halfway between two codes, and the error of the float sum decides.
Graph with_integer_products(Graph graph) {
  for (const NodeId id : graph.node_ids()) {
    const Node quantize = graph.node(id);
    if (quantize.kind != OpKind::QuantizeLinear) continue;
    const Node* product = graph.producer_of(quantize.input(0));
    if (product == nullptr || product->kind != OpKind::MatMul) continue;
    const Node *a = source_of(graph, product->input(0)), *b = source_of(graph, product->input(1));
    if (a == nullptr || b == nullptr || graph.constant(a->input(0)) || graph.constant(b->input(0))) continue;
    std::vector<ValueId> inputs;
    for (const auto& [value, from] : {std::pair{product->input(0), a}, std::pair{product->input(1), b}}) {
      inputs.insert(inputs.end(), {value, from->input(1), from->input(2)});
    }
    inputs.insert(inputs.end(), {quantize.input(1), quantize.input(2)});
    for (const std::size_t i : {std::size_t{0}, std::size_t{3}}) {  // gives the codes again
      inputs[i] = graph.add(OpKind::QuantizeLinear, {inputs[i], inputs[i + 1], inputs[i + 2]});
    }
    Node node;
    node.kind = OpKind::QLinearMatMul;
    node.inputs = std::move(inputs);
    node.outputs = quantize.outputs;
    graph.remove_node(id);
    graph.add_node(std::move(node));
  }
  infer_types(graph);
  graph.compact();
  return graph;
}

/// Two blocks, each operator as written: ONNX Runtime's fused softmax on codes rounds differently, and the small codes
/// of the attention turn one step into many.
TEST_F(ZooEncoder, GivesTheSameCodesWhenQuantized) {
  const Graph graph = up_to_quantization(zoo::build("encoder4x256,int8"), 32);
  const std::vector<Tensor> inputs = random_inputs(graph, 1);
  const Tensor theirs = run_witness(with_integer_products(graph), inputs, "disabled").at(0);
  EXPECT_GE(difference_of(Session(graph).run(inputs).at(0), theirs).equal, 0.999);
}

}  // namespace
}  // namespace adze
