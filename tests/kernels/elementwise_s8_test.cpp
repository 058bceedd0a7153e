#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

Node binary(OpKind kind, RoundingProfile profile, DType a, DType b, DType y, Random& random) {
  Node node;
  node.kind = kind;
  node.set("rounding", std::string(rounding_name(profile)));
  node.set("a_scale", static_cast<float>(0.02 * std::exp(random.uniform(-2.0, 2.0))));
  node.set("b_scale", static_cast<float>(0.02 * std::exp(random.uniform(-2.0, 2.0))));
  node.set("a_zero_point", pick(random, integer_min(a), integer_max(a)));
  node.set("b_zero_point", pick(random, integer_min(b), integer_max(b)));
  set_output(node, y, kind == OpKind::QMul ? 0.03f : 0.04f, random);
  return node;
}

Node unary(OpKind kind, RoundingProfile profile, DType x, DType y, float y_scale, Random& random) {
  Node node;
  node.kind = kind;
  node.set("rounding", std::string(rounding_name(profile)));
  node.set("x_scale", 0.05f);
  node.set("x_zero_point", pick(random, integer_min(x), integer_max(x)));
  set_output(node, y, y_scale, random);
  return node;
}

TEST(QuantizedElementwise, EqualsTheReferenceForEqualAndBroadcastShapes) {
  Random random(31);
  const std::vector<std::pair<Shape, Shape>> shapes = {{{1}, {1}},
                                                       {{3, 5, 7}, {3, 5, 7}},
                                                       {{2, 3, 4, 5}, {3, 1, 1}},
                                                       {{2, 6, 4}, {2, 6, 1}},
                                                       {{1, 4, 1}, {5, 1, 3}},
                                                       {{70000}, {70000}}};
  for (const RoundingProfile profile : all_profiles) {
    for (const OpKind kind : {OpKind::QAdd, OpKind::QSub, OpKind::QMul}) {
      for (const auto& [left, right] : shapes) {
        const DType a = random.below(2) == 0 ? DType::S8 : DType::U8, b = random.below(2) == 0 ? DType::S8 : DType::U8;
        const Node node = binary(kind, profile, a, b, a, random);
        expect_same_bytes(node, {{random_bytes(a, left, random), false}, {random_bytes(b, right, random), false}});
      }
    }
  }
}

TEST(QuantizedPool, EqualsTheReference) {
  Random random(32);
  for (const RoundingProfile profile : all_profiles) {
    for (const std::int64_t include : {0, 1}) {
      Node pool = unary(OpKind::QAveragePool, profile, DType::S8, DType::S8, include == 0 ? 0.05f : 0.07f, random);
      if (include == 0) pool.set("y_zero_point", pool.get_int("x_zero_point"));  // the integer mean of raw values
      pool.set("kernel_shape", std::vector<std::int64_t>{3, 2});
      pool.set("strides", std::vector<std::int64_t>{2, 1});
      pool.set("pads", std::vector<std::int64_t>{1, 0, 2, 1});
      pool.set("count_include_pad", include);
      expect_same_bytes(pool, {{random_bytes(DType::S8, {2, 19, 6, 5}, random), false}});
    }
    for (const auto& axes :
         {std::vector<std::int64_t>{2, 3}, std::vector<std::int64_t>{-1}, std::vector<std::int64_t>{1}}) {
      Node mean = unary(OpKind::QReduceMean, profile, DType::U8, DType::S8, 0.03f, random);
      mean.set("axes", axes);
      expect_same_bytes(mean, {{random_bytes(DType::U8, {2, 5, 4, 7}, random), false}});
    }
  }
  Node max;
  max.kind = OpKind::MaxPool;
  max.set("kernel_shape", std::vector<std::int64_t>{3, 3});
  max.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
  max.set("strides", std::vector<std::int64_t>{2, 2});
  expect_same_bytes(max, {{random_bytes(DType::U8, {2, 5, 7, 6}, random), false}});
  expect_same_bytes(max, {{random_bytes(DType::S8, {1, 3, 1, 1}, random), false}});
}

TEST(QuantizedTables, EqualTheReference) {
  Random random(33);
  for (const RoundingProfile profile : all_profiles) {
    for (const DType x : {DType::S8, DType::U8}) {
      for (const DType y : {DType::S8, DType::U8}) {
        const Tensor data = random_bytes(x, {3, 41}, random);
        expect_same_bytes(unary(OpKind::QRequantize, profile, x, y, 0.013f, random), {{data, false}});
        expect_same_bytes(unary(OpKind::QSoftmax, profile, x, y, 1.0f / 256.0f, random), {{data, false}});
        Node table;
        table.kind = OpKind::QTable;
        expect_same_bytes(table, {{data, false}, {random_bytes(y, {256}, random), true}});
      }
    }
  }
}

