#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "adze/graph/infer.h"
#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::Datum;
using reference::run_one;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;
using S32 = std::vector<std::int32_t>;
using Texts = std::vector<std::string>;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

template <typename T>
Tensor list(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<std::int64_t>(values.size())}, values);
}

template <typename T>
std::vector<T> elements(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

/// Runs the operator and expects a ModelError that names the node.
void expect_refused(OpKind kind, const std::vector<Datum>& inputs, const reference::Attributes& attributes = {}) {
  try {
    run_one(kind, inputs, attributes);
    ADD_FAILURE() << op_name(kind) << " was not refused";
  } catch (const ModelError& error) {
    EXPECT_EQ(error.place().node, "node") << error.what();
  }
}

float unary(OpKind kind, float x, const reference::Attributes& attributes = {}) {
  return run_one(kind, {Tensor::scalar(x)}, attributes)[0].get_double(0);
}

TEST(Tables, EveryOperatorOfTheFamiliesHasARuleAndAKernel) {
  constexpr OpKind kinds[] = {
#define ADZE_OP(kind, ...) OpKind::kind,
#include "adze/graph/ops/elementwise.def"
#include "adze/graph/ops/movement.def"
#include "adze/graph/ops/reduction.def"
#undef ADZE_OP
  };
  for (const OpKind kind : kinds) {
    EXPECT_NE(infer_function(kind), nullptr) << op_name(kind);
    EXPECT_NE(reference::kernel_function(kind), nullptr) << op_name(kind);
  }
}

TEST(Add, BroadcastsBothInputs) {
  const Tensor a = Tensor::from<float>({2, 1}, {1, 2}), b = Tensor::from<float>({3}, {10, 20, 30});
  const Tensor sum = run_one(OpKind::Add, {a, b})[0];
  EXPECT_EQ(sum.shape(), (Shape{2, 3}));
  EXPECT_EQ(to_floats(sum), (Floats{11, 21, 31, 12, 22, 32}));
}

TEST(Add, WrapsIntegersOfEveryWidth) {
  EXPECT_EQ(elements<std::int8_t>(run_one(OpKind::Add, {list<std::int8_t>({127}), list<std::int8_t>({1})})[0])[0],
            -128);
  EXPECT_EQ(elements<std::uint8_t>(run_one(OpKind::Sub, {list<std::uint8_t>({0}), list<std::uint8_t>({1})})[0])[0],
            255);
  const std::uint64_t big = std::uint64_t{1} << 63;
  EXPECT_EQ(elements<std::uint64_t>(run_one(OpKind::Mul, {list<std::uint64_t>({big}), list<std::uint64_t>({3})})[0])[0],
            big);
}

TEST(Add, RoundsHalfPrecisionOnce) {
  const Tensor a = converted(list<float>({2048}), DType::F16), b = converted(list<float>({1}), DType::F16);
  EXPECT_EQ(to_floats(run_one(OpKind::Add, {a, b})[0]), (Floats{2048}));  // a tie, to even
}

TEST(Add, RefusesShapesAndTypesThatDoNotFit) {
  expect_refused(OpKind::Add, {list<float>({1, 2}), list<float>({1, 2, 3})});
  expect_refused(OpKind::Add, {list<float>({1}), list<double>({1})});
  expect_refused(OpKind::Add, {list<bool>({true}), list<bool>({true})});
}

TEST(Add, KeepsEmptyTensorsEmpty) {
  const Tensor sum = run_one(OpKind::Add, {Tensor(DType::F32, {0, 3}), list<float>({1, 2, 3})})[0];
  EXPECT_EQ(sum.shape(), (Shape{0, 3}));
}

TEST(Add, RefusesResultsBeyondTheLimitBeforeComputingThem) {
  const std::int64_t side = 1 << 18;
  EXPECT_THROW(run_one(OpKind::Add, {Tensor(DType::U8, {side, 1}), Tensor(DType::U8, {1, side})}), LimitError);
}

TEST(Div, TruncatesIntegersAndKnowsItsLimits) {
  EXPECT_EQ(elements<std::int32_t>(run_one(OpKind::Div, {list<std::int32_t>({-7, 7}), list<std::int32_t>({2, -2})})[0]),
            (S32{-3, -3}));
  const auto lowest = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(
      elements<std::int64_t>(run_one(OpKind::Div, {list<std::int64_t>({lowest}), list<std::int64_t>({-1})})[0])[0],
      lowest);
  expect_refused(OpKind::Div, {list<std::int32_t>({1}), list<std::int32_t>({0})});
  EXPECT_EQ(to_floats(run_one(OpKind::Div, {list<float>({1}), list<float>({0})})[0]), Floats{inf});
}

TEST(Mod, FollowsTheSignOfTheDivisorOrOfTheDividend) {
  const Tensor a = list<std::int32_t>({-4, 7, 5, 4, -7, 8}), b = list<std::int32_t>({2, -3, 8, -2, 3, 5});
  EXPECT_EQ(elements<std::int32_t>(run_one(OpKind::Mod, {a, b})[0]), (S32{0, -2, 5, 0, 2, 3}));
  EXPECT_EQ(elements<std::int32_t>(run_one(OpKind::Mod, {a, b}, {{"fmod", std::int64_t{1}}})[0]),
            (S32{0, 1, 5, 0, -1, 3}));
  expect_refused(OpKind::Mod, {list<float>({1}), list<float>({2})});
  expect_refused(OpKind::Mod, {list<std::int32_t>({1}), list<std::int32_t>({0})});
}

TEST(Pow, MixesTypesAndStaysExactOnIntegers) {
  const Tensor base = list<std::int64_t>({3, 2, -1, 2});
  EXPECT_EQ(to_ints(run_one(OpKind::Pow, {base, list<std::int32_t>({39, 62, 3, -1})})[0]),
            (Ints{4052555153018976267, std::int64_t{1} << 62, -1, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::Pow, {list<std::int64_t>({9}), list<float>({0.5f})})[0]), (Ints{3}));
  EXPECT_EQ(to_floats(run_one(OpKind::Pow, {list<float>({2}), list<std::uint8_t>({10})})[0]), (Floats{1024}));
  expect_refused(OpKind::Pow, {list<std::int64_t>({0}), list<std::int64_t>({-1})});
}

TEST(MaxMin, LetNanWinAndBroadcastAllInputs) {
  const Floats found =
      to_floats(run_one(OpKind::Max, {list<float>({nan, 1, 3}), list<float>({0, nan, 2}), Tensor::scalar(2.5f)})[0]);
  EXPECT_TRUE(std::isnan(found[0]) && std::isnan(found[1]));
  EXPECT_EQ(found[2], 3);
  EXPECT_EQ(to_ints(run_one(OpKind::Min, {list<std::int64_t>({1, 5}), list<std::int64_t>({4, 2})})[0]), (Ints{1, 2}));
  EXPECT_EQ(to_floats(run_one(OpKind::Mean, {list<float>({1, 2}), list<float>({2, 4}), list<float>({6, 9})})[0]),
            (Floats{3, 5}));
}

TEST(BitShift, GivesZeroBeyondTheWidth) {
  const Tensor x = list<std::uint8_t>({16, 4, 1, 255});
  const Tensor by = list<std::uint8_t>({1, 2, 3, 9});
  EXPECT_EQ(to_ints(run_one(OpKind::BitShift, {x, by}, {{"direction", std::string("RIGHT")}})[0]), (Ints{8, 1, 0, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::BitShift, {x, by}, {{"direction", std::string("LEFT")}})[0]), (Ints{32, 16, 8, 0}));
  expect_refused(OpKind::BitShift, {list<std::int32_t>({1}), list<std::int32_t>({1})},
                 {{"direction", std::string("LEFT")}});
  expect_refused(OpKind::BitShift, {x, by}, {{"direction", std::string("UP")}});
}

TEST(Bitwise, WorksOnTheBitsOfEveryInteger) {
  const Tensor a = list<std::int8_t>({12, -1, 0}), b = list<std::int8_t>({10, 15, -128});
  EXPECT_EQ(to_ints(run_one(OpKind::BitwiseAnd, {a, b})[0]), (Ints{8, 15, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::BitwiseOr, {a, b})[0]), (Ints{14, -1, -128}));
  EXPECT_EQ(to_ints(run_one(OpKind::BitwiseXor, {a, b})[0]), (Ints{6, -16, -128}));
  EXPECT_EQ(to_ints(run_one(OpKind::BitwiseNot, {a})[0]), (Ints{-13, 0, -1}));
}

TEST(Bitwise, BroadcastsAndTakesUnsigned64) {
  const std::uint64_t top = std::uint64_t{1} << 63;
  const Tensor a = list<std::uint64_t>({top, 5}), one = Tensor::scalar<std::uint64_t>(top | 1);
  EXPECT_EQ(elements<std::uint64_t>(run_one(OpKind::BitwiseAnd, {a, one})[0]), (std::vector<std::uint64_t>{top, 1}));
  EXPECT_EQ(elements<std::uint64_t>(run_one(OpKind::BitwiseOr, {a, one})[0]),
            (std::vector<std::uint64_t>{top | 1, top | 5}));
  EXPECT_EQ(elements<std::uint64_t>(run_one(OpKind::BitwiseXor, {a, one})[0]),
            (std::vector<std::uint64_t>{1, top | 4}));
  EXPECT_EQ(elements<std::uint64_t>(run_one(OpKind::BitwiseNot, {a})[0]),
            (std::vector<std::uint64_t>{top - 1, ~std::uint64_t{5}}));
}

TEST(Bitwise, RefusesFloatsAndBools) {
  for (const OpKind kind : {OpKind::BitwiseAnd, OpKind::BitwiseOr, OpKind::BitwiseXor}) {
    expect_refused(kind, {list<float>({1}), list<float>({1})});
    expect_refused(kind, {list<bool>({true}), list<bool>({true})});
    expect_refused(kind, {list<std::int8_t>({1}), list<std::uint8_t>({1})});
  }
  expect_refused(OpKind::BitwiseNot, {list<bool>({true})});
}

TEST(Logic, TakesBoolsOnly) {
  const Tensor a = list<bool>({false, false, true, true}), b = list<bool>({false, true, false, true});
  EXPECT_EQ(to_ints(run_one(OpKind::And, {a, b})[0]), (Ints{0, 0, 0, 1}));
  EXPECT_EQ(to_ints(run_one(OpKind::Or, {a, b})[0]), (Ints{0, 1, 1, 1}));
  EXPECT_EQ(to_ints(run_one(OpKind::Xor, {a, b})[0]), (Ints{0, 1, 1, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::Not, {a})[0]), (Ints{1, 1, 0, 0}));
  expect_refused(OpKind::And, {list<std::int32_t>({1}), list<std::int32_t>({1})});
}

TEST(Equal, ComparesStringsBoolsAndNan) {
  EXPECT_EQ(to_ints(run_one(OpKind::Equal, {list<std::string>({"a", "b"}), Tensor::scalar<std::string>("b")})[0]),
            (Ints{0, 1}));
  EXPECT_EQ(to_ints(run_one(OpKind::Equal, {list<bool>({true, false}), list<bool>({true, true})})[0]), (Ints{1, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::Equal, {list<float>({nan, 0.0f}), list<float>({nan, -0.0f})})[0]), (Ints{0, 1}));
  expect_refused(OpKind::Equal, {list<std::string>({"a"}), list<float>({1})});
}

TEST(Comparisons, AreFalseWithNanAndExactOn64Bits) {
  EXPECT_EQ(to_ints(run_one(OpKind::LessOrEqual, {list<float>({nan, 1}), list<float>({1, 1})})[0]), (Ints{0, 1}));
  const std::int64_t big = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ(to_ints(run_one(OpKind::Greater, {list<std::int64_t>({big}), list<std::int64_t>({big - 1})})[0]),
            (Ints{1}));
  const std::uint64_t top = ~std::uint64_t{0};
  EXPECT_EQ(to_ints(run_one(OpKind::Less, {list<std::uint64_t>({1}), list<std::uint64_t>({top})})[0]), (Ints{1}));
}

TEST(Where, ChoosesElementsOfAnyTypeWithBroadcasting) {
  const Tensor condition = Tensor::from<bool>({2, 1}, {true, false});
  const Tensor texts =
      run_one(OpKind::Where, {condition, list<std::string>({"a", "b"}), Tensor::scalar<std::string>("z")})[0];
  EXPECT_EQ(elements<std::string>(texts), (Texts{"a", "b", "z", "z"}));
  expect_refused(OpKind::Where, {list<float>({1}), list<float>({1}), list<float>({1})});
}

TEST(IsInf, TakesFlagsAndFloat8) {
  const Tensor x = list<float>({inf, -inf, nan, 1});
  EXPECT_EQ(to_ints(run_one(OpKind::IsInf, {x})[0]), (Ints{1, 1, 0, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::IsInf, {x}, {{"detect_negative", std::int64_t{0}}})[0]), (Ints{1, 0, 0, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::IsInf, {x}, {{"detect_positive", std::int64_t{0}}})[0]), (Ints{0, 1, 0, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::IsInf, {converted(x, DType::F8E5M2)})[0]), (Ints{1, 1, 0, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::IsInf, {converted(x, DType::F8E4M3)})[0]), (Ints{0, 0, 0, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::IsInf, {converted(x, DType::F8E5M2Fnuz)})[0]), (Ints{0, 0, 0, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::IsNaN, {converted(x, DType::F8E4M3)})[0]), (Ints{1, 1, 1, 0}));
  EXPECT_EQ(to_ints(run_one(OpKind::IsNaN, {converted(x, DType::BF16)})[0]), (Ints{0, 0, 1, 0}));
}

TEST(Clip, KeepsNanAndLetsTheUpperBoundWin) {
  const Tensor x = list<float>({-5, nan, 5});
  const Floats found = to_floats(run_one(OpKind::Clip, {x, Tensor::scalar(-1.0f), Tensor::scalar(1.0f)})[0]);
  EXPECT_EQ(found[0], -1);
  EXPECT_TRUE(std::isnan(found[1]));
  EXPECT_EQ(found[2], 1);
  EXPECT_EQ(to_floats(run_one(OpKind::Clip, {x, Datum(), Tensor::scalar(1.0f)})[0])[0], -5);
  EXPECT_EQ(to_floats(run_one(OpKind::Clip, {list<float>({0}), Tensor::scalar(3.0f), Tensor::scalar(2.0f)})[0]),
            (Floats{2}));
  EXPECT_EQ(to_ints(run_one(OpKind::Clip, {list<std::uint64_t>({9}), Tensor::scalar<std::uint64_t>(10)})[0]),
            (Ints{10}));
  expect_refused(OpKind::Clip, {x, list<float>({1, 2})});
}

TEST(Round, TakesTiesToEven) {
  const Tensor x = list<float>({0.5f, 1.5f, 2.5f, -0.5f, -2.5f, 2.6f});
  EXPECT_EQ(to_floats(run_one(OpKind::Round, {x})[0]), (Floats{0, 2, 2, -0.0f, -2, 3}));
}

TEST(Unary, HasTheValuesOfItsFormulas) {
  EXPECT_FLOAT_EQ(unary(OpKind::Sigmoid, 0), 0.5f);
  EXPECT_FLOAT_EQ(unary(OpKind::Softplus, 100), 100);
  EXPECT_FLOAT_EQ(unary(OpKind::Softplus, -100), std::exp(-100.0f));
  EXPECT_FLOAT_EQ(unary(OpKind::Elu, -1, {{"alpha", 2.0f}}), 2 * std::expm1(-1.0f));
  EXPECT_FLOAT_EQ(unary(OpKind::Celu, -1, {{"alpha", 2.0f}}), 2 * std::expm1(-0.5f));
  EXPECT_FLOAT_EQ(unary(OpKind::LeakyRelu, -10), -0.1f);
  EXPECT_FLOAT_EQ(unary(OpKind::HardSigmoid, 1), 0.7f);
  EXPECT_FLOAT_EQ(unary(OpKind::HardSwish, 1), 4.0f / 6);
  EXPECT_FLOAT_EQ(unary(OpKind::Shrink, -2, {{"lambd", 1.5f}, {"bias", 1.5f}}), -0.5f);
  EXPECT_FLOAT_EQ(unary(OpKind::ThresholdedRelu, 1), 0);
  EXPECT_TRUE(std::isnan(unary(OpKind::Relu, nan)));
  EXPECT_TRUE(std::isnan(unary(OpKind::Sign, nan)));
  EXPECT_EQ(to_ints(run_one(OpKind::Abs, {list<std::int8_t>({-128, -3})})[0]), (Ints{-128, 3}));
  expect_refused(OpKind::Neg, {list<std::uint8_t>({1})});
  expect_refused(OpKind::Exp, {list<std::int32_t>({1})});
}

TEST(Unary, IsWithinOneUnitOfTheDoubleResult) {
  for (int i = -200; i <= 200; ++i) {
    const float x = static_cast<float>(i) * 0.37f;
    EXPECT_EQ(unary(OpKind::Tanh, x), static_cast<float>(std::tanh(static_cast<double>(x))));
    EXPECT_EQ(unary(OpKind::Exp, x), static_cast<float>(std::exp(static_cast<double>(x))));
  }
}

TEST(Gelu, HasTwoForms) {
  EXPECT_FLOAT_EQ(unary(OpKind::Gelu, 1), 0.8413447f);
  EXPECT_FLOAT_EQ(unary(OpKind::Gelu, 1, {{"approximate", std::string("tanh")}}), 0.8411920f);
  EXPECT_FLOAT_EQ(unary(OpKind::Gelu, 0), 0);
  EXPECT_NEAR(unary(OpKind::Gelu, -6), -5.919526e-9, 1e-14);  // 1 + erf would have cancelled
  expect_refused(OpKind::Gelu, {list<float>({1})}, {{"approximate", std::string("sigmoid")}});
}

TEST(Mish, IsXTimesTanhOfSoftplus) {
  EXPECT_EQ(unary(OpKind::Mish, 0), 0);
  EXPECT_FLOAT_EQ(unary(OpKind::Mish, 1), 0.86509836f);
  EXPECT_FLOAT_EQ(unary(OpKind::Mish, -1), -0.30340144f);
  EXPECT_FLOAT_EQ(unary(OpKind::Mish, 50), 50);
}

TEST(PRelu, BroadcastsTheSlopeOneWay) {
  const Tensor x = Tensor::from<float>({2, 2}, {-1, 2, -3, -4});
  EXPECT_EQ(to_floats(run_one(OpKind::PRelu, {x, list<float>({0.5f, 2})})[0]), (Floats{-0.5f, 2, -1.5f, -8}));
  expect_refused(OpKind::PRelu, {list<float>({1}), x});
}

}  // namespace
}  // namespace adze
