#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/reference/one_node.h"

namespace adze::reference {
namespace {

std::vector<std::int64_t> quantized(const Tensor& tensor) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < tensor.size(); ++i) values.push_back(tensor.get_int(i));
  return values;
}

TEST(QuantizeLinear, RoundsHalfToEvenAndSaturates) {
  const Tensor x = Tensor::from<float>({7}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1000, -1000});
  const Tensor one = Tensor::scalar(1.0f);
  EXPECT_EQ(quantized(run_one(OpKind::QuantizeLinear, {x, one, Tensor::scalar<std::int8_t>(0)})[0]),
            (std::vector<std::int64_t>{0, 2, 2, 0, -2, 127, -128}));
  EXPECT_EQ(quantized(run_one(OpKind::QuantizeLinear, {x, one})[0]),
            (std::vector<std::int64_t>{0, 2, 2, 0, 0, 255, 0}));
}

TEST(QuantizeLinear, TakesEveryIntegerType) {
  const Tensor x = Tensor::from<float>({3}, {-100'000, 3, 100'000});
  for (const DType dtype : {DType::S4, DType::U4, DType::S8, DType::U8, DType::S16, DType::U16}) {
    const Tensor y = run_one(OpKind::QuantizeLinear, {x, Tensor::scalar(1.0f), Tensor(dtype, {})})[0];
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_EQ(quantized(y), (std::vector<std::int64_t>{integer_min(dtype), 3, integer_max(dtype)}))
        << dtype_name(dtype);
  }
}

TEST(QuantizeLinear, NanBecomesTheZeroPoint) {
  const Tensor x = Tensor::from<float>({1}, {std::numeric_limits<float>::quiet_NaN()});
  const Tensor y = run_one(OpKind::QuantizeLinear, {x, Tensor::scalar(1.0f), Tensor::scalar<std::int8_t>(5)})[0];
  EXPECT_EQ(y.get_int(0), 5);
}

TEST(QuantizeLinear, ScalesAlongAnAxisAndInBlocks) {
  const Tensor x = Tensor::from<float>({2, 4}, {1, 2, 3, 4, 10, 20, 30, 40});
  const Tensor rows = Tensor::from<float>({2}, {1, 10});
  const Tensor zeros = Tensor::from<std::int8_t>({2}, {0, 1});
  EXPECT_EQ(quantized(run_one(OpKind::QuantizeLinear, {x, rows, zeros}, {{"axis", std::int64_t{0}}})[0]),
            (std::vector<std::int64_t>{1, 2, 3, 4, 2, 3, 4, 5}));
  const Tensor blocks = Tensor::from<float>({2, 2}, {1, 2, 10, 20});
  EXPECT_EQ(quantized(run_one(OpKind::QuantizeLinear, {x, blocks, Tensor(DType::S8, {2, 2})},
                              {{"axis", std::int64_t{1}}, {"block_size", std::int64_t{2}}})[0]),
            (std::vector<std::int64_t>{1, 2, 2, 2, 1, 2, 2, 2}));
}

TEST(QuantizeLinear, EightBitFloatsSaturateUnlessToldNot) {
  const Tensor x = Tensor::from<float>({2}, {1.0f, 1e6f});
  const Tensor zero(DType::F8E4M3, {});
  const Tensor y = run_one(OpKind::QuantizeLinear, {x, Tensor::scalar(0.5f), zero})[0];
  EXPECT_EQ(y.get_double(0), 2.0);
  EXPECT_EQ(y.get_double(1), 448.0);
  const Tensor wild =
      run_one(OpKind::QuantizeLinear, {x, Tensor::scalar(0.5f), zero}, {{"saturate", std::int64_t{0}}})[0];
  EXPECT_TRUE(std::isnan(wild.get_double(1)));
}

TEST(DequantizeLinear, IsTheInverseOnTheGrid) {
  for (const DType dtype : {DType::S4, DType::U4, DType::S8, DType::U8, DType::S16, DType::U16}) {
    Tensor q(dtype, {3});
    for (std::int64_t i = 0; i < 3; ++i) q.set_int(i, i + 2);
    Tensor zero(dtype, {});
    zero.set_int(0, 3);
    const Tensor x = run_one(OpKind::DequantizeLinear, {q, Tensor::scalar(0.5f), zero})[0];
    EXPECT_EQ(to_floats(x), (std::vector<float>{-0.5f, 0, 0.5f})) << dtype_name(dtype);
    EXPECT_TRUE(identical(run_one(OpKind::QuantizeLinear, {x, Tensor::scalar(0.5f), zero})[0], q));
  }
}

TEST(DequantizeLinear, BlocksMayEndEarly) {
  const Tensor q = Tensor::from<std::int8_t>({5}, {1, 1, 1, 1, 1});
  const Tensor scale = Tensor::from<float>({3}, {1, 2, 3});
  const Attributes blocks = {{"axis", std::int64_t{0}}, {"block_size", std::int64_t{2}}};
  EXPECT_EQ(to_floats(run_one(OpKind::DequantizeLinear, {q, scale}, blocks)[0]), (std::vector<float>{1, 1, 2, 2, 3}));
}

TEST(DequantizeLinear, ScalesThatDoNotFitAreRefused) {
  const Tensor q = Tensor::from<std::int8_t>({2, 3}, {1, 1, 1, 1, 1, 1});
  const Tensor scale = Tensor::from<float>({4}, {1, 2, 3, 4});
  EXPECT_THROW(run_one(OpKind::DequantizeLinear, {q, scale}), ModelError);
  EXPECT_THROW(
      run_one(OpKind::DequantizeLinear, {q, Tensor::from<float>({3}, {1, 2, 3}), Tensor::scalar<std::int8_t>(0)}),
      ModelError);
}

TEST(DynamicQuantizeLinear, TheRangeAlwaysHoldsZero) {
  const auto outputs = run_one(OpKind::DynamicQuantizeLinear, {Tensor::from<float>({2}, {1, 4})}, {}, 3);
  EXPECT_EQ(quantized(outputs[0]), (std::vector<std::int64_t>{64, 255}));
  EXPECT_FLOAT_EQ(outputs[1].data<float>()[0], 4.0f / 255);
  EXPECT_EQ(outputs[2].get_int(0), 0);
}

}  // namespace
}  // namespace adze::reference
