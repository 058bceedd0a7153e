#include "adze/data/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/data/batches.h"
#include "adze/data/synthetic.h"

namespace adze {
namespace {

/// Numbers that start at 1, so that a zero is never one of them.
Tensor counting(Shape shape) {
  Tensor tensor(DType::F32, std::move(shape));
  std::iota(tensor.mutable_data<float>().begin(), tensor.mutable_data<float>().end(), 1.0f);
  return tensor;
}

std::vector<float> values(const Tensor& tensor) {
  return {tensor.data<float>().begin(), tensor.data<float>().end()};
}

TEST(Augment, CropsAWindowOfThePaddedPicture) {
  const Tensor picture = counting({1, 2, 3, 4});
  std::set<std::vector<float>> seen;
  for (std::int64_t i = 0; i < 200; ++i) {
    const Tensor cropped = augment(picture, {.crop = 1}, augment_random(1, 0, i));
    ASSERT_EQ(cropped.shape(), picture.shape());
    bool is_window = false;
    for (int down = -1; down <= 1; ++down) {
      for (int right = -1; right <= 1; ++right) {
        std::vector<float> expected;
        for (int c = 0; c < 2; ++c) {
          for (int y = down; y < 3 + down; ++y) {
            for (int x = right; x < 4 + right; ++x) {
              expected.push_back(y < 0 || y > 2 || x < 0 || x > 3 ? 0.0f : static_cast<float>(c * 12 + y * 4 + x + 1));
            }
          }
        }
        is_window = is_window || expected == values(cropped);
      }
    }
    EXPECT_TRUE(is_window);
    seen.insert(values(cropped));
  }
  EXPECT_EQ(seen.size(), 9u);
}

TEST(Augment, FlipsHalfOfThePicturesLeftToRight) {
  const Tensor picture = Tensor::from<float>({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6});
  int flipped = 0;
  for (std::int64_t i = 0; i < 400; ++i) {
    const auto result = values(augment(picture, {.flip = true}, augment_random(3, 0, i)));
    if (result == std::vector<float>{3, 2, 1, 6, 5, 4}) {
      ++flipped;
    } else {
      EXPECT_EQ(result, values(picture));
    }
  }
  EXPECT_NEAR(flipped, 200, 50);
}

TEST(Augment, CutsOutASquareThatMayHangOverTheEdge) {
  const Tensor picture = counting({1, 2, 8, 8});
  std::set<std::size_t> areas;
  for (std::int64_t i = 0; i < 300; ++i) {
    const auto result = values(augment(picture, {.cutout = 4}, augment_random(3, 1, i)));
    std::size_t zeros = 0;
    for (std::size_t k = 0; k < 64; ++k) {
      EXPECT_EQ(result[k] == 0, result[64 + k] == 0);
      zeros += result[k] == 0;
    }
    areas.insert(zeros);
  }
  EXPECT_EQ(*areas.begin(), 4u);  // the corner
  EXPECT_EQ(*areas.rbegin(), 16u);
}

TEST(Augment, MasksTimesAndFrequenciesWithTheMean) {
  const Tensor features = counting({1, 1, 20, 10});
  const AugmentOptions options = parse_augment("spec-augment=1x5,1x3");
  std::size_t widest = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    const auto result = values(augment(features, options, augment_random(5, 0, i)));
    std::size_t rows = 0, columns = 0;
    for (std::size_t t = 0; t < 20; ++t) {
      bool masked = true;
      for (std::size_t f = 0; f < 10; ++f) masked = masked && result[t * 10 + f] == 100.5f;
      rows += masked;
    }
    for (std::size_t f = 0; f < 10; ++f) {
      bool masked = true;
      for (std::size_t t = 0; t < 20; ++t) masked = masked && result[t * 10 + f] == 100.5f;
      columns += masked;
    }
    EXPECT_LE(rows, 5u);
    EXPECT_LE(columns, 3u);
    widest = std::max(widest, rows);
  }
  EXPECT_EQ(widest, 5u);
}

TEST(Augment, GivesTheSameForTheSameSeedEpochAndIndexOnly) {
  const Tensor picture = counting({1, 3, 16, 16});
  const AugmentOptions options = parse_augment("crop=4 flip cutout=6");
  const auto changed = [&](std::uint64_t seed, std::int64_t epoch, std::int64_t index) {
    return values(augment(picture, options, augment_random(seed, epoch, index)));
  };
  EXPECT_EQ(changed(1, 2, 3), changed(1, 2, 3));
  EXPECT_NE(changed(1, 2, 3), changed(2, 2, 3));
  EXPECT_NE(changed(1, 2, 3), changed(1, 3, 3));
  EXPECT_NE(changed(1, 2, 3), changed(1, 2, 4));
}

TEST(Augment, KeepsOtherChangesWhenOneIsSwitchedOn) {
  const Tensor picture = counting({1, 1, 8, 8});
  for (std::int64_t i = 0; i < 50; ++i) {
    const Random random = augment_random(1, 0, i);
    const auto flipped = values(augment(picture, parse_augment("flip"), random));
    const auto both = values(augment(picture, parse_augment("flip cutout=2"), random));
    for (std::size_t k = 0; k < both.size(); ++k) EXPECT_TRUE(both[k] == flipped[k] || both[k] == 0);
  }
}

TEST(Augment, RefusesWhatIsNoPicture) {
  const Random random(1);
  EXPECT_THROW(augment(counting({1, 10}), {.crop = 1}, random), ModelError);
  EXPECT_THROW(augment(Tensor(DType::U8, {1, 3, 4, 4}), {.flip = true}, random), UnsupportedError);
  EXPECT_EQ(values(augment(counting({1, 10}), {}, random)), values(counting({1, 10})));
}

TEST(AugmentSound, ShiftsInTime) {
  std::set<std::vector<float>> seen;
  for (std::int64_t i = 0; i < 200; ++i) {
    Sound sound{1000, {1, 2, 3, 4, 5}};
    augment_sound(sound, {.time_shift_ms = 2}, augment_random(1, 0, i));
    seen.insert(sound.samples);
  }
  EXPECT_EQ(seen, (std::set<std::vector<float>>{
                      {1, 2, 3, 4, 5}, {0, 1, 2, 3, 4}, {0, 0, 1, 2, 3}, {2, 3, 4, 5, 0}, {3, 4, 5, 0, 0}}));
}

TEST(AugmentSound, AddsNoiseAtTheRatioAskedFor) {
  Random random(3);
  Sound noise{8000, {}};
  for (int i = 0; i < 5000; ++i) noise.samples.push_back(static_cast<float>(0.01 * random.normal()));
  AugmentOptions options;
  options.noise = std::make_shared<const NoiseBank>(std::vector{noise});
  options.noise_snr_low = options.noise_snr_high = 12;
  options.noise_share = 1;
  Sound sound{8000, std::vector<float>(4000)};
  for (std::size_t i = 0; i < 4000; ++i) sound.samples[i] = std::sin(0.3f * static_cast<float>(i));
  Sound noisy = sound;
  augment_sound(noisy, options, augment_random(1, 0, 0));
  double signal = 0, added = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    signal += std::pow(sound.samples[i], 2);
    added += std::pow(noisy.samples[i] - sound.samples[i], 2);
  }
  EXPECT_NEAR(10 * std::log10(signal / added), 12, 1e-3);
  options.noise_share = 0;
  Sound untouched = sound;
  augment_sound(untouched, options, augment_random(1, 0, 0));
  EXPECT_EQ(untouched.samples, sound.samples);
  Sound other_rate{16000, sound.samples};
  EXPECT_THROW(augment_sound(other_rate, options, Random(1)), ModelError);
}

