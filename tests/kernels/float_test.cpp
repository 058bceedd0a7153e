#include "adze/engine/kernels/conv_f32/conv_f32.h"
#include "adze/engine/kernels/gemm_f32/gemm_f32.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

double worst_tolerance() {
  double worst = 0.0;
  for (const auto& kernel : kernels::conv_f32_kernels()) worst = std::max(worst, kernel.tolerance);
  for (const auto& kernel : kernels::gemm_f32_kernels()) worst = std::max(worst, kernel.tolerance);
  return worst;
}

TEST(ConvF32, StaysWithinItsToleranceOnRandomShapes) {
  Random random(41);
  for (int round = 0; round < 40; ++round) {
    const bool depthwise = random.below(3) == 0;
    const std::int64_t groups = depthwise ? pick(random, 1, 20) : pick(random, 1, 2);
    const std::int64_t inputs = depthwise ? 1 : pick(random, 1, 17), outputs = depthwise ? 1 : pick(random, 1, 20);
    const std::vector<std::int64_t> kernel = {pick(random, 1, 3), pick(random, 1, 3)};
    Node node;
    node.kind = OpKind::Conv;
    node.set("group", groups);
    node.set("strides", std::vector<std::int64_t>{pick(random, 1, 2), pick(random, 1, 2)});
    node.set("dilations", std::vector<std::int64_t>{pick(random, 1, 2), pick(random, 1, 2)});
    if (random.below(3) == 0) {
      node.set("auto_pad", std::string("SAME_UPPER"));
    } else {
      node.set("pads", std::vector<std::int64_t>{kernel[0] - 1, kernel[1] - 1, kernel[0] - 1, kernel[1] - 1});
    }
    std::vector<std::pair<Tensor, bool>> operands = {
        {random_floats({pick(random, 1, 2), groups * inputs, pick(random, 1, 8), pick(random, 1, 8)}, random), false},
        {random_floats({groups * outputs, inputs, kernel[0], kernel[1]}, random), true}};
    if (random.below(2) == 0) operands.emplace_back(random_floats({groups * outputs}, random), true);
    expect_close(node, operands, worst_tolerance());
  }
}

TEST(GemmF32, StaysWithinItsToleranceOnRandomShapes) {
  Random random(42);
  for (int round = 0; round < 20; ++round) {
    const std::int64_t m = pick(random, 1, 9), k = pick(random, 1, 70), n = pick(random, 1, 40);
    Node gemm;
    gemm.kind = OpKind::Gemm;
    gemm.set("alpha", 0.5f);
    gemm.set("beta", 2.0f);
    gemm.set("transB", std::int64_t{round % 2});
    const Shape w = round % 2 == 0 ? Shape{k, n} : Shape{n, k};
    expect_close(
        gemm,
        {{random_floats({m, k}, random), false}, {random_floats(w, random), true}, {random_floats({n}, random), true}},
        worst_tolerance());
    Node matmul;
    matmul.kind = OpKind::MatMul;
    expect_close(matmul, {{random_floats({2, m, k}, random), false}, {random_floats({k, n}, random), true}},
                 worst_tolerance());
    expect_close(matmul, {{random_floats({2, 3, m, k}, random), false}, {random_floats({2, 3, k, n}, random), false}},
                 worst_tolerance());
  }
}

TEST(FloatElementwise, StaysCloseToTheReference) {
  Random random(43);
  constexpr double tolerance = 2e-7;  // one or two units in the last place
  const Tensor x = random_floats({2, 3, 4, 5}, random, 3.0), positive = random_floats({2, 3, 4, 5}, random);
  for (const OpKind kind : {OpKind::Relu, OpKind::Sigmoid, OpKind::Tanh, OpKind::Exp, OpKind::Erf, OpKind::Neg,
                            OpKind::LeakyRelu, OpKind::HardSigmoid, OpKind::HardSwish, OpKind::Gelu}) {
    Node node;
    node.kind = kind;
    expect_close(node, {{x, false}}, tolerance);
  }
  for (const OpKind kind : {OpKind::Add, OpKind::Sub, OpKind::Mul, OpKind::Div, OpKind::PRelu}) {
    Node node;
    node.kind = kind;
    for (const Shape& shape : {Shape{2, 3, 4, 5}, Shape{3, 1, 1}, Shape{1}, Shape{5}, Shape{3, 4, 1}}) {
      expect_close(node, {{x, false}, {random_floats(shape, random), random.below(2) == 0}}, tolerance);
    }
  }
}

TEST(FloatNormalization, StaysCloseToTheReference) {
  Random random(44);
  constexpr double tolerance = 2e-6;
  const Tensor x = random_floats({4, 6, 33}, random, 2.0);
  Node softmax, log_softmax, layer_norm;
  softmax.kind = OpKind::Softmax;
  log_softmax.kind = OpKind::LogSoftmax;
  layer_norm.kind = OpKind::LayerNormalization;
  expect_close(softmax, {{x, false}}, tolerance);
  expect_close(log_softmax, {{x, false}}, tolerance);
  expect_close(layer_norm, {{x, false}, {random_floats({33}, random), true}, {random_floats({33}, random), true}},
               tolerance);
}

TEST(Movement, EqualsTheReference) {
  Random random(45);
  for (const auto& perm : {std::vector<std::int64_t>{0, 2, 3, 1}, std::vector<std::int64_t>{3, 1, 0, 2},
                           std::vector<std::int64_t>{0, 3, 1, 2}}) {
    Node node;
    node.kind = OpKind::Transpose;
    node.set("perm", perm);
    expect_same_bytes(node, {{random_floats({2, 3, 4, 5}, random), false}});
    expect_same_bytes(node, {{random_bytes(DType::S8, {2, 1, 7, 3}, random), false}});
  }
  Node last;
  last.kind = OpKind::Transpose;
  last.set("perm", std::vector<std::int64_t>{0, 2, 3, 1});
  for (const std::int64_t channels : {1, 2, 3, 4, 5}) {
    for (const std::int64_t batch : {1, 2}) {
      expect_same_bytes(last, {{random_floats({batch, channels, 5, 7}, random), false}});
      expect_same_bytes(last, {{random_bytes(DType::U8, {batch, channels, 5, 7}, random), false}});
    }
  }
  Node concat;
  concat.kind = OpKind::Concat;
  concat.set("axis", std::int64_t{-2});
  expect_same_bytes(concat, {{random_floats({2, 3, 5}, random), false}, {random_floats({2, 1, 5}, random), true}});
}

}  // namespace
}  // namespace adze
