#include "adze/plan/lower_integers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"

namespace adze {
namespace {

/// Small QDQ graphs: every activation s8, made by a seeded generator.
class Builder {
 public:
  explicit Builder(std::string profile, std::uint64_t seed = 1) : random_(seed) {
    graph.metadata["adze.rounding"] = std::move(profile);
  }

  ValueId input(Shape shape, float scale, std::int8_t zero_point) {
    const ValueId stored = graph.add_input(graph.unique_name("x"), ValueType::tensor(DType::S8, symbolic(shape)));
    return dequantized(stored, scale, zero_point);
  }
  ValueId dequantized(ValueId stored, float scale, std::int8_t zero_point) {
    return graph.add(OpKind::DequantizeLinear,
                     {stored, constant(Tensor::scalar(scale)), constant(Tensor::scalar(zero_point))});
  }
  /// s8 weights with one scale per output channel, along axis.
  ValueId weights(Shape shape, std::int64_t axis = 0) {
    Tensor tensor(DType::S8, shape);
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      tensor.set_int(i, static_cast<std::int64_t>(random_.below(255)) - 127);
    const std::int64_t channels = shape[static_cast<std::size_t>(axis)];
    Tensor scales(DType::F32, {channels});
    for (std::int64_t i = 0; i < channels; ++i) scales.set_double(i, 0.002 + 0.001 * static_cast<double>(i));
    return graph.add(OpKind::DequantizeLinear,
                     {constant(tensor), constant(scales), constant(Tensor(DType::S8, {channels}))}, {{"axis", axis}});
  }
  ValueId constant(Tensor tensor) { return graph.add_constant(graph.unique_name("c"), std::move(tensor)); }
  void output(ValueId real, float scale, std::int8_t zero_point) {
    graph.add_output(graph.add(OpKind::QuantizeLinear,
                               {real, constant(Tensor::scalar(scale)), constant(Tensor::scalar(zero_point))}));
  }
  Tensor random_tensor(const Shape& shape) {
    Tensor tensor(DType::S8, shape);
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      tensor.set_int(i, static_cast<std::int64_t>(random_.below(256)) - 128);
    return tensor;
  }

  Graph graph;

