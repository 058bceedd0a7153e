#include "adze/data/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "adze/base/hash.h"
#include "adze/data/synthetic.h"

namespace adze {
namespace {

// Samples must have the same bytes on every machine, or the committed network's accuracy means nothing.
TEST(Synthetic, DrawsTheSamePixelsEverywhere) {
  Sha256 train, test;
  for (int i = 0; i < 24; ++i) {
    const Picture first = draw_synthetic(SyntheticSplit::Train, i), second = draw_synthetic(SyntheticSplit::Test, i);
    train.update(std::as_bytes(std::span(first.pixels)));
    test.update(std::as_bytes(std::span(second.pixels)));
  }
  EXPECT_EQ(train.finish_hex(), "1247ec508ce36e760494ca2c63878aa3df2becd626409ee9f0f8dfb80c7d46f4");
  EXPECT_EQ(test.finish_hex(), "8fc9e08f5b94cf1bd2440d1846b9b0a8bde5f88bd1e6500242b362e664db49f0");
}

TEST(Synthetic, IsABalancedDatasetOfTwelveClasses) {
  const auto data = open_dataset("demo:test");
  EXPECT_EQ(data->size(), 2400);
  EXPECT_EQ(data->class_names().size(), 12U);
  std::map<std::int64_t, int> counts;
  for (std::int64_t i = 0; i < data->size(); ++i) ++counts[data->label(i)];
  for (const auto& [label, count] : counts) EXPECT_EQ(count, 200) << label;
  EXPECT_EQ(open_dataset("demo", {}, {.split = "train"})->size(), 7200);
  EXPECT_THROW(open_dataset("demo:tset"), UsageError);
}

TEST(Sampling, RepeatsForOneSeedAndDiffersForAnother) {
  const auto data = open_dataset("demo:test");
  for (const Sampling sampling : {Sampling::Random, Sampling::Stratified}) {
    const auto indices = sample_indices(*data, 100, 7, sampling);
    EXPECT_EQ(indices, sample_indices(*data, 100, 7, sampling));
    EXPECT_NE(indices, sample_indices(*data, 100, 8, sampling));
    EXPECT_EQ(indices.size(), 100U);
    EXPECT_TRUE(std::is_sorted(indices.begin(), indices.end()));
    EXPECT_EQ(std::adjacent_find(indices.begin(), indices.end()), indices.end());
  }
}

TEST(Sampling, StratifiedTakesEquallyManyOfEachClass) {
  const auto data = open_dataset("demo:test");
  std::map<std::int64_t, int> counts;
  for (const std::int64_t i : sample_indices(*data, 60, 1)) ++counts[data->label(i)];
  EXPECT_EQ(counts.size(), 12U);
  for (const auto& [label, count] : counts) EXPECT_EQ(count, 5) << label;
}

TEST(Batches, AreTheSameWithAndWithoutPrefetch) {
  const auto data = open_dataset("demo:test");
  const auto indices = sample_indices(*data, 25, 3);
  BatchLoader ahead(*data, indices, {.batch_size = 8, .prefetch = 2});
  BatchLoader plain(*data, indices, {.batch_size = 8, .prefetch = 0});
  std::int64_t samples = 0;
  while (const auto batch = plain.next()) {
    const auto other = ahead.next();
    ASSERT_TRUE(other.has_value());
    EXPECT_TRUE(identical(batch->inputs, other->inputs));
    EXPECT_EQ(batch->labels, other->labels);
    EXPECT_EQ(data->get(batch->indices[0]).input.data<float>()[100], batch->inputs.data<float>()[100]);
    samples += batch->size();
  }
  EXPECT_EQ(samples, 25);
  EXPECT_FALSE(ahead.next().has_value());
}

TEST(Batches, MayBeAbandonedEarly) {
  const auto data = open_dataset("demo:train");
  BatchLoader loader(*data, sample_indices(*data, 0, 0), {.batch_size = 2});
  EXPECT_EQ(loader.next()->size(), 2);
}

TEST(Batches, RefuseSamplesOfDifferentShapes) {
  const std::vector<Tensor> tensors = {Tensor(DType::F32, {1, 2}), Tensor(DType::F32, {1, 3})};
  EXPECT_THROW(stack(tensors), ModelError);
}

}  // namespace
}  // namespace adze
