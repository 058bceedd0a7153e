// Every operator that can be trained through: values against the reference, gradients against finite differences of the
// reference, in f64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "tests/train/plugin.h"

namespace adze::train {
namespace {

using Ints = std::vector<std::int64_t>;
using Attributes = std::vector<std::pair<std::string, Attribute>>;

/// An input: random reals in [low, high), or given integers, or left out.
struct Input {
  Shape shape;
  double low = -1.5, high = 1.5;
  std::optional<Tensor> given = {};
  bool absent = false;
};

Input reals(Shape shape, double low = -1.5, double high = 1.5) {
  return {std::move(shape), low, high};
}
Input given(Tensor tensor) {
  return {{}, 0, 0, std::move(tensor)};
}
Input ints(const Ints& values) {
  return given(Tensor::ints(values));
}
Input absent() {
  return {{}, 0, 0, {}, true};
}

struct Case {
  OpKind kind;
  std::vector<Input> inputs;
  Attributes attributes = {};
  int outputs = 1;
};

std::string case_name(const testing::TestParamInfo<std::size_t>& info);

const std::vector<Case>& cases() {
  const Shape s{2, 3}, picture{2, 4, 5, 6};
  const auto one = [&](OpKind kind, double low = -1.5, double high = 1.5, Attributes attributes = {}) {
    return Case{kind, {reals(s, low, high)}, std::move(attributes)};
  };
  const auto two = [&](OpKind kind, double low = 0.3, double high = 1.5) {
    return Case{kind, {reals({2, 3}, low, high), reals({3}, low, high)}};
  };
  static const std::vector<Case> all = {
      one(OpKind::Abs),
      one(OpKind::Acos, -0.9, 0.9),
      one(OpKind::Acosh, 1.2, 3),
      two(OpKind::Add),
      one(OpKind::Asin, -0.9, 0.9),
      one(OpKind::Asinh),
      one(OpKind::Atan),
      one(OpKind::Atanh, -0.9, 0.9),
      one(OpKind::Celu, -1.5, 1.5, {{"alpha", 0.7F}}),
      one(OpKind::Cos),
      one(OpKind::Cosh),
      two(OpKind::Div),
      one(OpKind::Elu, -1.5, 1.5, {{"alpha", 0.8F}}),
      one(OpKind::Erf),
      one(OpKind::Exp),
      one(OpKind::Gelu),
      one(OpKind::Gelu, -1.5, 1.5, {{"approximate", std::string("tanh")}}),
      one(OpKind::HardSigmoid),
      one(OpKind::HardSwish),
      one(OpKind::LeakyRelu, -1.5, 1.5, {{"alpha", 0.2F}}),
      one(OpKind::Log, 0.2, 3),
      two(OpKind::Max),
      two(OpKind::Mean),
      two(OpKind::Min),
      one(OpKind::Mish),
      two(OpKind::Mul),
      one(OpKind::Neg),
      Case{OpKind::PRelu, {reals({2, 3, 4}), reals({3, 1})}},
      two(OpKind::Pow),
      one(OpKind::Reciprocal, 0.4, 2),
      one(OpKind::Relu),
      one(OpKind::Selu),
      one(OpKind::Shrink, -1.5, 1.5, {{"bias", 0.2F}, {"lambd", 0.4F}}),
      one(OpKind::Sigmoid),
      one(OpKind::Sin),
      one(OpKind::Sinh),
      one(OpKind::Softplus),
      one(OpKind::Softsign),
      one(OpKind::Sqrt, 0.3, 2),
      two(OpKind::Sub),
      two(OpKind::Sum),
      one(OpKind::Tan, -1, 1),
      one(OpKind::Tanh),
      one(OpKind::ThresholdedRelu, -1.5, 1.5, {{"alpha", 0.5F}}),
      Case{OpKind::Clip, {reals(s), given(Tensor::scalar(-0.5)), given(Tensor::scalar(0.8))}},
      Case{OpKind::Where, {given(Tensor::from<bool>({3}, std::vector<bool>{true, false, true})), reals(s), reals(s)}},
      // Movement.
      Case{OpKind::Concat, {reals({2, 3}), reals({2, 2})}, {{"axis", std::int64_t{1}}}},
      Case{OpKind::DepthToSpace, {reals({1, 8, 2, 2})}, {{"blocksize", std::int64_t{2}}}},
      Case{OpKind::DepthToSpace, {reals({1, 8, 2, 2})}, {{"blocksize", std::int64_t{2}}, {"mode", std::string("CRD")}}},
      Case{OpKind::Expand, {reals({3, 1}), ints({2, 3, 4})}},
      Case{OpKind::Flatten, {reals({2, 3, 4})}, {{"axis", std::int64_t{2}}}},
      Case{OpKind::Gather, {reals({4, 3}), ints({0, -1, 2})}},
      Case{OpKind::Gather, {reals({2, 4, 3}), ints({3, 0})}, {{"axis", std::int64_t{1}}}},
      Case{OpKind::GatherElements,
           {reals({2, 3}), given(Tensor::from<std::int64_t>({2, 2}, {0, -1, 2, 1}))},
           {{"axis", std::int64_t{1}}}},
      Case{OpKind::GatherND, {reals({3, 2, 2}), given(Tensor::from<std::int64_t>({2, 2}, {0, 1, 2, 0}))}},
      Case{OpKind::Identity, {reals(s)}},
      Case{OpKind::Pad, {reals({2, 3}), ints({1, 0, 0, 2}), given(Tensor::scalar(0.5))}},
      Case{OpKind::Pad, {reals({1, 2, 4, 4}), ints({0, 0, 1, 2, 0, 0, 1, 0})}, {{"mode", std::string("reflect")}}},
      Case{OpKind::Pad, {reals({1, 2, 4, 4}), ints({0, 0, 1, 2, 0, 0, 1, 0})}, {{"mode", std::string("edge")}}},
      Case{OpKind::Reshape, {reals({2, 6}), ints({0, 3, -1})}},
      Case{OpKind::ScatterElements, {reals({3, 3}), given(Tensor::from<std::int64_t>({1, 2}, {1, 0})), reals({1, 2})}},
      Case{OpKind::ScatterND, {reals({4, 2}), given(Tensor::from<std::int64_t>({2, 1}, {3, 1})), reals({2, 2})}},
      Case{OpKind::Slice, {reals({4, 5}), ints({1, -1}), ints({4, -6}), ints({0, 1}), ints({2, -2})}},
      Case{OpKind::SpaceToDepth, {reals({1, 2, 4, 4})}, {{"blocksize", std::int64_t{2}}}},
      Case{OpKind::Split, {reals({5, 2}), ints({2, 3})}, {}, 2},
      Case{OpKind::Squeeze, {reals({2, 1, 3, 1}), ints({1, -1})}},
      Case{OpKind::Tile, {reals({2, 3}), ints({2, 1})}},
      Case{OpKind::Transpose, {reals({2, 3, 4})}, {{"perm", Ints{2, 0, 1}}}},
      Case{OpKind::Trilu, {reals({4, 4}), given(Tensor::scalar<std::int64_t>(1))}, {{"upper", std::int64_t{0}}}},
      Case{OpKind::Unsqueeze, {reals({2, 3}), ints({0, -1})}},
      // Layers.
      Case{OpKind::Conv,
           {reals(picture), reals({6, 2, 3, 3}), reals({6})},
           {{"group", std::int64_t{2}}, {"pads", Ints{1, 0, 2, 1}}, {"strides", Ints{2, 1}}}},
      Case{OpKind::Conv, {reals({2, 3, 7}), reals({4, 3, 3})}, {{"dilations", Ints{2}}}},
      Case{OpKind::Conv,
           {reals({1, 3, 6, 5}), reals({2, 3, 3, 2})},
           {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}}},
      Case{OpKind::ConvTranspose,
           {reals({1, 3, 3, 4}), reals({3, 2, 3, 3}), reals({2})},
           {{"pads", Ints{1, 0, 1, 1}}, {"strides", Ints{2, 2}}}},
      Case{OpKind::ConvTranspose,
           {reals({1, 4, 3}), reals({4, 2, 3})},
           {{"group", std::int64_t{2}}, {"output_padding", Ints{1}}, {"strides", Ints{2}}}},
      Case{OpKind::Gemm,
           {reals({3, 4}), reals({5, 4}), reals({5})},
           {{"alpha", 0.5F}, {"beta", 2.0F}, {"transB", std::int64_t{1}}}},
      Case{OpKind::Gemm, {reals({4, 3}), reals({4, 5})}, {{"transA", std::int64_t{1}}}},
      Case{OpKind::MatMul, {reals({2, 3, 4}), reals({4, 5})}},
      Case{OpKind::BatchNormalization,
           {reals({2, 3, 4}), reals({3}), reals({3}), given(Tensor::from<double>({3}, {0.1, -0.4, 0.3})),
            given(Tensor::from<double>({3}, {0.5, 1.4, 2.0}))},
           {{"epsilon", 0.01F}}},
      Case{OpKind::LayerNormalization, {reals({2, 3, 4}), reals({4}), reals({4})}},
      Case{OpKind::InstanceNormalization, {reals({2, 3, 5}), reals({3}), reals({3})}},
      Case{OpKind::GroupNormalization, {reals({2, 4, 3}), reals({4}), reals({4})}, {{"num_groups", std::int64_t{2}}}},
      Case{OpKind::LRN, {reals({1, 5, 2, 2})}, {{"size", std::int64_t{3}}}},
      Case{OpKind::AveragePool,
           {reals({1, 2, 5, 6})},
           {{"kernel_shape", Ints{3, 2}}, {"pads", Ints{1, 0, 1, 1}}, {"strides", Ints{2, 2}}}},
      Case{OpKind::AveragePool,
           {reals({1, 2, 5, 6})},
           {{"count_include_pad", std::int64_t{1}},
            {"kernel_shape", Ints{3, 3}},
            {"pads", Ints{1, 1, 1, 1}},
            {"strides", Ints{2, 2}}}},
      Case{OpKind::AveragePool,
           {reals({1, 1, 7})},
           {{"ceil_mode", std::int64_t{1}}, {"kernel_shape", Ints{3}}, {"strides", Ints{3}}}},
      Case{OpKind::MaxPool,
           {reals({1, 2, 5, 6})},
           {{"kernel_shape", Ints{3, 2}}, {"pads", Ints{1, 0, 1, 1}}, {"strides", Ints{2, 2}}}},
      Case{OpKind::MaxPool,
           {reals({1, 1, 8})},
           {{"ceil_mode", std::int64_t{1}}, {"dilations", Ints{2}}, {"kernel_shape", Ints{2}}, {"strides", Ints{3}}}},
      Case{OpKind::GlobalAveragePool, {reals(picture)}},
      Case{OpKind::GlobalMaxPool, {reals({2, 3, 4})}},
      Case{OpKind::GlobalLpPool, {reals({2, 3, 4})}, {{"p", std::int64_t{3}}}},
      Case{OpKind::Dropout, {reals(s)}},
      Case{OpKind::Resize,
           {reals({1, 2, 4, 3}), absent(), given(Tensor::from<float>({4}, {1, 1, 2, 1.7F}))},
           {{"mode", std::string("linear")}}},
      Case{OpKind::Resize,
           {reals({1, 2, 4, 5}), absent(), absent(), ints({1, 2, 6, 3})},
           {{"coordinate_transformation_mode", std::string("align_corners")}, {"mode", std::string("cubic")}}},
      Case{OpKind::Resize, {reals({1, 2, 3, 3}), absent(), given(Tensor::from<float>({4}, {1, 1, 2, 2}))}, {}},
      // Reductions.
      Case{OpKind::CumSum,
           {reals({2, 4}), given(Tensor::scalar<std::int64_t>(1))},
           {{"exclusive", std::int64_t{1}}, {"reverse", std::int64_t{1}}}},
      Case{OpKind::Det, {reals({2, 3, 3})}},
      Case{OpKind::Einsum, {reals({2, 3, 4}), reals({2, 4, 2})}, {{"equation", std::string("bij,bjk->bik")}}},
      Case{OpKind::LogSoftmax, {reals({2, 3, 2})}, {{"axis", std::int64_t{1}}}},
      Case{OpKind::LpNormalization, {reals({2, 3})}, {{"axis", std::int64_t{0}}}},
      Case{OpKind::MeanVarianceNormalization, {reals({2, 3, 2, 2})}},
      Case{OpKind::ReduceL1, {reals({2, 3, 2}), ints({1})}},
      Case{OpKind::ReduceL2, {reals({2, 3, 2}), ints({0, -1})}, {{"keepdims", std::int64_t{0}}}},
      Case{OpKind::ReduceLogSum, {reals({2, 3}, 0.2, 2), ints({1})}},
      Case{OpKind::ReduceLogSumExp, {reals({2, 3}), ints({1})}},
      Case{OpKind::ReduceMax, {reals({2, 3})}},
      Case{OpKind::ReduceMean, {reals({2, 3, 2}), ints({0, 2})}},
      Case{OpKind::ReduceMin, {reals({2, 3}), ints({1})}},
      Case{OpKind::ReduceProd, {reals({2, 3, 2}, 0.5, 1.5), ints({0, 2})}},
      Case{OpKind::ReduceSum, {reals({2, 3}), ints({0})}},
      Case{OpKind::ReduceSumSquare, {reals({2, 3}), ints({1})}},
      Case{OpKind::Softmax, {reals({2, 3, 2})}, {{"axis", std::int64_t{1}}}},
      Case{OpKind::TopK, {reals({2, 5}), ints({3})}, {}, 2},
      // Recurrent cells: inputs [steps, batch, 3], hidden 2.
      Case{OpKind::RNN,
           {reals({3, 2, 3}), reals({1, 2, 3}), reals({1, 2, 2}), reals({1, 4})},
           {{"hidden_size", std::int64_t{2}}},
           2},
      Case{OpKind::GRU,
           {reals({3, 2, 3}), reals({2, 6, 3}), reals({2, 6, 2}), reals({2, 12})},
           {{"direction", std::string("bidirectional")}, {"hidden_size", std::int64_t{2}}},
           2},
      Case{OpKind::GRU,
           {reals({3, 2, 3}), reals({1, 6, 3}), reals({1, 6, 2}), reals({1, 12}), absent(), reals({1, 2, 2})},
           {{"hidden_size", std::int64_t{2}}, {"linear_before_reset", std::int64_t{1}}},
           2},
      Case{OpKind::LSTM,
           {reals({3, 2, 3}), reals({1, 8, 3}), reals({1, 8, 2}), reals({1, 16})},
           {{"direction", std::string("reverse")}, {"hidden_size", std::int64_t{2}}},
           3},
      Case{OpKind::LSTM,
           {reals({3, 2, 3}), reals({1, 8, 3}), reals({1, 8, 2}), reals({1, 16}), absent(), reals({1, 2, 2}),
            reals({1, 2, 2}), reals({1, 6})},
           {{"clip", 0.9F}, {"hidden_size", std::int64_t{2}}},
           3},
  };
  return all;
}

std::string case_name(const testing::TestParamInfo<std::size_t>& info) {
  return cat(op_name(cases()[info.param].kind), "_", info.param);
}

/// The case as a graph of one node, its reals as inputs, and random values for them.
struct Problem {
  Graph graph;
  std::vector<Tensor> inputs;
};

Problem make_problem(const Case& test) {
  Problem problem;
  Random random(7);
  std::vector<ValueId> inputs;
  for (const Input& input : test.inputs) {
    const std::string name = cat("x", inputs.size());
    if (input.absent) {
      inputs.push_back(ValueId::None);
    } else if (input.given) {
      inputs.push_back(problem.graph.add_constant(name, *input.given));
    } else {
      Tensor values(DType::F64, input.shape);
      for (double& value : values.mutable_data<double>()) value = random.uniform(input.low, input.high);
      inputs.push_back(problem.graph.add_input(name, ValueType::tensor(DType::F64, symbolic(input.shape))));
      problem.inputs.push_back(std::move(values));
    }
  }
  auto attributes = test.attributes;
  const ValueId first = problem.graph.add(test.kind, inputs, std::move(attributes), "node", test.outputs);
  const Node* node = problem.graph.producer_of(first);
  problem.graph.set_outputs(node->outputs);
  infer_types(problem.graph);
  return problem;
}

/// Σ outputs · weights as the reference computes it.
double weighted_sum(const Problem& problem, const std::vector<Tensor>& inputs, const std::vector<Tensor>& weights) {
  const std::vector<Tensor> outputs = reference::run_tensors(problem.graph, inputs);
  double sum = 0;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!is_float(outputs[k].dtype())) continue;
    for (std::int64_t i = 0; i < outputs[k].size(); ++i) sum += outputs[k].get_double(i) * weights[k].get_double(i);
  }
  return sum;
}

