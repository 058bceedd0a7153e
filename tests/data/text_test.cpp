#include "adze/data/text_dataset.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "adze/base/error.h"
#include "adze/data/dataset.h"
#include "data_files.h"

namespace adze {
namespace {

std::optional<std::vector<std::int32_t>> decode(const std::string& text) {
  return decode_utf8(std::as_bytes(std::span(text)));
}

TEST(Utf8, DecodesAndRefuses) {
  EXPECT_EQ(decode("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), (std::vector<std::int32_t>{'a', 0xE4, 0x20AC, 0x1F600}));
  EXPECT_EQ(decode(""), std::vector<std::int32_t>());
  for (const char* wrong : {"\xC3", "\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF0\x80\x80\x80", "\xFF", "\xE2\x28\xA1", "ab\xE2\x82"}) {
    EXPECT_EQ(decode(wrong), std::nullopt);
  }
}

TEST(Vocabulary, RoundTripsAndRefuses) {
  const std::vector<std::int64_t> vocabulary = {0, 10, 97, 0x10FFFF};
  EXPECT_EQ(parse_vocabulary(vocabulary_json(vocabulary)), vocabulary);
  for (const char* wrong :
       {"", "[]", "{}", "[1,1]", "[2,1]", "[-1]", "[1114112]", "[1.5]", "[\"a\"]", "[1", "[1e99]"}) {
    EXPECT_THROW(parse_vocabulary(wrong), ModelError) << wrong;
  }
}

std::shared_ptr<Dataset> open(const std::filesystem::path& path, const std::string& split, Preprocessing how = {}) {
  DatasetOptions options;
  options.split = split;
  return open_dataset(path, how, options);
}

std::vector<std::int64_t> ints(const Tensor& tensor) {
  return to_ints(tensor);
}

TEST(TextDataset, GivesWindowsAndTheSameOneCharacterLater) {
  const test::TemporaryFolder folder;
  const auto path = folder.add("a.txt", std::string("cabbaccabcabbaccabca"));
  Preprocessing how;
  how.sample_shape = {4};
  const auto data = open(path, "train", how);  // 16 characters
  ASSERT_EQ(data->size(), 3);
  EXPECT_EQ(ints(data->get(0).input), (std::vector<std::int64_t>{2, 0, 1, 1}));
  EXPECT_EQ(ints(*data->get(0).target), (std::vector<std::int64_t>{0, 1, 1, 0}));
  EXPECT_EQ(ints(data->get(1).input), (std::vector<std::int64_t>{0, 2, 2, 0}));
  EXPECT_EQ(data->get(0).input.shape(), (Shape{1, 4}));
  EXPECT_EQ(data->metadata().at("adze.vocabulary"), "[97,98,99]");
  EXPECT_EQ(data->get(2).label, -1);
}

TEST(TextDataset, CutsTheTextIntoThreeParts) {
  const test::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(32 + i % 90);
  const auto path = folder.add("a.txt", text);
  Preprocessing how;
  how.sample_shape = {9};
  EXPECT_EQ(open(path, "train", how)->size(), 799 / 9);
  EXPECT_EQ(open(path, "validation", how)->size(), 99 / 9);
  EXPECT_EQ(open(path, "test", how)->size(), 99 / 9);
  EXPECT_EQ(open(path, "all", how)->size(), 999 / 9);
  EXPECT_EQ(ints(open(path, "test", how)->get(0).input)[0], 900 % 90);
  EXPECT_THROW(open(path, ""), ModelError);
  EXPECT_THROW(open(path, "dev"), ModelError);
}

TEST(TextDataset, UsesTheModelsVocabularyAndNamesWhatItLacks) {
  const test::TemporaryFolder folder;
  const auto path = folder.add("a.txt", std::string("abababababababababab"));
  Preprocessing how;
  how.sample_shape = {4};
  how.vocabulary = {10, 97, 98, 99};
  how.dtype = DType::S32;
  const auto data = open(path, "all", how);
  EXPECT_EQ(ints(data->get(0).input), (std::vector<std::int64_t>{1, 2, 1, 2}));
  EXPECT_EQ(data->get(0).input.dtype(), DType::S32);
  EXPECT_EQ(data->get(0).target->dtype(), DType::S64);
  how.vocabulary = {97};
  EXPECT_THROW(open(path, "all", how), ModelError);
}

TEST(TextDataset, FallsBackToBytes) {
  const test::TemporaryFolder folder;
  const auto path = folder.add("a.txt", std::string("\xFF\xFE\xFF\xFE\xFF\xFE\xFF\xFE"));
  Preprocessing how;
  how.sample_shape = {3};
  EXPECT_EQ(open(path, "all", how)->metadata().at("adze.vocabulary"), "[254,255]");
}

TEST(TextDataset, RefusesWhatIsTooShortOrNoRow) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(open(folder.add("a.txt", std::string()), "all"), ModelError);
  EXPECT_THROW(open(folder.add("b.txt", std::string(64, 'a')), "all"), ModelError);
  EXPECT_EQ(open(folder.add("c.txt", std::string(65, 'a')), "all")->size(), 1);
  Preprocessing how;
  how.sample_shape = {3, 32, 32};
  EXPECT_THROW(open(folder.add("d.txt", std::string(9999, 'a')), "all", how), ModelError);
  how.sample_shape = {0};
  EXPECT_THROW(open(folder / "d.txt", "all", how), ModelError);
  DatasetOptions options;
  options.split = "all";
  options.max_memory_bytes = 1000;
  EXPECT_THROW(open_dataset(folder / "d.txt", {}, options), ModelError);
}

TEST(TextDataset, BeginsAnywhereWithJitter) {
  const test::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 60; ++i) text += static_cast<char>('0' + i);
  const auto path = folder.add("a.txt", text);
  Preprocessing how;
  how.sample_shape = {20};
  const auto data = open(path, "all", how);
  std::set<std::int64_t> begins;
  for (std::int64_t epoch = 0; epoch < 400; ++epoch) {
    const Sample sample = data->get_augmented(0, parse_augment("jitter"), augment_random(1, epoch, 0));
    begins.insert(ints(sample.input)[0]);
    EXPECT_EQ(ints(*sample.target)[19], ints(sample.input)[0] + 20);
  }
  EXPECT_EQ(begins.size(), 40u);
  EXPECT_TRUE(identical(data->get_augmented(1, {}, Random(1)).input, data->get(1).input));
}

TEST(SharedText, HasTheCharactersOfShakespeare) {
  const char* root = std::getenv("ADZE_DATA");
  if (root == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  const auto data = open(std::filesystem::path(root) / "shakespeare.txt", "test");
  EXPECT_EQ(data->size(), (1115394 - 1115394 / 10 * 9 - 1) / 64);
  EXPECT_EQ(parse_vocabulary(data->metadata().at("adze.vocabulary")).size(), 65u);
}

}  // namespace
}  // namespace adze
