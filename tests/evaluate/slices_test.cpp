#include "adze/evaluate/slices.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze {
namespace {

class Names final : public Dataset {
 public:
  std::int64_t size() const override { return 4; }
  Sample get(std::int64_t) const override { return {}; }
  std::int64_t label(std::int64_t index) const override { return index / 2; }
  std::string name(std::int64_t index) const override {
    return cat(index / 2 == 0 ? "cat" : "dog", "/", index, ".jpg");
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::string description() const override { return "names"; }

 private:
  std::vector<std::string> names_ = {"cat", "dog"};
};

EvaluateResult result_of(std::vector<std::int64_t> predictions) {
  EvaluateResult result;
  result.indices = {0, 1, 2, 3};
  result.labels = {0, 0, 1, 1};
  result.predictions = std::move(predictions);
  return result;
}

TEST(CompareSlices, CountsByClassAndGroupAndListsNewMistakes) {
  const auto path = std::filesystem::temp_directory_path() / "adze_groups.csv";
  write_file(path, std::string_view("sample,group\ncat/1.jpg,night\n\"dog/3.jpg\",night\n2.jpg,day\n"));
  const auto groups = read_sample_groups(path);
  std::filesystem::remove(path);
  const auto comparison = compare_slices(result_of({0, 0, 1, 0}), result_of({0, 1, 1, 1}), Names(), groups);
  ASSERT_EQ(comparison.slices.size(), 4u);  // cat, dog, day, night
  EXPECT_EQ(comparison.slices[0].name, "class cat");
  EXPECT_DOUBLE_EQ(comparison.slices[0].drop(), 0.5);
  EXPECT_DOUBLE_EQ(comparison.slices[1].drop(), -0.5);
  EXPECT_EQ(comparison.slices[3].name, "group night");
  EXPECT_EQ(comparison.slices[3].correct_before, 1);
  EXPECT_EQ(comparison.slices[3].correct_after, 1);
  EXPECT_EQ(comparison.worst().name, "class cat");
  ASSERT_EQ(comparison.new_mistakes.size(), 1u);
  EXPECT_EQ(comparison.new_mistakes[0].sample, "cat/1.jpg");
}

TEST(CompareSlices, RefusesGroupsOfUnknownSamples) {
  EXPECT_THROW(compare_slices(result_of({0, 0, 1, 1}), result_of({0, 0, 1, 1}), Names(), {{"ghosts", {"9.jpg"}}}),
               UsageError);
}

}  // namespace
}  // namespace adze
