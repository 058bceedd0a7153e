// A quantizer that applies the bounds of the Relu or Clip before it, against both one after the other.

#include <gtest/gtest.h>

#include <limits>

#include "adze/base/random.h"
#include "adze/graph/infer.h"
#include "tests/train/plugin.h"

namespace adze::train {
namespace {

constexpr std::int64_t samples = 7, inputs = 6, units = 40, classes = 3;
constexpr float infinity = std::numeric_limits<float>::infinity();

struct Setup {
  float low, high, scale;
  std::uint8_t zero_point;
};

Tensor random_tensor(Shape shape, std::uint64_t seed) {
  Random random(seed);
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
  return tensor;
}

/// Gemm, Relu or Clip, QuantizeLinear with a learned scale, DequantizeLinear, Gemm. shows: the value before the
/// quantizer is an output, so that it must be computed.
Graph network(const Setup& setup, bool shows) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic({1, inputs})));
  const ValueId before = graph.add(OpKind::Gemm, {x, graph.add_constant("w", random_tensor({inputs, units}, 1))});
  const ValueId kept = setup.high == infinity
                           ? graph.add(OpKind::Relu, {before})
                           : graph.add(OpKind::Clip, {before, graph.add_constant("low", Tensor::scalar(setup.low)),
                                                      graph.add_constant("high", Tensor::scalar(setup.high))});
  const ValueId scale = graph.add_constant("scale", Tensor::scalar(setup.scale));
  const ValueId zero = graph.add_constant("zero", Tensor::scalar(setup.zero_point));
  const ValueId codes = graph.add(OpKind::QuantizeLinear, {kept, scale, zero});
  graph.node(graph.value(codes).producer).metadata["adze.fake_quant"] = "learned";
  const ValueId y = graph.add(OpKind::DequantizeLinear, {codes, scale, zero});
  const ValueId last = graph.add(OpKind::Gemm, {y, graph.add_constant("v", random_tensor({units, classes}, 2))});
  graph.set_outputs(shows ? std::vector<ValueId>{last, kept} : std::vector<ValueId>{last});
  infer_types(graph);
  return graph;
}

class ClipQuantize : public testing::TestWithParam<Setup> {
  void SetUp() override {
    if (!has_plugin()) GTEST_SKIP() << "skipped: built without libtorch";
  }
};

TEST_P(ClipQuantize, GivesTheGradientsOfBothOneAfterTheOther) {
  LearnBatch batch;
  batch.inputs.push_back(random_tensor({samples, inputs}, 3));
  batch.labels = Tensor::ints({0, 1, 2, 0, 1, 2, 0});
  double loss = 0, apart_loss = 0;
  const auto joined = plugin().make_learner(network(GetParam(), false), {})->gradients(batch, &loss);
  const auto apart = plugin().make_learner(network(GetParam(), true), {})->gradients(batch, &apart_loss);
  EXPECT_EQ(loss, apart_loss);
  ASSERT_TRUE(apart.contains("w"));
  ASSERT_TRUE(apart.contains("scale"));
  for (const auto& [name, gradient] : apart) {
    for (std::int64_t i = 0; i < gradient.size(); ++i) {
      EXPECT_NEAR(joined.at(name).get_double(i), gradient.get_double(i), 1e-6) << name << ", " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Bounds, ClipQuantize,
                         testing::Values(Setup{0, infinity, 0.01F, 0}, Setup{0, 2, 0.01F, 0}, Setup{0, 2, 0.004F, 0},
                                         Setup{-1, 1, 0.02F, 100}));

}  // namespace
}  // namespace adze::train
