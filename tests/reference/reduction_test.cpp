#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::Datum;
using reference::run_one;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

Tensor counting(Shape shape) {
  Tensor tensor(DType::F32, std::move(shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_double(i, static_cast<double>(i));
  return tensor;
}

template <typename T>
Tensor list(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<std::int64_t>(values.size())}, values);
}

Floats floats(OpKind kind, const std::vector<Datum>& inputs, const reference::Attributes& attributes = {}) {
  return to_floats(run_one(kind, inputs, attributes)[0]);
}

void expect_refused(OpKind kind, const std::vector<Datum>& inputs, const reference::Attributes& attributes = {},
                    int outputs = 1) {
  try {
    run_one(kind, inputs, attributes, outputs);
    ADD_FAILURE() << op_name(kind) << " was not refused";
  } catch (const ModelError& error) {
    EXPECT_EQ(error.place().node, "node") << error.what();
  }
}

constexpr OpKind reduce_kinds[] = {
    OpKind::ReduceL1,   OpKind::ReduceL2,  OpKind::ReduceLogSum, OpKind::ReduceLogSumExp, OpKind::ReduceMax,
    OpKind::ReduceMean, OpKind::ReduceMin, OpKind::ReduceProd,   OpKind::ReduceSum,       OpKind::ReduceSumSquare};

TEST(Reduce, TakesAxesAsInput) {
  const Tensor x = Tensor::from<float>({2, 3}, {1, -2, 3, 4, 5, -6});
  const Tensor last = Tensor::ints({-1});
  EXPECT_EQ(floats(OpKind::ReduceSum, {x, last}), (Floats{2, 3}));
  EXPECT_EQ(floats(OpKind::ReduceL1, {x, last}), (Floats{6, 15}));
  EXPECT_EQ(floats(OpKind::ReduceSumSquare, {x, last}), (Floats{14, 77}));
  EXPECT_EQ(floats(OpKind::ReduceL2, {x, last}), (Floats{std::sqrt(14.0f), std::sqrt(77.0f)}));
  EXPECT_EQ(floats(OpKind::ReduceMax, {x, last}), (Floats{3, 5}));
  EXPECT_EQ(floats(OpKind::ReduceMin, {x, last}), (Floats{-2, -6}));
  EXPECT_EQ(floats(OpKind::ReduceProd, {x, last}), (Floats{-6, -120}));
  EXPECT_EQ(floats(OpKind::ReduceMean, {x, last}), (Floats{2.0f / 3, 1}));
  EXPECT_EQ(floats(OpKind::ReduceLogSum, {x, last}), (Floats{std::log(2.0f), std::log(3.0f)}));
  const float expected = 3 + std::log(1 + std::exp(-5.0f) + std::exp(-2.0f));
  EXPECT_FLOAT_EQ(floats(OpKind::ReduceLogSumExp, {x, last})[0], expected);
}

TEST(Reduce, KeepsOrDropsDimensionsForEveryKind) {
  const Tensor x = counting({2, 3, 4});
  for (const OpKind kind : reduce_kinds) {
    EXPECT_EQ(run_one(kind, {x, Tensor::ints({1})})[0].shape(), (Shape{2, 1, 4})) << op_name(kind);
    EXPECT_EQ(run_one(kind, {x, Tensor::ints({0, -1})}, {{"keepdims", std::int64_t{0}}})[0].shape(), (Shape{3}))
        << op_name(kind);
    EXPECT_EQ(run_one(kind, {x}, {{"keepdims", std::int64_t{0}}})[0].shape(), Shape{}) << op_name(kind);
    EXPECT_TRUE(identical(run_one(kind, {x, Tensor::ints({})}, {{"noop_with_empty_axes", std::int64_t{1}}})[0], x));
    expect_refused(kind, {x, Tensor::ints({3})});
    expect_refused(kind, {x, Tensor::ints({1, -2})});
  }
}

TEST(Reduce, GivesTheIdentityElementOfAnEmptyGroup) {
  const Tensor x(DType::F32, {2, 0});
  const Tensor axis = Tensor::ints({1});
  EXPECT_EQ(floats(OpKind::ReduceSum, {x, axis}), (Floats{0, 0}));
  EXPECT_EQ(floats(OpKind::ReduceProd, {x, axis}), (Floats{1, 1}));
  EXPECT_EQ(floats(OpKind::ReduceMax, {x, axis}), (Floats{-inf, -inf}));
  EXPECT_EQ(floats(OpKind::ReduceMin, {x, axis}), (Floats{inf, inf}));
  EXPECT_EQ(floats(OpKind::ReduceLogSumExp, {x, axis}), (Floats{-inf, -inf}));
  EXPECT_TRUE(std::isnan(floats(OpKind::ReduceMean, {x, axis})[0]));
  EXPECT_EQ(to_ints(run_one(OpKind::ReduceMin, {Tensor(DType::S8, {0})})[0]), (Ints{127}));
  EXPECT_EQ(to_ints(run_one(OpKind::ReduceMax, {Tensor(DType::Bool, {0})})[0]), (Ints{0}));
}

