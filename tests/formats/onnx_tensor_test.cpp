#include <gtest/gtest.h>

#include <complex>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/formats/onnx/encode.h"
#include "adze/formats/onnx/read.h"
#include "tests/formats/onnx_builder.h"

namespace adze {
namespace {

using namespace onnx_builder;

Tensor decode(const WireMessage& message) {
  const auto owner = std::make_shared<const std::string>(message.bytes());
  return onnx::read_tensor(std::as_bytes(std::span(*owner)), owner);
}

/// A TensorProto with its elements as varints in a field, packed or one by one.
WireMessage varint_tensor(DType dtype, const std::vector<std::int64_t>& dims, std::uint32_t field,
                          const std::vector<std::int64_t>& values, bool packed) {
  WireMessage message = tensor_header("t", static_cast<int>(dtype), dims);
  if (packed) {
    message.add_packed(field, values);
  } else {
    for (const std::int64_t value : values) message.add_integer(field, value);
  }
  return message;
}

std::vector<double> numbers(const Tensor& tensor) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < tensor.size(); ++i) result.push_back(tensor.get_double(i));
  return result;
}

constexpr DType with_bytes[] = {
    DType::F32,  DType::U8,     DType::S8,         DType::U16,    DType::S16,        DType::S32, DType::S64,
    DType::Bool, DType::F16,    DType::F64,        DType::U32,    DType::U64,        DType::C64, DType::C128,
    DType::BF16, DType::F8E4M3, DType::F8E4M3Fnuz, DType::F8E5M2, DType::F8E5M2Fnuz, DType::U4,  DType::S4};

TEST(OnnxTensor, RoundTripsEveryDtypeAsRawBytes) {
  for (const DType dtype : with_bytes) {
    Tensor tensor(dtype, {3, 5});
    auto bytes = tensor.mutable_bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>(dtype == DType::Bool ? i % 2 : i * 37);
    }
    EXPECT_TRUE(identical(decode(onnx::encode_tensor(tensor, "t")), tensor)) << dtype_name(dtype);
  }
}

TEST(OnnxTensor, RoundTripsStringsScalarsAndEmptyTensors) {
  const Tensor strings = Tensor::from<std::string>({3}, {"", "a b", std::string("\0\xff", 2)});
  EXPECT_TRUE(identical(decode(onnx::encode_tensor(strings, "t")), strings));
  const Tensor scalar = Tensor::scalar<double>(2.5);
  EXPECT_TRUE(identical(decode(onnx::encode_tensor(scalar, "t")), scalar));
  const Tensor empty(DType::S4, {2, 0, 3});
  EXPECT_TRUE(identical(decode(onnx::encode_tensor(empty, "t")), empty));
  EXPECT_TRUE(identical(decode(tensor_header("t", 1, {0})), Tensor(DType::F32, {0})));
}

TEST(OnnxTensor, ReadsSmallIntegersFromInt32Data) {
  for (const bool packed : {true, false}) {
    EXPECT_EQ(numbers(decode(varint_tensor(DType::S8, {3}, 5, {-128, 0, 127}, packed))),
              (std::vector<double>{-128, 0, 127}));
    EXPECT_EQ(numbers(decode(varint_tensor(DType::U8, {2}, 5, {0, 255}, packed))), (std::vector<double>{0, 255}));
    EXPECT_EQ(numbers(decode(varint_tensor(DType::S16, {2}, 5, {-32768, 32767}, packed))),
              (std::vector<double>{-32768, 32767}));
    EXPECT_EQ(numbers(decode(varint_tensor(DType::U16, {1}, 5, {65535}, packed))), (std::vector<double>{65535}));
    EXPECT_EQ(numbers(decode(varint_tensor(DType::S32, {2}, 5, {-2147483648, 7}, packed))),
              (std::vector<double>{-2147483648.0, 7}));
    EXPECT_EQ(numbers(decode(varint_tensor(DType::Bool, {2}, 5, {0, 1}, packed))), (std::vector<double>{0, 1}));
    EXPECT_EQ(numbers(decode(varint_tensor(DType::S64, {2}, 7, {-5, 1LL << 40}, packed))),
              (std::vector<double>{-5, 0x1p40}));
    EXPECT_EQ(numbers(decode(varint_tensor(DType::U32, {1}, 11, {4294967295}, packed))),
              (std::vector<double>{4294967295.0}));
    EXPECT_EQ(numbers(decode(varint_tensor(DType::U64, {1}, 11, {-1}, packed))), (std::vector<double>{0x1p64}));
  }
}

