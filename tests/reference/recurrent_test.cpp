#include <gtest/gtest.h>

#include <cmath>

#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::Attributes;
using reference::Datum;
using reference::run_one;
using Floats = std::vector<float>;

const Tensor one = Tensor::from<float>({1, 1, 1}, {1});

Attributes affine(float alpha, Attributes more = {}) {
  more.emplace_back("activations", std::vector<std::string>{"Affine"});
  more.emplace_back("activation_alpha", Floats{alpha});
  more.emplace_back("activation_beta", Floats{0});
  return more;
}

TEST(Rnn, SumsItsInputsWithALinearActivation) {
  const Tensor x = Tensor::from<float>({3, 1, 1}, {1, 2, 3});
  const auto y = run_one(OpKind::RNN, {x, one, one}, affine(1), 2);
  EXPECT_EQ(y[0].shape(), (Shape{3, 1, 1, 1}));
  EXPECT_EQ(to_floats(y[0]), (Floats{1, 3, 6}));
  EXPECT_EQ(to_floats(y[1]), (Floats{6}));
}

TEST(Rnn, RunsBackwardsFromEachSequencesEnd) {
  const Tensor x = Tensor::from<float>({3, 2, 1}, {1, 10, 2, 20, 3, 30});
  const Tensor lengths = Tensor::from<std::int32_t>({2}, {2, 3});
  const auto y =
      run_one(OpKind::RNN, {x, one, one, Datum(), lengths}, affine(1, {{"direction", std::string("reverse")}}), 2);
  EXPECT_EQ(to_floats(y[0]), (Floats{3, 60, 2, 50, 0, 30}));
  EXPECT_EQ(to_floats(y[1]), (Floats{3, 60}));
}

TEST(Rnn, PutsTheBatchFirstInLayoutOne) {
  const Tensor x = Tensor::from<float>({2, 3, 1}, {1, 2, 3, 10, 20, 30});
  const auto y = run_one(OpKind::RNN, {x, one, one}, affine(1, {{"layout", std::int64_t{1}}}), 2);
  EXPECT_EQ(y[0].shape(), (Shape{2, 3, 1, 1}));
  EXPECT_EQ(to_floats(y[0]), (Floats{1, 3, 6, 10, 30, 60}));
  EXPECT_EQ(y[1].shape(), (Shape{2, 1, 1}));
}

TEST(Rnn, ClipsBeforeTheActivation) {
  const Tensor x = Tensor::from<float>({2, 1, 1}, {5, 5});
  EXPECT_EQ(to_floats(run_one(OpKind::RNN, {x, one, one}, affine(2, {{"clip", 1.5F}}))[0]), (Floats{3, 3}));
}

TEST(Gru, KeepsTheStateWhenTheUpdateGateIsOpen) {
  const Tensor x = Tensor::from<float>({1, 1, 1}, {1});
  const Tensor w = Tensor::from<float>({1, 3, 1}, {100, 0, 0}), r = Tensor::from<float>({1, 3, 1}, {0, 0, 0});
  const Tensor state = Tensor::from<float>({1, 1, 1}, {0.25F});
  EXPECT_NEAR(run_one(OpKind::GRU, {x, w, r, Datum(), Datum(), state})[0].get_double(0), 0.25, 1e-7);
}

TEST(Gru, AppliesTheResetGateBeforeOrAfterTheProduct) {
  const Tensor x = Tensor::from<float>({1, 1, 1}, {0});
  const Tensor w = Tensor::from<float>({1, 3, 1}, {0, 0, 0}), r = Tensor::from<float>({1, 3, 1}, {0, 0, 1});
  const Tensor bias = Tensor::from<float>({1, 6}, {0, 0, 0, 0, 0, 0.5F}), state = Tensor::from<float>({1, 1, 1}, {1});
  const auto run = [&](std::int64_t linear) {
    return run_one(OpKind::GRU, {x, w, r, bias, Datum(), state}, {{"linear_before_reset", linear}})[0].get_double(0);
  };
  EXPECT_NEAR(run(0), 0.5 * std::tanh(0.5 * 1 + 0.5) + 0.5, 1e-6);
  EXPECT_NEAR(run(1), 0.5 * std::tanh(0.5 * (1 + 0.5)) + 0.5, 1e-6);
}

TEST(Lstm, AddsPeepholesToItsGates) {
  const Tensor x = Tensor::from<float>({1, 1, 1}, {0});
  const Tensor w = Tensor::from<float>({1, 4, 1}, {0, 0, 0, 0}), p = Tensor::from<float>({1, 3}, {1, 2, 3});
  const Tensor state = Tensor::from<float>({1, 1, 1}, {0}), cell = Tensor::from<float>({1, 1, 1}, {2});
  const auto y = run_one(OpKind::LSTM, {x, w, w, Datum(), Datum(), state, cell, p}, {}, 3);
  const auto logistic = [](double v) { return 1 / (1 + std::exp(-v)); };
  const double c = logistic(3 * 2) * 2;
  EXPECT_NEAR(y[2].get_double(0), c, 1e-6);
  EXPECT_NEAR(y[1].get_double(0), logistic(2 * c) * std::tanh(c), 1e-6);
}

TEST(Lstm, RefusesWeightsThatDoNotFit) {
  const Tensor x = Tensor::from<float>({1, 1, 1}, {0});
  EXPECT_THROW(run_one(OpKind::LSTM, {x, one, one}), ModelError);
  EXPECT_THROW(run_one(OpKind::RNN, {x, one, one}, {{"direction", std::string("sideways")}}), ModelError);
  EXPECT_THROW(run_one(OpKind::RNN, {x, one, one}, {{"activations", std::vector<std::string>{"Nothing"}}}), ModelError);
  const Tensor lengths = Tensor::from<std::int32_t>({1}, {2});
  EXPECT_THROW(run_one(OpKind::RNN, {x, one, one, Datum(), lengths}), ModelError);
}

}  // namespace
}  // namespace adze