TEST(Reduce, WorksOnIntegersAndBools) {
  EXPECT_EQ(to_ints(run_one(OpKind::ReduceMean, {list<std::int32_t>({-3, -4})})[0]), (Ints{-3}));
  EXPECT_EQ(to_ints(run_one(OpKind::ReduceSum, {list<std::int8_t>({127, 1})})[0]), (Ints{-128}));
  EXPECT_EQ(to_ints(run_one(OpKind::ReduceL1, {list<std::int64_t>({-3, 4})})[0]), (Ints{7}));
  EXPECT_EQ(to_ints(run_one(OpKind::ReduceMax, {list<bool>({false, true})})[0]), (Ints{1}));
  EXPECT_EQ(to_ints(run_one(OpKind::ReduceMin, {list<bool>({false, true})})[0]), (Ints{0}));
  EXPECT_EQ(run_one(OpKind::ReduceMax, {list<std::uint64_t>({~std::uint64_t{0}, 1})})[0].data<std::uint64_t>()[0],
            ~std::uint64_t{0});
  expect_refused(OpKind::ReduceSum, {list<bool>({true})});
}

TEST(Reduce, LetsNanWin) {
  EXPECT_TRUE(std::isnan(floats(OpKind::ReduceMax, {list<float>({1, nan, 2})})[0]));
  EXPECT_TRUE(std::isnan(floats(OpKind::ReduceMin, {list<float>({nan, 1})})[0]));
}

TEST(ArgMax, TakesTheFirstOrTheLastOfEqualOnes) {
  const Tensor x = Tensor::from<float>({2, 3}, {2, 2, 1, 0, 3, 3});
  const auto arg = [&](OpKind kind, std::int64_t last) {
    return to_ints(
        run_one(kind, {x}, {{"axis", std::int64_t{1}}, {"select_last_index", last}, {"keepdims", std::int64_t{0}}})[0]);
  };
  EXPECT_EQ(arg(OpKind::ArgMax, 0), (Ints{0, 1}));
  EXPECT_EQ(arg(OpKind::ArgMax, 1), (Ints{1, 2}));
  EXPECT_EQ(arg(OpKind::ArgMin, 0), (Ints{2, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::ArgMax, {list<float>({1, nan, 3})})[0]), (Ints{1}));
  expect_refused(OpKind::ArgMax, {Tensor(DType::F32, {2, 0})}, {{"axis", std::int64_t{1}}});
  expect_refused(OpKind::ArgMax, {x}, {{"axis", std::int64_t{2}}});
}

TEST(TopK, BreaksTiesByLowerIndex) {
  auto out = run_one(OpKind::TopK, {list<float>({1, 3, 3, 2}), Tensor::ints({3})}, {}, 2);
  EXPECT_EQ(to_floats(out[0]), (Floats{3, 3, 2}));
  EXPECT_EQ(to_ints(out[1]), (Ints{1, 2, 3}));
  out = run_one(OpKind::TopK, {Tensor::from<float>({2, 2}, {5, 1, 4, 1}), Tensor::ints({1})},
                {{"axis", std::int64_t{0}}, {"largest", std::int64_t{0}}}, 2);
  EXPECT_EQ(to_floats(out[0]), (Floats{4, 1}));
  EXPECT_EQ(to_ints(out[1]), (Ints{1, 0}));
  out = run_one(OpKind::TopK, {Tensor::ints({1, 2}), Tensor::ints({0})}, {}, 2);
  EXPECT_TRUE(out[0].empty());
  expect_refused(OpKind::TopK, {list<float>({1}), Tensor::ints({2})}, {}, 2);
}

TEST(CumSum, RunsBothWays) {
  const Tensor x = list<float>({1, 2, 3}), axis = Tensor::scalar<std::int32_t>(0);
  EXPECT_EQ(floats(OpKind::CumSum, {x, axis}), (Floats{1, 3, 6}));
  EXPECT_EQ(floats(OpKind::CumSum, {x, axis}, {{"exclusive", std::int64_t{1}}}), (Floats{0, 1, 3}));
  EXPECT_EQ(floats(OpKind::CumSum, {x, axis}, {{"reverse", std::int64_t{1}}}), (Floats{6, 5, 3}));
  EXPECT_EQ(floats(OpKind::CumSum, {x, axis}, {{"reverse", std::int64_t{1}}, {"exclusive", std::int64_t{1}}}),
            (Floats{5, 3, 0}));
  expect_refused(OpKind::CumSum, {x, Tensor::scalar<std::int32_t>(1)});
}

