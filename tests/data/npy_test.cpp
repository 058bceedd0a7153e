#include "adze/data/npy.h"

#include <gtest/gtest.h>

#include "tests/data/data_files.h"

namespace adze {
namespace {

using test::TemporaryFolder;

std::string npy(const std::string& header, const std::string& data) {
  std::string out = "\x93NUMPY\x01";
  out += '\0';
  out += static_cast<char>(header.size());
  out += '\0';
  return out + header + data;
}

Tensor read(const std::string& text) {
  const auto owner = std::make_shared<std::string>(text);
  return read_npy_bytes(std::as_bytes(std::span(*owner)), owner, "test.npy");
}

class NpyRoundTrip : public testing::TestWithParam<DType> {};

TEST_P(NpyRoundTrip, KeepsShapeAndBits) {
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{0, 3}, Shape{2, 3, 4}}) {
    Tensor tensor(GetParam(), shape);
    int seed = 1;
    for (std::byte& byte : tensor.mutable_bytes())
      byte = static_cast<std::byte>(GetParam() == DType::Bool ? seed++ % 2 : seed++);
    const Tensor back = read(write_npy_bytes(tensor));
    EXPECT_TRUE(identical(back, tensor)) << type_text(tensor) << " came back as " << type_text(back);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, NpyRoundTrip,
                         testing::Values(DType::F32, DType::F64, DType::F16, DType::BF16, DType::F8E4M3,
                                         DType::F8E4M3Fnuz, DType::F8E5M2, DType::F8E5M2Fnuz, DType::S8, DType::U8,
                                         DType::S16, DType::U16, DType::S32, DType::U32, DType::S64, DType::U64,
                                         DType::Bool, DType::C64, DType::C128));

TEST(Npy, StartsItsDataOnA64ByteBoundary) {
  const std::string bytes = write_npy_bytes(Tensor::from<float>({3}, {1, 2, 3}));
  EXPECT_EQ((bytes.size() - 12) % 64, 0U);
  EXPECT_NE(bytes.find("'shape': (3,)"), std::string::npos);
}

TEST(Npy, TurnsFortranOrderToRowMajor) {
  const std::string data("\1\2\3\4\5\6", 6);
  const Tensor tensor = read(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", data));
  EXPECT_TRUE(identical(tensor, Tensor::from<std::uint8_t>({2, 3}, {1, 3, 5, 2, 4, 6})));
}

TEST(Npy, SwapsBigEndianNumbers) {
  const std::string data("\x01\x02\xff\xfe", 4);
  const Tensor tensor = read(npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,)}", data));
  EXPECT_EQ(to_ints(tensor), (std::vector<std::int64_t>{258, -2}));
}

TEST(Npy, ReadsTextOfFixedLength) {
  const std::string wide("c\0\0\0a\0\0\0\xe9\0\0\0x\0\0\0\0\0\0\0\0\0\0\0", 24);
  const Tensor tensor = read(npy("{'descr': '<U3', 'fortran_order': False, 'shape': (2,)}", wide));
  EXPECT_EQ(tensor.data<std::string>()[0], "ca\xc3\xa9");
  EXPECT_EQ(tensor.data<std::string>()[1], "x");
}

TEST(Npy, RefusesWhatItCannotHold) {
  EXPECT_THROW(read(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "12345678")), UnsupportedError);
  EXPECT_THROW(read(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234")), UnsupportedError);
  EXPECT_THROW(write_npy_bytes(Tensor(DType::S4, {4})), UnsupportedError);
}

TEST(Npz, HoldsNamedArrays) {
  const TemporaryFolder folder;
  const NamedTensors tensors = {{"x", Tensor::from<float>({2, 2}, {1, 2, 3, 4})}, {"y", Tensor::ints({0, 1})}};
  write_npz(folder / "a.npz", tensors);
  const NamedTensors back = read_npz(folder / "a.npz");
  ASSERT_EQ(back.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(back[i].first, tensors[i].first);
    EXPECT_TRUE(identical(back[i].second, tensors[i].second));
  }
}

// Written by Python's zipfile with deflate: x = [0] * 20 + [1] * 20 as u1.
TEST(Npz, InflatesCompressedArrays) {
  const std::string hex =
      "504b030414000000080000002100d6f8fedd470000006c00000005000000782e6e70799bec17ea1b10c9c860c550ad9e925a"
      "9c5ca46ea5a05e536aa8aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a26063a9a3a0ab50c"
      "580023160000504b0102140314000000080000002100d6f8fedd470000006c00000005000000000000000000000080010000"
      "0000782e6e7079504b05060000000001000100330000006a0000000000";
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  const auto owner = std::make_shared<std::string>(bytes);
  const NamedTensors arrays = read_npz_bytes(std::as_bytes(std::span(*owner)), owner, "a.npz");
  ASSERT_EQ(arrays.size(), 1U);
  ASSERT_EQ(arrays[0].second.shape(), (Shape{40}));
  EXPECT_EQ(arrays[0].second.get_int(19), 0);
  EXPECT_EQ(arrays[0].second.get_int(20), 1);
}

TEST(Npz, RefusesMoreThanTheBudget) {
  const TemporaryFolder folder;
  write_npz(folder / "a.npz", {{"x", Tensor(DType::F32, {1000})}});
  EXPECT_THROW(read_npz(folder / "a.npz", 1000), LimitError);
}

}  // namespace
}  // namespace adze
