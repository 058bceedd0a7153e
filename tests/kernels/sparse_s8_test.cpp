#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

/// Bytes of which blocks of `block` outputs are 0 together; the rest is not 0.
Tensor sparse_bytes(const Shape& shape, std::int64_t block, double zeros, Random& random) {
  Tensor w(DType::S8, shape);
  const std::int64_t depth = w.size() / shape[0];
  for (std::int64_t first = 0; first < shape[0]; first += block) {
    for (std::int64_t k = 0; k < depth; ++k) {
      if (random.uniform() < zeros) continue;
      for (std::int64_t row = first; row < std::min(first + block, shape[0]); ++row) {
        w.set_int(row * depth + k, pick(random, 1, 127) * (random.below(2) == 0 ? 1 : -1));
      }
    }
  }
  return w;
}

void check_sparse_conv(std::int64_t inputs, std::int64_t outputs, std::int64_t side, std::int64_t kernel,
                       std::int64_t stride, std::int64_t block, RoundingProfile profile, Random& random) {
  const DType x_dtype = random.below(2) == 0 ? DType::S8 : DType::U8;
  const DType y_dtype = random.below(2) == 0 ? DType::S8 : DType::U8;
  Node node;
  node.kind = OpKind::QConv;
  const std::int64_t pad = kernel / 2;
  node.set("strides", std::vector<std::int64_t>{stride, stride});
  node.set("pads", std::vector<std::int64_t>{pad, pad, pad, pad});
  node.set("kernel_shape", std::vector<std::int64_t>{kernel, kernel});
  node.set("rounding", std::string(rounding_name(profile)));
  node.set("x_scale", 0.02f);
  node.set("x_zero_point", pick(random, integer_min(x_dtype), integer_max(x_dtype)));
  std::vector<float> w_scales;
  for (std::int64_t o = 0; o < outputs; ++o) w_scales.push_back(static_cast<float>(0.01 * random.uniform(0.5, 2)));
  node.set("w_scales", w_scales);
  set_output(node, y_dtype, static_cast<float>(std::exp(random.uniform(-3.0, 2.0))), random);
  Tensor bias(DType::S32, {outputs});
  for (std::int32_t& value : bias.mutable_data<std::int32_t>()) {
    value = static_cast<std::int32_t>(random.below(20001)) - 10000;
  }
  const Tensor weights = sparse_bytes({outputs, inputs, kernel, kernel}, block, 0.93, random);
  expect_same_bytes(
      node, {{random_bytes(x_dtype, {2, inputs, side, side + 1}, random), false}, {weights, true}, {bias, true}});
}

TEST(SparseQConv, EqualsTheReference) {
  Random random(71);
  for (const RoundingProfile profile : all_profiles) {
    for (const std::int64_t block : {1, 8}) {
      check_sparse_conv(96, 130, 7, 1, 1, block, profile, random);
      check_sparse_conv(40, 64, 6, 3, 1, block, profile, random);
      check_sparse_conv(33, 67, 9, 3, 2, block, profile, random);
    }
  }
}

/// A 1x1 convolution of 256 by 256 channels, 90 % of its weights 0 in blocks of `block` outputs.
Graph point_network(std::int64_t block, Random& random) {
  Node node;
  node.kind = OpKind::QConv;
  node.set("kernel_shape", std::vector<std::int64_t>{1, 1});
  node.set("rounding", std::string(rounding_name(RoundingProfile::Onnx)));
  node.set("x_scale", 0.02f);
  node.set("x_zero_point", std::int64_t{3});
  node.set("w_scales", std::vector<float>{0.01f});
  set_output(node, DType::U8, 0.3f, random);
  return single_node(node, {{random_bytes(DType::U8, {1, 256, 14, 14}, random), false},
                            {sparse_bytes({256, 256, 1, 1}, block, 0.9, random), true}});
}

std::string kernels_of(const Graph& graph, const SessionOptions& options) {
  Session session(graph, options);
  std::string names;
  for (const StepInfo& step : session.steps()) names += cat(step.kernel, "\n");
  return names;
}

TEST(SparseQConv, RunsOnTheSparseKernel) {
  Random random(72);
  const Graph graph = point_network(8, random);
  for (const auto& [isa, kernel] : {std::pair{Isa::Avx2, "spmm_s8_avx2 8x1"},
                                    {Isa::AvxVnni, "spmm_s8_avxvnni 8x1"},
                                    {Isa::Avx512Vbmi, "spmm_s8_avx512vbmi 8x1"}}) {
    if (!isa_allows(machine_isa(), isa)) continue;
    SessionOptions options;
    options.isa = isa_name(isa);
    EXPECT_NE(kernels_of(graph, options).find(kernel), std::string::npos) << kernels_of(graph, options);
  }
}

TEST(SparseQConv, IsTimedAgainstTheDenseKernelWhenTuned) {
  if (!isa_allows(machine_isa(), Isa::Avx2)) GTEST_SKIP() << "skipped: no AVX2";
  Random random(73);
  const Graph graph = point_network(1, random);
  SessionOptions options;
  options.tune = Tune::Fast;
  EXPECT_NE(kernels_of(graph, options).find(", timed"), std::string::npos) << kernels_of(graph, options);
  options.tune = Tune::Off;
  EXPECT_EQ(kernels_of(graph, options).find(", timed"), std::string::npos) << kernels_of(graph, options);
}

}  // namespace
}  // namespace adze