TEST(AugmentBatch, MixesPairsWithOneLambda) {
  Batch batch;
  batch.inputs = counting({4, 3});
  batch.labels = {5, 6, 7, 8};
  batch.indices = {0, 1, 2, 3};
  mix_batch(batch, {.mixup = 1.0}, Random(2));
  ASSERT_EQ(batch.other_labels.size(), 4u);
  EXPECT_GT(batch.lambda, 0);
  EXPECT_LT(batch.lambda, 1);
  const auto mixed = values(batch.inputs);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto partner = static_cast<std::size_t>(batch.other_labels[i] - 5);
    for (std::size_t k = 0; k < 3; ++k) {
      const double own = static_cast<double>(i * 3 + k + 1), other = static_cast<double>(partner * 3 + k + 1);
      EXPECT_NEAR(mixed[i * 3 + k], batch.lambda * own + (1 - batch.lambda) * other, 1e-5);
    }
  }
}

TEST(AugmentBatch, DrawsLambdaFromTheBetaDistribution) {
  Random random(7);
  for (const double alpha : {0.2, 1.0, 4.0}) {
    double sum = 0, squares = 0;
    constexpr int count = 20000;
    for (int i = 0; i < count; ++i) {
      const double x = draw_beta(alpha, alpha, random);
      sum += x, squares += (x - 0.5) * (x - 0.5);
    }
    EXPECT_NEAR(sum / count, 0.5, 0.01) << alpha;
    EXPECT_NEAR(squares / count, 1 / (4 * (2 * alpha + 1)), 0.005) << alpha;
  }
  for (int i = 0; i < 100; ++i) {
    const double x = draw_beta(1e-6, 1e-6, random);
    EXPECT_TRUE(x >= 0 && x <= 1);
  }
}

