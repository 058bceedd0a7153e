// The plug-in's own batch norm, which pictures go through, against libtorch's, which series go through.

#include <gtest/gtest.h>

#include <limits>
#include <optional>

#include "adze/base/random.h"
#include "adze/graph/infer.h"
#include "tests/train/plugin.h"

namespace adze::train {
namespace {

constexpr std::int64_t channels = 5, length = 9, samples = 7;
constexpr float infinity = std::numeric_limits<float>::infinity();

struct Bounds {
  float low, high;
};

Tensor random_tensor(Shape shape, std::uint64_t seed, double mean = 0, double deviation = 1) {
  Random random(seed);
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(mean + deviation * random.normal());
  return tensor;
}

/// Conv, batch norm, a Relu or Clip, Gemm; over pictures of height 1, or over series.
Graph network(bool pictures, std::optional<Bounds> bounds, bool shows_norm = false) {
  const auto sized = [&](Shape shape) {
    if (pictures) shape.insert(shape.end() - 1, 1);
    return shape;
  };
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(sized({1, 2, length}))));
  const ValueId conv =
      graph.add(OpKind::Conv, {x, graph.add_constant("w", random_tensor(sized({channels, 2, 3}), 1, 0.1))});
  const ValueId norm = graph.add(OpKind::BatchNormalization,
                                 {conv, graph.add_constant("scale", random_tensor({channels}, 2, 1, 0.2)),
                                  graph.add_constant("shift", random_tensor({channels}, 3, 0.1, 0.3)),
                                  graph.add_constant("mean", Tensor::from<float>({channels}, {0, 1, 2, 3, 4})),
                                  graph.add_constant("variance", Tensor::from<float>({channels}, {1, 2, 1, 2, 1}))});
  ValueId y = norm;
  if (bounds && bounds->high == infinity) {
    y = graph.add(OpKind::Relu, {norm});
  } else if (bounds) {
    y = graph.add(OpKind::Clip, {norm, graph.add_constant("low", Tensor::scalar(bounds->low)),
                                 graph.add_constant("high", Tensor::scalar(bounds->high))});
  }
  const std::int64_t flat = channels * (length - 2);
  const ValueId row = graph.add(OpKind::Reshape, {y, graph.add_constant("shape", Tensor::ints({-1, flat}))});
  std::vector<ValueId> outputs{graph.add(OpKind::Gemm, {row, graph.add_constant("v", random_tensor({flat, 3}, 4))})};
  if (shows_norm) outputs.push_back(norm);
  graph.set_outputs(outputs);
  infer_types(graph);
  return graph;
}

LearnBatch batch(bool pictures) {
  LearnBatch result;
  result.inputs.push_back(random_tensor(pictures ? Shape{samples, 2, 1, length} : Shape{samples, 2, length}, 9, 0.5));
  result.labels = Tensor::ints({0, 1, 2, 0, 1, 2, 0});
  return result;
}

void expect_near(const Tensor& a, const Tensor& b, const std::string& name) {
  ASSERT_EQ(a.size(), b.size()) << name;
  for (std::int64_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a.get_double(i), b.get_double(i), 2e-5) << name;
}

class BatchNormClamp : public testing::TestWithParam<std::optional<Bounds>> {
  void SetUp() override {
    if (!has_plugin()) GTEST_SKIP() << "skipped: built without libtorch";
  }
};

TEST_P(BatchNormClamp, GivesLibtorchsLossGradientsAndStatistics) {
  const auto ours = plugin().make_learner(network(true, GetParam()), {});
  const auto oracle = plugin().make_learner(network(false, GetParam()), {});
  double loss = 0, oracle_loss = 0;
  const auto gradients = ours->gradients(batch(true), &loss), wanted = oracle->gradients(batch(false), &oracle_loss);
  EXPECT_NEAR(loss, oracle_loss, 1e-5);
  ASSERT_EQ(gradients.size(), wanted.size());
  for (const auto& [name, gradient] : wanted) expect_near(gradients.at(name), gradient, name);
  ours->step(batch(true), 0.1, 1);
  oracle->step(batch(false), 0.1, 1);
  const Graph learned = ours->graph(), expected = oracle->graph();
  for (const char* name : {"mean", "variance", "scale", "shift", "w"}) {
    expect_near(*learned.constant(learned.find_value(name)), *expected.constant(expected.find_value(name)), name);
  }
}

TEST_P(BatchNormClamp, LeavesTheValueBetweenAsItIsWhenSomebodySeesIt) {
  const auto joined = plugin().make_learner(network(true, GetParam()), {});
  const auto apart = plugin().make_learner(network(true, GetParam(), true), {});
  const auto gradients = joined->gradients(batch(true)), wanted = apart->gradients(batch(true));
  for (const auto& [name, gradient] : wanted) expect_near(gradients.at(name), gradient, name);
}

INSTANTIATE_TEST_SUITE_P(Bounds, BatchNormClamp,
                         testing::Values(std::nullopt, Bounds{0, infinity}, Bounds{0, 1}, Bounds{-0.2F, 0.6F}));

}  // namespace
}  // namespace adze::train
