#include "adze/engine/weight_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/graph/text.h"

namespace adze {
namespace {

using engine::WeightCache;
using engine::WeightFile;

struct WeightCacheTest : testing::Test {
  std::filesystem::path path = std::filesystem::temp_directory_path() / cat("adze-weights-", ::getpid());
  ~WeightCacheTest() override { std::filesystem::remove(path); }

  /// Packs 100 numbers under a key; says how often it had to.
  static std::span<const float> pack(WeightCache& cache, int& times, int node = 3, std::int64_t count = 100) {
    return cache.packed_as<float>(static_cast<NodeId>(node), "w", count, [&](std::span<float> to) {
      ++times;
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(i) + 0.5f;
    });
  }
};

TEST_F(WeightCacheTest, PacksOnceAndAligns) {
  WeightCache cache;
  int times = 0;
  const auto first = pack(cache, times), second = pack(cache, times);
  EXPECT_EQ(times, 1);
  EXPECT_EQ(first.data(), second.data());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first.data()) % 64, 0U);
  EXPECT_EQ(first[99], 99.5f);
  EXPECT_EQ(cache.bytes(), 400);
  EXPECT_TRUE(cache.has_new());
}

TEST_F(WeightCacheTest, TakesFromTheFileWhatItHas) {
  int times = 0;
  {
    WeightCache cache;
    pack(cache, times);
    pack(cache, times, 12345, 7);
    cache.save(path, "finger");
  }
  ASSERT_EQ(times, 2);
  WeightCache cache;
  cache.use(WeightFile::open(path, "finger"));
  EXPECT_EQ(pack(cache, times)[42], 42.5f);
  EXPECT_EQ(pack(cache, times, 12345, 7)[6], 6.5f);
  EXPECT_EQ(times, 2);
  EXPECT_FALSE(cache.has_new());
  pack(cache, times, 3000);
  EXPECT_EQ(times, 3);
  EXPECT_TRUE(cache.has_new());
}

TEST_F(WeightCacheTest, IgnoresFilesOfOtherModelsAndDamagedOnes) {
  int times = 0;
  WeightCache cache;
  pack(cache, times);
  EXPECT_EQ(WeightFile::open(path, "finger"), nullptr);
  cache.save(path, "finger");
  ASSERT_NE(WeightFile::open(path, "finger"), nullptr);
  EXPECT_EQ(WeightFile::open(path, "another"), nullptr);
  const std::string whole = read_text_file(path);
  for (std::size_t length = 0; length + 64 < whole.size(); length += 41) {  // the last blob is padded
    write_file(path, std::string_view(whole).substr(0, length));
    EXPECT_EQ(WeightFile::open(path, "finger"), nullptr) << length;
  }
  for (std::size_t at = 0; at < 54; at += 3) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    write_file(path, damaged);
    EXPECT_EQ(WeightFile::open(path, "finger"), nullptr) << at;
  }
}

TEST_F(WeightCacheTest, FingerprintChangesWithWeightsStructureAndInstructionSet) {
  const std::string text = R"(graph "g" {
  input %x: f32[1, 4]
  constant %w: f32[4, 2] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
  %y = MatMul(%x, %w) "m"
  output %y
})";
  const auto of = [](std::string changed, const std::string& from, const std::string& to, const std::string& isa) {
    if (!from.empty()) changed.replace(changed.find(from), from.size(), to);
    return engine::weight_fingerprint(parse_graph(changed), isa);
  };
  const std::string base = of(text, "", "", "avx2");
  EXPECT_EQ(of(text, "", "", "avx2"), base);
  EXPECT_NE(of(text, "", "", "ref"), base);
  EXPECT_NE(of(text, "8.0", "9.0", "avx2"), base);
  EXPECT_NE(of(text, "1, 4", "2, 4", "avx2"), base);
}

TEST_F(WeightCacheTest, CopiesSmallConstantsOfFilesOnly) {
  write_file(path, std::string(200'000, 'x'));
  const auto file = MappedFile::open(path);
  const auto small = file->bytes().subspan(100, 400), large = file->bytes().subspan(0, 100'000);
  WeightCache cache;
  const auto node = static_cast<NodeId>(3);
  const std::byte* copy = cache.resident(node, 1, small);
  EXPECT_NE(copy, small.data());
  EXPECT_TRUE(std::equal(small.begin(), small.end(), copy));
  EXPECT_EQ(cache.resident(node, 1, small), copy);
  EXPECT_NE(cache.resident(node, 2, small), copy);
  EXPECT_EQ(cache.resident(node, 0, large), large.data());
  EXPECT_EQ(cache.resident(NodeId::None, 1, small), small.data());
  const std::vector<std::byte> own(100);
  EXPECT_EQ(cache.resident(node, 4, own), own.data());
}

}  // namespace
}  // namespace adze