TEST(AugmentBatch, LoaderGivesTheSameBatchesWithAndWithoutPrefetch) {
  const auto data = open_synthetic(SyntheticSplit::Test, {});
  BatchOptions options{.batch_size = 4, .prefetch = 0, .augment = parse_augment("crop=2 flip mixup=0.3"), .seed = 9};
  const std::vector<std::int64_t> indices = {9, 2, 5, 7, 1, 0};
  const auto all = [&](const BatchOptions& how) {
    BatchLoader loader(*data, indices, how);
    std::vector<std::vector<float>> inputs;
    while (auto batch = loader.next()) inputs.push_back(values(batch->inputs));
    return inputs;
  };
  const auto direct = all(options);
  options.prefetch = 2;
  EXPECT_EQ(all(options), direct);
  options.epoch = 1;
  EXPECT_NE(all(options), direct);
  options.augment = {};
  EXPECT_NE(all(options), direct);
}

TEST(AugmentText, ReadsEveryItemAndNamesWrongOnes) {
  const AugmentOptions options = parse_augment(
      "crop=4 flip;cutout=8 mixup=0.2 time-shift=100 noise-snr=5,20 noise-share=0.5 spec-augment=2x20,1x5");
  EXPECT_EQ(options.crop, 4);
  EXPECT_TRUE(options.flip);
  EXPECT_EQ(options.cutout, 8);
  EXPECT_EQ(options.mixup, 0.2);
  EXPECT_EQ(options.time_shift_ms, 100);
  EXPECT_EQ(options.noise_snr_high, 20);
  EXPECT_EQ(options.noise_share, 0.5);
  EXPECT_EQ(options.time_masks, 2);
  EXPECT_EQ(options.frequency_mask_width, 5);
  EXPECT_FALSE(parse_augment("").any());
  EXPECT_FALSE(parse_augment("mixup=0.1").changes_samples());
  for (const char* wrong : {"crop", "crop=-1", "crop=4x", "mixup=nan", "flip=1", "noise-snr=20,5", "noise-snr=5",
                            "spec-augment=2x20", "spec-augment=2,3", "colour=1", "cutout=1e9"}) {
    EXPECT_THROW(parse_augment(wrong), UsageError) << wrong;
  }
  EXPECT_THROW(parse_augment("noise=/nowhere/at/all"), ModelError);
  const auto empty = std::filesystem::path(::testing::TempDir()) / "augment_no_noise";
  std::filesystem::create_directories(empty);
  EXPECT_THROW(parse_augment("noise=" + empty.string()), ModelError);
  write_file(empty / "hum.wav", wav_bytes({8000, {0.5f, -0.5f}}));
  EXPECT_EQ(parse_augment("noise=" + empty.string()).noise->recordings().size(), 1u);
  std::filesystem::remove_all(empty);
}

}  // namespace
}  // namespace adze