TEST(Softmax, IsStableAndSumsToOne) {
  const Floats found = floats(OpKind::Softmax, {list<float>({1000, 1000, -1000})});
  EXPECT_EQ(found, (Floats{0.5f, 0.5f, 0}));
  EXPECT_EQ(floats(OpKind::LogSoftmax, {list<float>({0, 0})}), (Floats{-std::log(2.0f), -std::log(2.0f)}));
  EXPECT_EQ(floats(OpKind::Hardmax, {list<float>({1, 3, 3})}), (Floats{0, 1, 0}));
  EXPECT_EQ(run_one(OpKind::Softmax, {Tensor(DType::F32, {0, 3})})[0].shape(), (Shape{0, 3}));
  expect_refused(OpKind::Softmax, {list<float>({1})}, {{"axis", std::int64_t{1}}});
  expect_refused(OpKind::Softmax, {list<std::int32_t>({1})});
}

TEST(LpNormalization, LeavesZerosAlone) {
  EXPECT_EQ(floats(OpKind::LpNormalization, {list<float>({3, -4})}), (Floats{0.6f, -0.8f}));
  EXPECT_EQ(floats(OpKind::LpNormalization, {list<float>({1, -3})}, {{"p", std::int64_t{1}}}), (Floats{0.25f, -0.75f}));
  EXPECT_EQ(floats(OpKind::LpNormalization, {list<float>({0, 0})}), (Floats{0, 0}));
  expect_refused(OpKind::LpNormalization, {list<float>({1})}, {{"p", std::int64_t{3}}});
}

TEST(MeanVarianceNormalization, HasMeanZeroAndVarianceOne) {
  const Floats found = floats(OpKind::MeanVarianceNormalization, {Tensor::from<float>({1, 1, 1, 2}, {1, 3})});
  EXPECT_FLOAT_EQ(found[0], -1);
  EXPECT_FLOAT_EQ(found[1], 1);
}

Floats einsum(const char* equation, const std::vector<Datum>& inputs) {
  return floats(OpKind::Einsum, inputs, {{"equation", std::string(equation)}});
}

TEST(Einsum, MultipliesTransposesTracesAndSums) {
  const Tensor a = counting({2, 3}), b = counting({3, 2});
  EXPECT_EQ(einsum("ij,jk->ik", {a, b}), (Floats{10, 13, 28, 40}));
  EXPECT_EQ(einsum("ij, jk", {a, b}), (Floats{10, 13, 28, 40}));
  EXPECT_EQ(einsum("ij->ji", {a}), (Floats{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(einsum("ba", {a}), (Floats{0, 3, 1, 4, 2, 5}));  // without arrow: in alphabetical order
  EXPECT_EQ(einsum("ii", {counting({3, 3})}), (Floats{12}));
  EXPECT_EQ(einsum("ii->i", {counting({3, 3})}), (Floats{0, 4, 8}));
  EXPECT_EQ(einsum("...ij,...jk->...ik", {counting({1, 2, 3}), b}), (Floats{10, 13, 28, 40}));
  EXPECT_EQ(einsum("i,i,i->", {list<float>({1, 2}), list<float>({3, 4}), list<float>({5, 6})}), (Floats{63}));
  EXPECT_EQ(einsum("ij,jk,kl->il", {a, b, counting({2, 1})}), (Floats{13, 40}));
}

TEST(Einsum, RefusesWhatDoesNotFit) {
  const auto refuse = [](const char* equation, const std::vector<Datum>& inputs) {
    expect_refused(OpKind::Einsum, inputs, {{"equation", std::string(equation)}});
  };
  refuse("ij,jk->ik", {counting({2, 3}), counting({2, 2})});
  refuse("ij->ik", {counting({2, 3})});
  refuse("ij->ii", {counting({2, 3})});
  refuse("i->i", {counting({2, 3})});
  refuse("i,i->i", {counting({2})});
  refuse("i$->i", {counting({2})});
}

TEST(Det, PivotsAndTakesBatches) {
  const Tensor x = Tensor::from<float>({2, 2, 2}, {0, 1, 1, 0, 1, 2, 3, 4});
  EXPECT_EQ(floats(OpKind::Det, {x}), (Floats{-1, -2}));
  EXPECT_EQ(floats(OpKind::Det, {Tensor(DType::F32, {2, 2})}), (Floats{0}));
  EXPECT_EQ(floats(OpKind::Det, {Tensor(DType::F32, {0, 0})}), (Floats{1}));
  expect_refused(OpKind::Det, {counting({2, 3})});
}

}  // namespace
}  // namespace adze