std::vector<Tensor> random_weights(const std::vector<Tensor>& outputs) {
  Random random(11);
  std::vector<Tensor> weights;
  for (const Tensor& output : outputs) {
    Tensor weight(DType::F64, output.shape());
    for (double& value : weight.mutable_data<double>()) value = random.uniform(-1, 1);
    weights.push_back(std::move(weight));
  }
  return weights;
}

class Operators : public testing::TestWithParam<std::size_t> {};

TEST_P(Operators, ComputeWhatTheReferenceComputesAndItsDerivative) {
  if (!has_plugin()) GTEST_SKIP() << "skipped: built without libtorch";
  const Case& test = cases()[GetParam()];
  ASSERT_TRUE(plugin().supports(test.kind));
  const Problem problem = make_problem(test);
  const std::vector<Tensor> expected = reference::run_tensors(problem.graph, problem.inputs);
  const std::vector<Tensor> outputs = plugin().forward(problem.graph, problem.inputs);
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    ASSERT_EQ(outputs[k].shape(), expected[k].shape()) << "output " << k;
    for (std::int64_t i = 0; i < outputs[k].size(); ++i) {
      // Resize computes its weights in f32.
      const double tolerance = test.kind == OpKind::Resize ? 1e-6 : 1e-9;
      EXPECT_NEAR(outputs[k].get_double(i), expected[k].get_double(i), tolerance) << "output " << k << " at " << i;
    }
  }
  const std::vector<Tensor> weights = random_weights(expected);
  const std::vector<Tensor> gradients = plugin().input_gradients(problem.graph, problem.inputs, weights);
  constexpr double step = 1e-5;
  for (std::size_t k = 0; k < problem.inputs.size(); ++k) {
    for (std::int64_t i = 0; i < problem.inputs[k].size(); ++i) {
      std::vector<Tensor> moved = problem.inputs;
      const double x = problem.inputs[k].get_double(i);
      moved[k].set_double(i, x + step);
      const double above = weighted_sum(problem, moved, weights);
      moved[k].set_double(i, x - step);
      const double below = weighted_sum(problem, moved, weights);
      const double slope = (above - below) / (2 * step);
      EXPECT_NEAR(gradients[k].get_double(i), slope, 2e-5 * std::max(1.0, std::abs(slope)))
          << "input " << k << " at " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Operators, testing::Range<std::size_t>(0, cases().size()), case_name);

}  // namespace
}  // namespace adze::train
