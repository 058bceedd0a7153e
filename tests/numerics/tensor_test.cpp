#include "adze/numerics/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace adze {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;

TEST(Tensor, StartsAsZeros) {
  const Tensor tensor(DType::F64, {2, 3});
  EXPECT_EQ(tensor.size(), 6);
  EXPECT_EQ(tensor.num_bytes(), 48);
  for (const double x : tensor.data<double>()) EXPECT_EQ(x, 0);
  EXPECT_EQ(Tensor(DType::String, {1}).data<std::string>()[0], "");
  EXPECT_EQ(type_text(tensor), "f64[2, 3]");
}

TEST(Tensor, CopiesShareUntilOneIsWritten) {
  Tensor a = Tensor::from<float>({2}, {1, 2});
  Tensor b = a;
  EXPECT_EQ(a.bytes().data(), b.bytes().data());
  b.mutable_data<float>()[0] = 9;
  EXPECT_EQ(to_floats(a), (Floats{1, 2}));
  EXPECT_EQ(to_floats(b), (Floats{9, 2}));
  const std::byte* alone = b.bytes().data();
  b.mutable_data<float>()[1] = 8;  // not shared any more: no copy
  EXPECT_EQ(b.bytes().data(), alone);
}

TEST(Tensor, ReshapedSharesItsElements) {
  const Tensor a = Tensor::from<float>({2, 2}, {1, 2, 3, 4});
  const Tensor b = a.reshaped({4});
  EXPECT_EQ(a.bytes().data(), b.bytes().data());
  EXPECT_THROW(a.reshaped({3}), ModelError);
}

TEST(Tensor, ViewsKeepTheirOwnerAndAreCopiedWhenWritten) {
  auto owner = std::make_shared<std::vector<float>>(Floats{1, 2});
  const std::weak_ptr<std::vector<float>> watch = owner;
  Tensor view = Tensor::view(DType::F32, {2}, owner, std::as_bytes(std::span(*owner)));
  owner.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(to_floats(view), (Floats{1, 2}));
  view.mutable_data<float>()[0] = 5;
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(to_floats(view), (Floats{5, 2}));
}

TEST(Tensor, ReadsUnalignedViews) {
  std::vector<std::byte> bytes(9);
  const float values[] = {1.5f, -2};
  std::memcpy(bytes.data() + 1, values, sizeof values);
  const Tensor view = Tensor::view(DType::F32, {2}, nullptr, std::span(bytes).subspan(1));
  EXPECT_EQ(view.bytes().data(), bytes.data() + 1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data<float>().data()) % alignof(float), 0u);
  EXPECT_EQ(to_floats(view), (Floats{1.5f, -2}));
}

TEST(Tensor, ViewsMustFitTheirShape) {
  std::vector<std::byte> bytes(8);
  EXPECT_THROW(Tensor::view(DType::F32, {3}, nullptr, bytes), ModelError);
  EXPECT_THROW(Tensor::view(DType::F32, {1}, nullptr, bytes), ModelError);
  EXPECT_THROW(Tensor::view(DType::F32, {-2}, nullptr, bytes), ModelError);
}

TEST(Tensor, PacksTwoNibblesAByte) {
  Tensor tensor(DType::S4, {3});
  EXPECT_EQ(tensor.num_bytes(), 2);
  tensor.set_int(0, -8);
  tensor.set_int(1, 7);
  tensor.set_int(2, -1);
  EXPECT_EQ(std::to_integer<int>(tensor.bytes()[0]), 0x78);  // even index in the low nibble
  EXPECT_EQ(std::to_integer<int>(tensor.bytes()[1]), 0x0F);
  EXPECT_EQ(to_ints(tensor), (Ints{-8, 7, -1}));
  EXPECT_EQ(to_ints(converted(tensor, DType::U4)), (Ints{8, 7, 15}));
  EXPECT_EQ(storage_bytes(DType::U4, 5), 3);
}

TEST(Tensor, RefusesSizesBeyondItsLimits) {
  EXPECT_THROW(Tensor(DType::U8, {std::int64_t{1} << 40}), LimitError);
  EXPECT_THROW(Tensor(DType::U8, {std::int64_t{1} << 40, std::int64_t{1} << 40}), ModelError);
  EXPECT_THROW(Tensor(DType::U8, {-1}), ModelError);
  EXPECT_TRUE(Tensor(DType::U8, {std::int64_t{1} << 40, 0}).empty());
  const std::int64_t old = max_tensor_bytes();
  set_max_tensor_bytes(16);
  EXPECT_NO_THROW(Tensor(DType::F32, {4}));
  EXPECT_THROW(Tensor(DType::F32, {5}), LimitError);
  set_max_tensor_bytes(old);
}

TEST(Tensor, GivesElementsInTheTypeTheyHaveOnly) {
  const Tensor tensor(DType::F32, {1});
  EXPECT_THROW(tensor.data<double>(), InternalError);
  EXPECT_THROW(Tensor(DType::String, {1}).bytes(), InternalError);
}

TEST(Converted, TruncatesFloatsAndWrapsIntegers) {
  const Tensor x = Tensor::from<float>({4}, {-1.9f, 2.9f, std::numeric_limits<float>::quiet_NaN(), 300});
  EXPECT_EQ(to_ints(converted(x, DType::S32)), (Ints{-1, 2, 0, 300}));
  EXPECT_EQ(to_ints(converted(x, DType::U8)), (Ints{255, 2, 0, 44}));
  EXPECT_EQ(to_ints(converted(x, DType::Bool)), (Ints{1, 1, 1, 1}));
  EXPECT_EQ(to_floats(converted(Tensor::from<bool>({2}, {true, false}), DType::F16)), (Floats{1, 0}));
  EXPECT_THROW(converted(x, DType::C64), UnsupportedError);
}

TEST(Identical, ComparesTypesShapesAndBits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(identical(Tensor::scalar(nan), Tensor::scalar(nan)));
  EXPECT_FALSE(identical(Tensor::scalar(0.0f), Tensor::scalar(-0.0f)));
  EXPECT_FALSE(identical(Tensor::from<float>({1}, {0}), Tensor::scalar(0.0f)));
  EXPECT_FALSE(identical(Tensor(DType::S32, {1}), Tensor(DType::F32, {1})));
  EXPECT_TRUE(identical(Tensor::scalar<std::string>("a"), Tensor::scalar<std::string>("a")));
}

}  // namespace
}  // namespace adze