/// Shares of half a step: what is computed by reciprocals must not decide them.
TEST(QuantizedSoftmax, RoundsTiesAsTheReference) {
  Random random(15);
  for (const std::int64_t length : {2, 4, 64, 128, 200}) {
    for (int round = 0; round < 4; ++round) {
      Tensor data(DType::S8, {3, length});
      for (std::int8_t& value : data.mutable_data<std::int8_t>()) value = random.below(4) == 0 && round > 1 ? -128 : 90;
      const auto scale = static_cast<float>(1.0 / (static_cast<double>(length) * (0.5 + round)));
      Node node = unary(OpKind::QSoftmax, RoundingProfile::Onnx, DType::S8, DType::U8, scale, random);
      node.set("x_scale", 4.0f);
      expect_same_bytes(node, {{data, false}});
    }
  }
}

TEST(QuantizedSoftmax, EqualsTheReferenceForRowsOfAnyLength) {
  Random random(35);
  for (const std::int64_t length : {1, 2, 16, 63, 64, 65, 128, 300}) {
    for (const DType x : {DType::S8, DType::U8}) {
      Tensor data = random_bytes(x, {5, length}, random);
      if (length % 2 == 0) {  // numbers that lie together, as scores do
        for (std::byte& byte : data.mutable_bytes())
          byte = static_cast<std::byte>(100 + std::to_integer<int>(byte) % 30);
      }
      for (const RoundingProfile profile : {RoundingProfile::Litert, RoundingProfile::Onnx}) {
        expect_same_bytes(unary(OpKind::QSoftmax, profile, x, DType::U8, 1.0f / 256.0f, random), {{data, false}});
        expect_same_bytes(unary(OpKind::QSoftmax, profile, x, DType::S8, 1e-4f, random), {{data, false}});
      }
    }
  }
}

TEST(Quantize, EqualsTheReferencePerTensorAndPerChannel) {
  Random random(34);
  Tensor x = random_floats({2, 3, 50}, random, 3.0);
  const float special[] = {0.5f, 1.5f, -0.5f, 1e30f, -1e30f, NAN, INFINITY, -INFINITY, 0.0f};
  std::copy(std::begin(special), std::end(special), x.mutable_data<float>().begin());
  Node quantize, dequantize;
  quantize.kind = OpKind::QuantizeLinear;
  dequantize.kind = OpKind::DequantizeLinear;
  for (const DType dtype : {DType::S8, DType::U8}) {
    for (const std::int64_t channels : {1, 3}) {
      const Shape shape = channels == 1 ? Shape{} : Shape{channels};
      Tensor scale(DType::F32, shape);
      for (float& value : scale.mutable_data<float>())
        value = channels == 1 ? 1.0f : static_cast<float>(random.uniform(0.01, 0.1));
      const Tensor zero_point = random_bytes(dtype, shape, random);
      expect_same_bytes(quantize, {{x, false}, {scale, true}, {zero_point, true}});
      const Tensor q = random_bytes(dtype, {2, 3, 50}, random);
      expect_close(dequantize, {{q, false}, {scale, true}, {zero_point, true}}, 0.0);
    }
  }
}

/// Floats one by one around every tie: what divides exactly must be told from what almost does.
TEST(Quantize, EqualsTheReferenceAroundTies) {
  Random random(35);
  for (const float scale : {0.25f, 0.1f, 0.0237f, 1.0f / 255.0f, 3e-20f}) {
    for (const DType dtype : {DType::S8, DType::U8}) {
      std::vector<float> numbers;
      for (int k = -300; k <= 300; ++k) {
        float x = (static_cast<float>(k) + 0.5f) * scale;
        for (int step = 0; step < 8; ++step) x = std::nextafter(x, -INFINITY);
        for (int step = 0; step < 16; ++step) numbers.push_back(x = std::nextafter(x, INFINITY));
        numbers.push_back(k % 7 == 0 ? NAN : k % 11 == 0 ? INFINITY : k % 13 == 0 ? -INFINITY : x * 1.3f);
      }
      Tensor x(DType::F32, {std::ssize(numbers)}), step(DType::F32, {});
      std::copy(numbers.begin(), numbers.end(), x.mutable_data<float>().begin());
      step.mutable_data<float>()[0] = scale;
      Node quantize;
      quantize.kind = OpKind::QuantizeLinear;
      expect_same_bytes(quantize, {{x, false}, {step, true}, {random_bytes(dtype, {}, random), true}});
    }
  }
}

}  // namespace
}  // namespace adze