 private:
  Random random_;
};

bool has(const Graph& graph, OpKind kind) {
  return std::ranges::any_of(graph.node_ids(), [&](NodeId id) { return graph.node(id).kind == kind; });
}

/// The lowered graph against the float graph: the largest difference of any output, in steps.
int difference(Builder& builder, const std::vector<Shape>& inputs, const Graph& lowered) {
  std::vector<Tensor> values;
  for (const Shape& shape : inputs) values.push_back(builder.random_tensor(shape));
  const auto expected = reference::run_tensors(builder.graph, values);
  const auto found = reference::run_tensors(lowered, values);
  int worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(type_text(expected[i]), type_text(found[i]));
    for (std::int64_t k = 0; k < expected[i].size(); ++k) {
      worst = std::max(worst, static_cast<int>(std::abs(expected[i].get_int(k) - found[i].get_int(k))));
    }
  }
  return worst;
}

/// Lowers, checks that only the integer operator is left, and returns the difference in steps.
int lowered_difference(Builder& builder, const std::vector<Shape>& inputs, OpKind kind) {
  infer_types(builder.graph);
  verify(builder.graph);
  const Graph lowered = lower_integers(builder.graph);
  verify(lowered);
  EXPECT_TRUE(has(lowered, kind)) << op_name(kind);
  EXPECT_FALSE(has(lowered, OpKind::QuantizeLinear));
  EXPECT_FALSE(has(lowered, OpKind::DequantizeLinear));
  return difference(builder, inputs, lowered);
}

const std::vector<std::string> profiles = {"tflm", "litert", "onnx"};

TEST(LowerIntegers, ConvolutionWithGroupsPadsAndReluIsOneOperator) {
  for (const std::string& profile : profiles) {
    Builder b(profile);
    const ValueId x = b.input({2, 4, 5, 6}, 0.02f, -7);
    const ValueId bias = b.constant(Tensor::from<float>({6}, {1, -1, 0.5f, 0, 2, -2}));
    const ValueId y = b.graph.add(OpKind::Conv, {x, b.weights({6, 2, 3, 3}), bias},
                                  {{"group", std::int64_t{2}},
                                   {"pads", std::vector<std::int64_t>{0, 1, 1, 1}},
                                   {"strides", std::vector<std::int64_t>{2, 1}}});
    b.output(b.graph.add(OpKind::Relu, {y}), 0.05f, -30);
    EXPECT_LE(lowered_difference(b, {{2, 4, 5, 6}}, OpKind::QConv), 1) << profile;
  }
}

TEST(LowerIntegers, LinearLayersBecomeOneOperatorInEveryForm) {
  for (const std::string& profile : profiles) {
    Builder gemm(profile);
    const ValueId x = gemm.input({3, 8}, 0.05f, 4);
    gemm.output(gemm.graph.add(OpKind::Gemm, {x, gemm.weights({5, 8})}, {{"transB", std::int64_t{1}}}), 0.1f, 0);
    EXPECT_LE(lowered_difference(gemm, {{3, 8}}, OpKind::QGemm), 1) << profile;
    Builder matmul(profile);
    const ValueId a = matmul.input({2, 3, 8}, 0.05f, 4);
    const ValueId product = matmul.graph.add(OpKind::MatMul, {a, matmul.weights({8, 5}, 1)});
    const ValueId sum =
        matmul.graph.add(OpKind::Add, {product, matmul.constant(Tensor::from<float>({5}, {1, 2, 3, 4, 5}))});
    matmul.output(sum, 0.1f, 0);
    EXPECT_LE(lowered_difference(matmul, {{2, 3, 8}}, OpKind::QGemm), 1) << profile;
    Builder batched(profile);
    const ValueId left = batched.input({2, 3, 4}, 0.05f, 4), right = batched.input({4, 2}, 0.02f, -4);
    batched.output(batched.graph.add(OpKind::MatMul, {left, right}), 0.1f, 0);
    EXPECT_LE(lowered_difference(batched, {{2, 3, 4}, {4, 2}}, OpKind::QMatMul), 1) << profile;
  }
}

TEST(LowerIntegers, ProductsOfTwoActivationsFindThemThroughMovement) {
  for (const std::string& profile : profiles) {
    Builder b(profile);
    const auto heads = [&](ValueId x, std::vector<std::int64_t> perm) {
      const ValueId shape = b.constant(Tensor::from<std::int64_t>({3}, {3, 2, 4}));
      return b.graph.add(OpKind::Transpose, {b.graph.add(OpKind::Reshape, {x, shape})}, {{"perm", std::move(perm)}});
    };
    const ValueId left = heads(b.input({3, 8}, 0.05f, 4), {1, 0, 2});
    const ValueId right = heads(b.input({3, 8}, 0.02f, -4), {1, 2, 0});
    b.output(b.graph.add(OpKind::MatMul, {left, right}), 0.1f, 0);
    EXPECT_LE(lowered_difference(b, {{3, 8}, {3, 8}}, OpKind::QMatMul), 1) << profile;
  }
}

TEST(LowerIntegers, UnsignedWeightsAroundTheMiddleBecomeSigned) {
  for (const std::int64_t zero_point : {128, 100}) {
    Builder b("onnx");
    Tensor stored(DType::U8, {4, 3});
    for (std::int64_t i = 0; i < stored.size(); ++i) stored.set_int(i, 23 * i);
    const ValueId w = b.graph.add(OpKind::DequantizeLinear, {b.constant(stored), b.constant(Tensor::scalar(0.02f)),
                                                             b.constant(Tensor::scalar(std::uint8_t(zero_point)))});
    b.output(b.graph.add(OpKind::MatMul, {b.input({2, 4}, 0.05f, 4), w}), 0.1f, 0);
    infer_types(b.graph);
    const Graph lowered = lower_integers(b.graph);
    const Node& product = *lowered.producer_of(lowered.outputs()[0]);
    ASSERT_EQ(product.kind, OpKind::QGemm);
    const bool fits = zero_point == 128;
    EXPECT_EQ(lowered.constant(product.input(1))->dtype(), fits ? DType::S8 : DType::U8);
    EXPECT_EQ(product.get_int("w_zero_point"), fits ? 0 : zero_point);
    EXPECT_LE(difference(b, {{2, 4}}, lowered), 1);
  }
}

TEST(LowerIntegers, LinearResizeWorksOnStoredNumbers) {
  for (const std::string& profile : profiles) {
    Builder b(profile);
    const ValueId x = b.input({1, 2, 4, 5}, 0.05f, 4);
    const ValueId scales = b.constant(Tensor::from<float>({4}, {1, 1, 2, 1.5f}));
    b.output(b.graph.add(OpKind::Resize, {x, ValueId::None, scales}, {{"mode", std::string("linear")}}), 0.05f, 4);
    EXPECT_LE(lowered_difference(b, {{1, 2, 4, 5}}, OpKind::Resize), 1) << profile;
  }
}

TEST(LowerIntegers, ArithmeticIsLoweredWithBroadcasting) {
  const std::pair<OpKind, OpKind> kinds[] = {
      {OpKind::Add, OpKind::QAdd}, {OpKind::Sub, OpKind::QSub}, {OpKind::Mul, OpKind::QMul}};
  for (const auto& [real, integer] : kinds) {
    for (const std::string& profile : profiles) {
      Builder b(profile);
      const ValueId left = b.input({2, 3, 4}, 0.05f, 4), right = b.input({3, 1}, 0.02f, -4);
      b.output(b.graph.add(real, {left, right}), 0.06f, 10);
      const int worst = lowered_difference(b, {{2, 3, 4}, {3, 1}}, integer);
      EXPECT_LE(worst, profile == "onnx" ? 0 : 1) << profile;  // float32 as QDQ computes it: the same bits
    }
  }
}

TEST(LowerIntegers, PoolsMeansAndSoftmaxAreLowered) {
  for (const std::string& profile : profiles) {
    Builder pool(profile);
    pool.output(pool.graph.add(OpKind::AveragePool, {pool.input({1, 2, 5, 5}, 0.1f, 3)},
                               {{"kernel_shape", std::vector<std::int64_t>{3, 3}},
                                {"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}),
                0.1f, 3);
    EXPECT_LE(lowered_difference(pool, {{1, 2, 5, 5}}, OpKind::QAveragePool), 1) << profile;
    Builder mean(profile);
    mean.output(mean.graph.add(OpKind::GlobalAveragePool, {mean.input({2, 3, 4, 5}, 0.1f, 3)}), 0.05f, -3);
    EXPECT_LE(lowered_difference(mean, {{2, 3, 4, 5}}, OpKind::QReduceMean), 1) << profile;
    Builder softmax(profile);
    softmax.output(softmax.graph.add(OpKind::Softmax, {softmax.input({4, 10}, 0.1f, 3)}, {{"axis", std::int64_t{1}}}),
                   1.0f / 256, -128);
    EXPECT_LE(lowered_difference(softmax, {{4, 10}}, OpKind::QSoftmax), 1) << profile;
  }
}

TEST(LowerIntegers, FunctionsOfOneNumberBecomeTables) {
  for (const OpKind kind : {OpKind::Sigmoid, OpKind::Tanh, OpKind::HardSwish, OpKind::LeakyRelu, OpKind::Elu,
                            OpKind::Exp, OpKind::Abs, OpKind::Gelu}) {
    for (const std::string& profile : profiles) {
      Builder b(profile);
      b.output(b.graph.add(kind, {b.input({256}, 0.03f, 3)}), 1.0f / 64, 0);
      EXPECT_LE(lowered_difference(b, {{256}}, OpKind::QTable), 1) << op_name(kind) << " " << profile;
    }
  }
}

TEST(LowerIntegers, MovementWorksOnTheStoredTensor) {
  Builder b("tflm");
  const ValueId x = b.input({2, 3, 4}, 0.1f, 3);
  b.output(b.graph.add(OpKind::Transpose, {x}, {{"perm", std::vector<std::int64_t>{2, 0, 1}}}), 0.1f, 3);
  EXPECT_EQ(lowered_difference(b, {{2, 3, 4}}, OpKind::Transpose), 0);
  Builder rescaled("tflm");
  const ValueId z = rescaled.input({2, 3, 4}, 0.1f, 3);
  rescaled.output(rescaled.graph.add(OpKind::Transpose, {z}, {{"perm", std::vector<std::int64_t>{2, 0, 1}}}), 0.2f, -3);
  EXPECT_LE(lowered_difference(rescaled, {{2, 3, 4}}, OpKind::QRequantize), 1);
}

TEST(LowerIntegers, AProductIsFoundBehindMovement) {
  for (const std::string& profile : profiles) {
    Builder b(profile);
    const ValueId x = b.input({1, 2, 6, 4}, 0.05f, 3);
    const ValueId turned = b.graph.add(OpKind::Transpose, {x}, {{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}});
    const ValueId flat = b.graph.add(OpKind::Reshape, {turned, b.constant(Tensor::ints({1, 6, 8}))});
    b.output(b.graph.add(OpKind::MatMul, {flat, b.weights({8, 5}, 1)}), 0.1f, -4);
    EXPECT_LE(lowered_difference(b, {{1, 2, 6, 4}}, OpKind::QGemm), 1) << profile;
  }
}

TEST(LowerIntegers, ConcatenationRescalesOnlyWhatDiffers) {
  Builder b("onnx");
  const ValueId left = b.input({2, 3}, 0.1f, 3), right = b.input({2, 5}, 0.05f, -3);
  b.output(b.graph.add(OpKind::Concat, {left, right}, {{"axis", std::int64_t{1}}}), 0.1f, 3);
  EXPECT_LE(lowered_difference(b, {{2, 3}, {2, 5}}, OpKind::QRequantize), 0);
}

TEST(LowerIntegers, PadFillsWithTheZeroPoint) {
  Builder b("tflm");
  const ValueId x = b.input({2, 3}, 0.1f, 3);
  b.output(b.graph.add(OpKind::Pad, {x, b.constant(Tensor::ints({0, 1, 1, 0}))}), 0.1f, 3);
  EXPECT_EQ(lowered_difference(b, {{2, 3}}, OpKind::Pad), 0);
}

TEST(LowerIntegers, SplitIsLoweredWhenAllItsPartsAreRead) {
  Builder b("tflm");
  const ValueId x = b.input({2, 4}, 0.1f, 3);
  const ValueId first =
      b.graph.add(OpKind::Split, {x}, {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{2}}}, "split", 2);
  b.output(first, 0.1f, 3);
  b.output(static_cast<ValueId>(static_cast<int>(first) + 1), 0.1f, 3);
  EXPECT_EQ(lowered_difference(b, {{2, 4}}, OpKind::Split), 0);
}

TEST(LowerIntegers, AGroupThatCannotBeLoweredStaysInFloat) {
  Builder b("onnx");
  const ValueId x = b.input({2, 4}, 0.1f, 3), y = b.input({2, 4}, 0.1f, 3);
  b.output(b.graph.add(OpKind::Div, {x, y}), 0.1f, 3);
  infer_types(b.graph);
  const Graph lowered = lower_integers(b.graph);
  EXPECT_TRUE(has(lowered, OpKind::Div));
  EXPECT_TRUE(has(lowered, OpKind::QuantizeLinear));
}

TEST(LowerIntegers, AFloatValueThatSomebodyElseReadsStays) {
  Builder b("onnx");
  const ValueId x = b.input({2, 4}, 0.1f, 3);
  const ValueId sum = b.graph.add(OpKind::Add, {x, x});
  b.output(sum, 0.2f, 3);
  b.graph.add_output(sum);
  infer_types(b.graph);
  EXPECT_TRUE(has(lower_integers(b.graph), OpKind::Add));
}

TEST(LowerIntegers, QuantizedValuesKeepTheirNamesAndOtherBatchesRun) {
  Builder b("tflm");
  const ValueId x = b.input({1, 3, 4, 4}, 0.1f, 3);
  b.output(b.graph.add(OpKind::Conv, {x, b.weights({2, 3, 3, 3})}), 0.3f, 0);
  infer_types(b.graph);
  const std::string name = b.graph.value(b.graph.outputs()[0]).name;
  const Graph lowered = lower_integers(b.graph);
  EXPECT_EQ(lowered.value(lowered.outputs()[0]).name, name);
  EXPECT_EQ(reference::run_tensors(lowered, {b.random_tensor({5, 3, 4, 4})})[0].shape(), (Shape{5, 2, 2, 2}));
}

TEST(RoundingProfile, AnUnknownWordIsRefused) {
  Graph graph;
  EXPECT_EQ(rounding_profile(graph), RoundingProfile::Onnx);
  graph.metadata["adze.rounding"] = "up";
  EXPECT_THROW(rounding_profile(graph), ModelError);
}

}  // namespace
}  // namespace adze