TEST(OnnxTensor, ReadsSmallFloatsAsBitPatternsFromInt32Data) {
  EXPECT_EQ(numbers(decode(varint_tensor(DType::F16, {2}, 5, {0x3C00, 0xC000}, true))), (std::vector<double>{1, -2}));
  EXPECT_EQ(numbers(decode(varint_tensor(DType::BF16, {2}, 5, {0x3F80, 0xC000}, true))), (std::vector<double>{1, -2}));
  EXPECT_EQ(numbers(decode(varint_tensor(DType::F8E4M3, {2}, 5, {0x38, 0xC0}, true))), (std::vector<double>{1, -2}));
  EXPECT_EQ(numbers(decode(varint_tensor(DType::F8E5M2, {2}, 5, {0x3C, 0xC0}, true))), (std::vector<double>{1, -2}));
}

TEST(OnnxTensor, ReadsTwoPackedNibblesFromEachInt32) {
  EXPECT_EQ(numbers(decode(varint_tensor(DType::S4, {3}, 5, {0x7F, 0x08}, true))), (std::vector<double>{-1, 7, -8}));
  EXPECT_EQ(numbers(decode(varint_tensor(DType::U4, {4}, 5, {0x7F, 0x08}, false))), (std::vector<double>{15, 7, 8, 0}));
}

TEST(OnnxTensor, ReadsFloatDataPackedAndSingly) {
  WireMessage single = tensor_header("t", 1, {2});
  single.add_float(4, 1.5f);
  single.add_float(4, -2);
  EXPECT_EQ(numbers(decode(single)), (std::vector<double>{1.5, -2}));
  const float values[] = {1.5f, -2};
  WireMessage packed = tensor_header("t", 1, {2});
  packed.add_text(4, {reinterpret_cast<const char*>(values), sizeof values});
  EXPECT_EQ(numbers(decode(packed)), (std::vector<double>{1.5, -2}));
  WireMessage complex = tensor_header("t", static_cast<int>(DType::C64), {1});
  complex.add_text(4, {reinterpret_cast<const char*>(values), sizeof values});
  EXPECT_EQ(decode(complex).data<std::complex<float>>()[0], std::complex<float>(1.5f, -2));
  const double wide[] = {0.1, 3};
  WireMessage doubles = tensor_header("t", static_cast<int>(DType::F64), {2});
  doubles.add_text(10, {reinterpret_cast<const char*>(wide), sizeof wide});
  EXPECT_EQ(numbers(decode(doubles)), (std::vector<double>{0.1, 3}));
}

TEST(OnnxTensor, NeverCopiesRawData) {
  const auto owner =
      std::make_shared<const std::string>(raw_tensor("t", DType::F32, {1000}, std::string(4000, 'x')).bytes());
  const Tensor tensor = onnx::read_tensor(std::as_bytes(std::span(*owner)), owner);
  const auto* data = reinterpret_cast<const char*>(tensor.bytes().data());
  EXPECT_GE(data, owner->data());
  EXPECT_LT(data, owner->data() + owner->size());
  EXPECT_EQ(owner.use_count(), 2);
}

TEST(OnnxTensor, TurnsAnyNonZeroBooleanByteIntoTrue) {
  const Tensor tensor = decode(raw_tensor("t", DType::Bool, {4}, std::string("\x00\x01\x02\xff", 4)));
  EXPECT_EQ(numbers(tensor), (std::vector<double>{0, 1, 1, 1}));
  EXPECT_EQ(std::to_integer<int>(tensor.bytes()[3]), 1);
}

TEST(OnnxTensor, MakesSparseTensorsDense) {
  GraphParts parts;
  parts.nodes = {
      node("Identity", {"s"}, {"y"}), node("Identity", {"c"}, {"z"}),
      node("Constant", {}, {"c"},
           {sparse_attribute("sparse_value", sparse_tensor(tensor<float>("", {2}, {5, 6}),
                                                           tensor<std::int64_t>("", {2, 2}, {0, 1, 1, 2}), {2, 3}))})};
  parts.outputs = {value("y"), value("z")};
  parts.sparse = {sparse_tensor(tensor<float>("s", {2}, {7, 8}), tensor<std::int64_t>("", {2}, {0, 3}), {4})};
  const Graph graph = read(model(onnx_builder::graph(std::move(parts))));
  EXPECT_EQ(numbers(*graph.constant(graph.find_value("s"))), (std::vector<double>{7, 0, 0, 8}));
  EXPECT_EQ(numbers(*graph.constant(graph.find_value("c"))), (std::vector<double>{0, 5, 0, 0, 0, 6}));
}

}  // namespace
}  // namespace adze
