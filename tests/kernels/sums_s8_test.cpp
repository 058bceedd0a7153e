// DynamicQuantizeLinear, MatMulInteger and ConvInteger, and the floats that follow them; weights with zero points.
#include "adze/engine/steps/sums_s8.h"

#include <algorithm>

#include "adze/graph/edit.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

DType either_byte(Random& random) {
  return random.below(2) == 0 ? DType::S8 : DType::U8;
}

Tensor random_zero_point(DType dtype, Shape shape, Random& random) {
  Tensor tensor(dtype, std::move(shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.set_int(i, pick(random, integer_min(dtype), integer_max(dtype)));
  }
  return tensor;
}

/// With constant weights: an activation's zero point known at run time only; weights with one zero point of any size,
/// or with several that leave 8 bits.
void check_matmul(const Shape& left, const Shape& right, bool constant, Random& random) {
  const DType a = either_byte(random), b = either_byte(random);
  Node node;
  node.kind = OpKind::MatMulInteger;
  std::vector<std::pair<Tensor, bool>> operands = {{random_bytes(a, left, random), false},
                                                   {random_bytes(b, right, random), constant}};
  if (random.below(4) != 0) operands.emplace_back(random_zero_point(a, {}, random), random.below(2) == 0);
  if (operands.size() == 3 && random.below(2) == 0) {
    operands.emplace_back(random_zero_point(b, {}, random), constant || random.below(2) == 0);
    if (constant && random.below(2) == 0) {
      Tensor zero_points(DType::S8, {right.back()});
      operands[1].first = random_bytes(DType::S8, right, random);
      for (std::int8_t& value : operands[1].first.mutable_data<std::int8_t>())
        value = static_cast<std::int8_t>(value / 2);
      for (std::int8_t& value : zero_points.mutable_data<std::int8_t>()) {
        value = static_cast<std::int8_t>(pick(random, -60, 60));
      }
      operands[3] = {zero_points, true};
    }
  }
  expect_same_bytes(node, operands);
}

TEST(MatMulInteger, EqualsTheReferenceWithConstantWeights) {
  Random random(41);
  for (int round = 0; round < 30; ++round) {
    const std::int64_t depth = pick(random, 1, 50);
    check_matmul({pick(random, 1, 3), pick(random, 1, 20), depth}, {depth, pick(random, 1, 150)}, true, random);
  }
  check_matmul({300, 64}, {64, 130}, true, random);
}

TEST(MatMulInteger, EqualsTheReferenceOnTwoActivations) {
  Random random(42);
  for (int round = 0; round < 30; ++round) {
    const std::int64_t depth = pick(random, 1, 50), batch = pick(random, 1, 4);
    check_matmul({batch, pick(random, 1, 20), depth}, {batch, depth, pick(random, 1, 70)}, false, random);
  }
  check_matmul({2, 128, 64}, {2, 64, 128}, false, random);
}

TEST(ConvInteger, EqualsTheReferenceOnRandomShapes) {
  Random random(43);
  for (int round = 0; round < 40; ++round) {
    const std::int64_t groups = random.below(3) == 0 ? pick(random, 2, 4) : 1, inputs = pick(random, 1, 9);
    const std::int64_t outputs = groups * pick(random, 1, 20), kernel = pick(random, 1, 3);
    const DType x = either_byte(random), w = either_byte(random);
    Node node;
    node.kind = OpKind::ConvInteger;
    node.set("group", groups);
    const std::int64_t pad = pick(random, 0, kernel - 1);
    node.set("pads", std::vector<std::int64_t>{pad, 0, pad, pad});
    node.set("strides", std::vector<std::int64_t>{pick(random, 1, 2), pick(random, 1, 2)});
    std::vector<std::pair<Tensor, bool>> operands = {
        {random_bytes(x, {pick(random, 1, 2), groups * inputs, pick(random, 3, 9), pick(random, 3, 9)}, random), false},
        {random_bytes(w, {outputs, inputs, kernel, kernel}, random), true}};
    if (random.below(4) != 0) operands.emplace_back(random_zero_point(x, {}, random), random.below(2) == 0);
    if (operands.size() == 3 && random.below(2) == 0) operands.emplace_back(random_zero_point(w, {}, random), true);
    expect_same_bytes(node, operands);
  }
}

/// Unsigned weights, or signed ones around another number than zero, as some exporters have them.
TEST(QConv, EqualsTheReferenceWhereWeightsHaveAZeroPoint) {
  Random random(46);
  for (const RoundingProfile profile : all_profiles) {
    for (int round = 0; round < 12; ++round) {
      const std::int64_t groups = pick(random, 1, 2), inputs = pick(random, 1, 9), kernel = pick(random, 1, 3);
      const std::int64_t outputs = groups * pick(random, 1, 20);
      const DType x = either_byte(random), w = either_byte(random);
      Node node;
      node.kind = OpKind::QConv;
      node.set("group", groups);
      node.set("pads", std::vector<std::int64_t>{kernel - 1, 0, 0, kernel - 1});
      node.set("rounding", std::string(rounding_name(profile)));
      node.set("x_scale", 0.02f);
      node.set("x_zero_point", pick(random, integer_min(x), integer_max(x)));
      node.set("w_scales", std::vector<float>{0.01f});
      node.set("w_zero_point", pick(random, integer_min(w), integer_max(w)));
      set_output(node, either_byte(random), 0.1f, random);
      Tensor bias(DType::S32, {outputs});
      for (std::int64_t o = 0; o < outputs; ++o) bias.set_int(o, pick(random, -10000, 10000));
      expect_same_bytes(node, {{random_bytes(x, {2, groups * inputs, 7, 5}, random), false},
                               {random_bytes(w, {outputs, inputs, kernel, kernel}, random), true},
                               {bias, true}});
      Node gemm = node;
      gemm.kind = OpKind::QGemm;
      const bool rows = random.below(2) == 0;
      gemm.set("transB", std::int64_t{rows});
      for (const char* name : {"group", "pads"}) gemm.erase(name);
      expect_same_bytes(gemm, {{random_bytes(x, {2, 7, inputs}, random), false},
                               {random_bytes(w, rows ? Shape{outputs, inputs} : Shape{inputs, outputs}, random), true},
                               {bias, true}});
    }
  }
}

TEST(DynamicQuantizeLinear, EqualsTheReferenceForAnyRange) {
  Random random(44);
  for (const std::int64_t count : {1, 15, 16, 64, 100, 40000}) {
    for (const float offset : {-5.0f, 0.0f, 5.0f}) {
      Tensor x = random_floats({1, count}, random, 2.0);
      for (float& value : x.mutable_data<float>()) value += offset;
      if (count == 100) x.mutable_data<float>()[17] = std::nanf("");
      if (count == 15) std::ranges::fill(x.mutable_data<float>(), 0.0f);
      Graph graph;
      Node node;
      node.kind = OpKind::DynamicQuantizeLinear;
      node.inputs = {graph.add_input("x", ValueType::tensor(DType::F32, symbolic(x.shape())))};
      for (const char* name : {"y", "scale", "zero_point"}) node.outputs.push_back(graph.add_value(name));
      graph.add_node(node);
      for (const ValueId output : node.outputs) graph.add_output(output);
      infer_types(graph);
      const std::vector<Tensor> expected = reference::run_tensors(graph, std::vector<Tensor>{x});
      for (const Isa isa : machine_isas()) {
        SessionOptions options;
        options.isa = isa_name(isa);
        options.threads = 2;
        Session session(graph, options);
        EXPECT_NE(session.steps().front().kernel, "reference");
        const std::vector<Tensor> actual = session.run(std::vector<Tensor>{x});
        for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(identical(actual[i], expected[i])) << isa_name(isa) << " " << i;
      }
    }
  }
}

/// Quantization, product, scales and bias, as exporters write them.
Graph dynamic_layer(bool conv, bool per_channel, bool with_bias, Random& random) {
  Graph graph;
  const std::int64_t outputs = 21, inputs = 6;
  const Shape x = conv ? Shape{2, inputs, 7, 5} : Shape{2, 9, inputs};
  const Shape channels = conv ? Shape{outputs, 1, 1} : Shape{outputs};
  Node quantize;
  quantize.kind = OpKind::DynamicQuantizeLinear;
  quantize.inputs = {graph.add_input("x", ValueType::tensor(DType::F32, symbolic(x)))};
  for (const char* name : {"codes", "scale", "zero_point"}) quantize.outputs.push_back(graph.add_value(name));
  graph.add_node(quantize);
  const ValueId w = graph.add_constant(
      "w", random_bytes(DType::U8, conv ? Shape{outputs, inputs, 3, 3} : Shape{inputs, outputs}, random));
  const ValueId w_zero = graph.add_constant("w_zero", Tensor::scalar(std::uint8_t{91}));
  const ValueId sums = graph.add(conv ? OpKind::ConvInteger : OpKind::MatMulInteger,
                                 {quantize.outputs[0], w, quantize.outputs[2], w_zero}, {}, "sums");
  const ValueId real = graph.add(OpKind::Cast, {sums}, {{"to", static_cast<std::int64_t>(DType::F32)}}, "real");
  const ValueId w_scale = graph.add_constant("w_scale", random_floats(per_channel ? channels : Shape{1}, random, 0.1));
  const ValueId scale = graph.add(OpKind::Mul, {quantize.outputs[1], w_scale}, {}, "both_scales");
  ValueId y = graph.add(OpKind::Mul, {real, scale}, {}, "scaled");
  if (with_bias) {
    y = graph.add(OpKind::Add, {graph.add_constant("bias", random_floats(channels, random)), y}, {}, "biased");
  }
  graph.add_output(y);
  infer_types(graph);
  return graph;
}

TEST(DynamicLayer, IsOneStepAfterItsQuantizationAndGivesTheSameBits) {
  Random random(45);
  for (int form = 0; form < 8; ++form) {
    const Graph graph = dynamic_layer((form & 1) != 0, (form & 2) != 0, (form & 4) != 0, random);
    const Shape shape = *concrete(*graph.value(graph.inputs()[0]).type.shape);
    const std::vector<Tensor> inputs = {random_floats(shape, random, 3.0)};
    const Tensor expected = reference::run_tensors(graph, inputs).at(0);
    for (const Isa isa : machine_isas()) {
      for (const int threads : {1, 2}) {
        SessionOptions options;
        options.isa = isa_name(isa);
        options.threads = threads;
        Session session(graph, options);
        EXPECT_TRUE(identical(session.run(inputs).at(0), expected)) << isa_name(isa) << " " << form;
        for (const StepInfo& step : session.steps()) {
          EXPECT_NE(step.kernel, "reference") << step.op;
          EXPECT_NE(step.op, "Cast");
          EXPECT_NE(step.op, "Add");
        }
      }
    }
  }
}

}  // namespace
}  // namespace adze
