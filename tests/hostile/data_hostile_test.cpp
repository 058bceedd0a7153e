// Hostile data files: each refused (or passed over) in under a second, with the right exit code and its name.

#include <gtest/gtest.h>
#include <zstd.h>

#include <functional>

#include "adze/base/error.h"
#include "adze/data/dataset.h"
#include "adze/data/npy.h"
#include "tests/data/data_files.h"
#include "tests/hostile/hostile.h"

namespace adze {
namespace {

using test::ramp;
using test::tar_entry;
using test::TemporaryFolder;
using test::text_of;

constexpr int bad_input = 3, unsupported = 4, resource_limit = 6;
constexpr long memory_limit = 256L << 20;

/// Decodes the file's bytes as a picture.
void expect_picture(const std::string& bytes, int exit_code, const std::string& says) {
  const auto outcome = hostile::outcome_of([&] { decode_picture(std::as_bytes(std::span(bytes)), "evil.pic"); });
  hostile::expect_outcome(outcome, exit_code, says, "");
  EXPECT_EQ(outcome.file, "evil.pic");
}

/// Opens the file as a data set and reads its first sample.
void expect_dataset(const std::string& name, const std::string& bytes, int exit_code, const std::string& says,
                    const std::string& inside = "") {
  const TemporaryFolder folder;
  const auto path = folder.add(name, bytes);
  const long before = hostile::peak_memory_bytes();
  const auto outcome = hostile::outcome_of([&] { open_dataset(path.string() + inside)->get(0); });
  hostile::expect_outcome(outcome, exit_code, says, "");
  EXPECT_NE(outcome.file.find(name), std::string::npos) << "the file is: " << outcome.file;
  EXPECT_LT(hostile::peak_memory_bytes() - before, memory_limit);
}

std::string png() {
  return text_of(encode_png(ramp(16, 16, 3)));
}
std::string jpeg() {
  return text_of(encode_jpeg(ramp(32, 32, 3), 90));
}

std::string with(std::string text, std::size_t offset, const std::string& bytes) {
  return text.replace(offset, bytes.size(), bytes);
}

/// Also makes the chunk's checksum right again.
std::string with_png_size(const std::string& size) {
  std::string text = with(png(), 16, size);
  std::uint32_t crc = 0xFFFFFFFFU;
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<unsigned char>(text[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  crc = ~crc;
  for (int i = 0; i < 4; ++i) text[29 + i] = static_cast<char>(crc >> (24 - 8 * i));
  return text;
}

std::string with_jpeg_size(const std::string& size) {
  std::string text = jpeg();
  return with(text, text.find("\xFF\xC0") + 5, size);
}

TEST(HostilePicture, EmptyFile) {
  expect_picture("", bad_input, "empty");
}
TEST(HostilePicture, OnlyTheMagicOfAPng) {
  expect_picture(png().substr(0, 8), bad_input, "too early");
}
TEST(HostilePicture, TruncatedPng) {
  expect_picture(png().substr(0, png().size() / 2), bad_input, "too early");
}
TEST(HostilePicture, PngThatPromisesTerabytes) {
  expect_picture(with_png_size(std::string("\0\x0f\x42\x40\0\x0f\x42\x40", 8)), resource_limit,
                 "larger than the limit");
}
TEST(HostilePicture, PngThatPromisesMoreThanItsBytesCanHold) {
  expect_picture(with_png_size(std::string("\0\0\x1f\0\0\0\x1f\0", 8)), bad_input, "has only");
}
TEST(HostilePicture, PngWithoutWidth) {
  expect_picture(with_png_size(std::string("\0\0\0\0\0\0\0\x10", 8)), bad_input, "PNG");
}
TEST(HostilePicture, PngWithAFlippedBit) {
  std::string text = png();
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 4);
  expect_picture(text, bad_input, "damaged PNG");
}
TEST(HostilePicture, TruncatedJpeg) {
  expect_picture(jpeg().substr(0, jpeg().size() - 60), bad_input, "damaged JPEG");
}
TEST(HostilePicture, JpegThatEndsInItsHeader) {
  expect_picture(jpeg().substr(0, 30), bad_input, "damaged JPEG");
}
TEST(HostilePicture, JpegThatPromisesGigapixels) {
  expect_picture(with_jpeg_size("\xff\xdc\xff\xdc"), resource_limit, "larger than");
}
TEST(HostilePicture, JpegThatPromisesMoreThanItsBytesCanHold) {
  expect_picture(with_jpeg_size("\x1f\x40\x1f\x40"), bad_input, "has only");
}
TEST(HostilePicture, JpegWithoutHeight) {
  expect_picture(with_jpeg_size(std::string("\0\0\0\x20", 4)), bad_input, "JPEG");
}
TEST(HostilePicture, ProgressiveJpegOfEndlessScans) {
  // The last scan of a real file, repeated. A baseline file with extra scans is refused as damaged at the first.
  std::string text = jpeg();
  const std::string scan = text.substr(text.find("\xFF\xDA"), text.size() - text.find("\xFF\xDA") - 2);
  text[text.find("\xFF\xC0") + 1] = '\xC2';
  for (int i = 0; i < 3000; ++i) text.insert(text.size() - 2, scan);
  expect_picture(text, bad_input, "JPEG");
}

std::string npy(const std::string& shape, const std::string& descr = "<f4", const std::string& data = "1234") {
  const std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

TEST(HostileNpy, ShapeThatOverflows) {
  expect_dataset("a.npy", npy("(4611686018427387904, 4611686018427387904)"), bad_input, "overflow");
}
TEST(HostileNpy, ShapeLargerThanTheFile) {
  expect_dataset("a.npy", npy("(1000000, 1000000)"), bad_input, "promises");
}
TEST(HostileNpy, NegativeDimension) {
  expect_dataset("a.npy", npy("(-1,)"), bad_input, "bad dimension");
}
TEST(HostileNpy, HeaderLongerThanTheFile) {
  expect_dataset("a.npy", std::string("\x93NUMPY\x02\0\xff\xff\xff\x7f{", 13), bad_input, "longer than the file");
}
TEST(HostileNpy, UnfinishedHeader) {
  expect_dataset("a.npy", std::string("\x93NUMPY\x01\0\x0a\0{'descr': ", 20), bad_input, "npy header");
}
TEST(HostileNpy, PickledObjects) {
  expect_dataset("a.npy", npy("(1,)", "|O", "12345678"), unsupported, "|O");
}
TEST(HostileNpy, NoRows) {
  expect_dataset("a.npy", npy("(0, 4)", "<f4", ""), bad_input, "no samples");
}
TEST(HostileNpy, ScalarInsteadOfRows) {
  expect_dataset("a.npy", npy("()"), bad_input, "no samples");
}

std::string npz() {
  const TemporaryFolder folder;
  write_npz(folder / "a.npz", {{"x", Tensor(DType::F32, {4, 4})}});
  return read_text_file(folder / "a.npz");
}

TEST(HostileNpz, Truncated) {
  expect_dataset("a.npz", npz().substr(0, 100), bad_input, "truncated");
}
TEST(HostileNpz, DirectoryPointsOutside) {
  const std::string text = npz();
  expect_dataset("a.npz", with(text, text.size() - 6, "\xff\xff\xff\x7f"), bad_input, "outside");
}
TEST(HostileNpz, WrongChecksum) {
  const std::string text = npz();
  expect_dataset("a.npz", with(text, text.find("NUMPY") + 100, "!"), bad_input, "wrong CRC");
}
TEST(HostileNpz, UnpackedSizeThatLies) {
  const std::string text = npz();
  const auto row = text.find("PK\x01\x02");
  expect_dataset("a.npz", with(with(text, row + 10, "\x08"), row + 24, "\xff\xff\xff\x7f"), bad_input, "lies");
}
TEST(HostileNpz, UnknownMethod) {
  const std::string text = npz();
  expect_dataset("a.npz", with(text, text.find("PK\x01\x02") + 10, "\x0e"), unsupported, "method 14");
}
TEST(HostileNpz, Encrypted) {
  const std::string text = npz();
  expect_dataset("a.npz", with(text, text.find("PK\x01\x02") + 8, "\x01"), unsupported, "encrypted");
}

std::string packed(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

/// A header that promises a file of 8 GiB − 1.
std::string lying_tar() {
  std::string text = tar_entry("c/1.png", png());
  text.replace(124, 11, "77777777777");
  int sum = 0;
  text.replace(148, 8, 8, ' ');
  for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(text[i]);
  char octal[8];
  std::snprintf(octal, sizeof octal, "%06o", sum);
  return text.replace(148, 7, std::string(octal, 7));
}

TEST(HostileTar, SizeBeyondTheBudget) {
  expect_dataset("a.tar", lying_tar(), resource_limit, "archive holds more");
}
TEST(HostileTar, SizeBeyondTheBudgetInZstd) {
  expect_dataset("a.tar.zst", packed(lying_tar()), resource_limit, "archive holds more");
}
TEST(HostileTar, TruncatedWithinAFile) {
  const std::string text = tar_entry("c/1.png", png());
  expect_dataset("a.tar", text.substr(0, 700), bad_input, "ends within a file");
}
TEST(HostileTar, WrongChecksumInTheSecondHeader) {
  const std::string text = tar_entry("c/1.png", png());
  expect_dataset("a.tar", text + with(text, 3, "x"), bad_input, "wrong checksum");
}
TEST(HostileTar, NameOfUnreasonableLength) {
  expect_dataset("a.tar", tar_entry("@LongLink", std::string(100'000, 'a'), 'L'), bad_input, "unreasonable length");
}
TEST(HostileTar, NoPictures) {
  expect_dataset("a.tar", tar_entry("c/readme.txt", "x"), bad_input, "no data found");
}
TEST(HostileTar, PathsThatEscapeAreMereNames) {
  expect_dataset("a.tar", tar_entry("../../etc/passwd.png", "x"), bad_input, "not a JPEG or PNG");
}
TEST(HostileZstd, Truncated) {
  const std::string text = packed(tar_entry("c/1.png", png()));
  expect_dataset("a.tar.zst", text.substr(0, text.size() - 9), bad_input, "too early");
}
TEST(HostileZstd, Damaged) {
  const std::string text = packed(tar_entry("c/1.png", png()));
  expect_dataset("a.tar.zst", with(text, 4, std::string(text.size() - 4, '\xee')), bad_input, "zstd");
}
TEST(HostileZstd, Bomb) {
  // 1 GiB of zeros in 33 KB, as one file that nobody asked for.
  const std::string block = packed(std::string(64 << 20, '\0'));
  std::string header = tar_entry("big.bin", "");
  header.replace(124, 11, "10000000000");
  int sum = 0;
  header.replace(148, 8, 8, ' ');
  for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(header[i]);
  char octal[8];
  std::snprintf(octal, sizeof octal, "%06o", sum);
  std::string text = packed(header.replace(148, 7, std::string(octal, 7)));
  for (int i = 0; i < 16; ++i) text += block;
  expect_dataset("a.tar.zst", text, resource_limit, "far more than its size allows");
}

TEST(HostileIdx, DimensionsBeyondTheFile) {
  expect_dataset("a-ubyte", std::string("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16), bad_input,
                 "");
}
TEST(HostileIdx, EndsInItsHeader) {
  expect_dataset("a-ubyte", std::string("\0\0\x08\x08\0\0\0\1", 8), bad_input, "within its header");
}
TEST(HostileCifar, HalfARecord) {
  expect_dataset("data_batch_1.bin", std::string(5000, '\1'), bad_input, "not a CIFAR batch");
}
TEST(HostileCsv, RowOfAnotherLength) {
  expect_dataset("a.csv", "1,2,0\n1,0\n", bad_input, "line 2 has 2 columns");
}
TEST(HostileCsv, HeaderOnly) {
  expect_dataset("a.csv", "a,b,label\n", bad_input, "no rows");
}
TEST(HostileData, ArchivePathInAFileThatIsNone) {
  expect_dataset("a.csv", "1,2\n", bad_input, "not a .tar", ":x");
}

}  // namespace
}  // namespace adze
