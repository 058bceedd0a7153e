// Features of sound against plain sums in double precision, and folders of recordings.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdlib>
#include <numbers>

#include "adze/base/error.h"
#include "adze/data/dataset.h"
#include "adze/data/feature_statistics.h"
#include "adze/data/sound_features.h"
#include "adze/data/wav.h"
#include "data_files.h"

namespace adze {
namespace {

constexpr double pi = std::numbers::pi;

/// Two tones and a little noise from a formula, so that other languages can repeat it.
std::vector<float> tones(std::size_t count, double rate) {
  std::vector<float> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i) / rate;
    const double noise = std::fmod(static_cast<double>((i * 7919 + 104729) % 65536), 65536.0) / 65536.0 - 0.5;
    samples.push_back(
        static_cast<float>(0.5 * std::sin(2 * pi * 440 * t) + 0.25 * std::sin(2 * pi * 1800 * t) + 0.05 * noise));
  }
  return samples;
}

double plain_mel(double hz, bool slaney) {
  if (!slaney) return 1127.0 * std::log1p(hz / 700.0);
  return hz < 1000 ? 3 * hz / 200 : 15 + 27 * std::log(hz / 1000) / std::log(6.4);
}

/// Log-mel energies by a direct Fourier sum; corners of the bands found by bisection.
std::vector<double> plain_log_mel(const std::vector<float>& x, const SoundFeatures& f, double rate) {
  const auto window = static_cast<std::size_t>(std::lround(f.window_ms * rate / 1000));
  const auto hop = static_cast<std::size_t>(std::lround(f.hop_ms * rate / 1000));
  std::size_t n = 1;
  while (n < window) n *= 2;
  const bool slaney = f.mel == MelScale::Slaney;
  const double low = plain_mel(f.low_hz, slaney), high = plain_mel(std::min(f.high_hz, rate / 2), slaney);
  std::vector<double> corners;
  for (std::int64_t i = 0; i < f.mels + 2; ++i) {
    const double wanted = low + (high - low) * static_cast<double>(i) / static_cast<double>(f.mels + 1);
    double a = 0, b = rate;
    for (int step = 0; step < 80; ++step) (plain_mel((a + b) / 2, slaney) < wanted ? a : b) = (a + b) / 2;
    corners.push_back(a);
  }
  std::vector<double> result;
  for (std::size_t start = 0; start + window <= x.size(); start += hop) {
    std::vector<double> power;
    for (std::size_t k = 0; k <= n / 2; ++k) {
      std::complex<double> sum = 0;
      for (std::size_t i = 0; i < window; ++i) {
        const double hann = std::pow(std::sin(pi * static_cast<double>(i) / static_cast<double>(window)), 2);
        sum += hann * x[start + i] * std::polar(1.0, -2 * pi * static_cast<double>(k * i % n) / static_cast<double>(n));
      }
      power.push_back(std::norm(sum));
    }
    for (std::size_t m = 0; m < static_cast<std::size_t>(f.mels); ++m) {
      double energy = 0;
      for (std::size_t k = 0; k <= n / 2; ++k) {
        const double hz = static_cast<double>(k) * rate / static_cast<double>(n);
        const double left = corners[m], centre = corners[m + 1], right = corners[m + 2];
        double weight = hz <= centre ? (hz - left) / (centre - left) : (right - hz) / (right - centre);
        if (slaney) weight *= 2 / (right - left);
        energy += std::max(weight, 0.0) * power[k];
      }
      result.push_back(std::log(energy + 1e-6));
    }
  }
  return result;
}

SoundFeatures short_features(SoundFeature kind, MelScale mel) {
  SoundFeatures features;
  features.kind = kind;
  features.mel = mel;
  features.duration_ms = 100;
  features.mels = 20;
  return features;
}

TEST(SoundFeatures, LogMelEqualsThePlainSum) {
  for (const MelScale mel : {MelScale::Htk, MelScale::Slaney}) {
    const SoundFeatures features = short_features(SoundFeature::LogMel, mel);
    const std::vector<float> sound = tones(800, 8000);
    const Tensor ours = SoundFeatureExtractor(features, 8000).extract(sound);
    const std::vector<double> plain = plain_log_mel(sound, features, 8000);
    ASSERT_EQ(ours.shape(), (Shape{1, 1, 4, 20}));
    ASSERT_EQ(plain.size(), 80u);
    for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(ours.data<float>()[i], plain[i], 1e-5) << i;
  }
}

TEST(SoundFeatures, MfccIsTheOrthonormalCosineTransformOfIt) {
  const SoundFeatures features = short_features(SoundFeature::Mfcc, MelScale::Htk);
  const std::vector<float> sound = tones(800, 8000);
  const Tensor ours = SoundFeatureExtractor(features, 8000).extract(sound);
  const std::vector<double> log_mel = plain_log_mel(sound, features, 8000);
  ASSERT_EQ(ours.shape(), (Shape{1, 1, 4, 10}));
  for (std::size_t frame = 0; frame < 4; ++frame) {
    for (std::size_t k = 0; k < 10; ++k) {
      double sum = 0;
      for (std::size_t m = 0; m < 20; ++m) {
        sum += log_mel[frame * 20 + m] * std::cos(pi * static_cast<double>(k * (2 * m + 1)) / 40);
      }
      EXPECT_NEAR(ours.data<float>()[frame * 10 + k], sum * std::sqrt((k == 0 ? 1.0 : 2.0) / 20), 1e-5);
    }
  }
}

TEST(SoundFeatures, EqualsFiguresOfAnIndependentCalculation) {
  // By tools/sound_features.py, plain Python: the first four and the last coefficient of the first and the last frame.
  const Tensor ours = SoundFeatureExtractor({}, 8000).extract(tones(8000, 8000));
  ASSERT_EQ(ours.shape(), (Shape{1, 1, 49, 10}));
  const double expected[] = {-12.862140, -1.438292, -3.808451, -2.377708, 12.480686,
                             -12.932024, -1.505142, -3.849033, -2.474586, 12.424133};
  const std::size_t places[] = {0, 1, 2, 3, 9, 480, 481, 482, 483, 489};
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(ours.data<float>()[places[i]], expected[i], 2e-4) << i;
}

TEST(SoundFeatures, PadsBothSidesAndTakesTheMiddle) {
  SoundFeatures features;
  features.kind = SoundFeature::Waveform;
  features.duration_ms = 5;
  const SoundFeatureExtractor extractor(features, 1000);
  EXPECT_EQ(extractor.fitted(std::vector<float>{1, 2}), (std::vector<float>{0, 1, 2, 0, 0}));
  EXPECT_EQ(extractor.fitted(std::vector<float>{1, 2, 3, 4, 5, 6, 7}), (std::vector<float>{2, 3, 4, 5, 6}));
  EXPECT_EQ(extractor.extract(std::vector<float>{1}).shape(), (Shape{1, 1, 5}));
}

TEST(SoundFeatures, GivesFiniteNumbersForSilence) {
  const Tensor silence = SoundFeatureExtractor({}, 16000).extract({});
  for (const float value : silence.data<float>()) EXPECT_TRUE(std::isfinite(value));
}

TEST(SoundFeatures, NamesSettingsThatDoNotFit) {
  const auto refuses = [](auto change) {
    SoundFeatures features;
    change(features);
    EXPECT_THROW(SoundFeatureExtractor(features, 8000), UsageError);
  };
  refuses([](SoundFeatures& f) { f.window_ms = 2000; });
  refuses([](SoundFeatures& f) { f.fft = 500; });
  refuses([](SoundFeatures& f) { f.fft = 256; });
  refuses([](SoundFeatures& f) { f.coefficients = 41; });
  refuses([](SoundFeatures& f) { f.low_hz = 5000; });
  refuses([](SoundFeatures& f) { f.hop_ms = 0.001; });
  refuses([](SoundFeatures& f) { f.duration_ms = 1e12; });
}

TEST(SoundFeatures, AreKeptInMetadataInFull) {
  const Preprocessing how =
      parse_preprocessing_flags("features=log-mel mels=24 window=30 hop=15 mel=slaney rate=16000 mean=-5");
  ASSERT_TRUE(how.sound.has_value());
  EXPECT_EQ(how.sound->mels, 24);
  EXPECT_EQ(how.sound->window_ms, 30);
  const std::string json = preprocessing_json(how);
  EXPECT_NE(json.find("\"duration\":1000,"), json.npos) << json;
  const Preprocessing again = parse_preprocessing_json(json);
  EXPECT_EQ(again.sound, how.sound);
  EXPECT_EQ(again.mean, how.mean);
  EXPECT_EQ(preprocessing_json({}).find("features"), std::string::npos);
  for (const char* wrong : {"features=mel", "mel=bark", "mels=0", "mels=2.5", "window=x", "rate=-1", "hop=0"}) {
    EXPECT_THROW(parse_preprocessing_flags(wrong), UsageError) << wrong;
  }
  EXPECT_THROW(parse_preprocessing_json("{\"features\": 3}"), ModelError);
}

Sound tone(double hz) {
  Sound sound{8000, std::vector<float>(4000)};
  for (std::size_t i = 0; i < 4000; ++i) sound.samples[i] = static_cast<float>(0.5 * std::sin(2 * pi * hz * i / 8000));
  return sound;
}

TEST(SoundFolder, HasAClassForEachFolder) {
  const test::TemporaryFolder folder;
  folder.add("yes/a.wav", wav_bytes(tone(300)));
  folder.add("no/a.wav", wav_bytes(tone(700)));
  folder.add("no/b.wav", wav_bytes(tone(900)));
  folder.add("no/readme.txt", std::string("not a sound"));
  const auto data = open_dataset(folder.path());
  ASSERT_EQ(data->size(), 3);
  EXPECT_EQ(data->class_names(), (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(data->label(2), 1);
  EXPECT_EQ(data->get(2).input.shape(), (Shape{1, 1, 49, 10}));
  EXPECT_FALSE(identical(data->get(0).input, data->get(1).input));
  const std::string json = data->metadata().at("adze.preprocessing");
  EXPECT_NE(json.find("\"rate\":8000"), json.npos) << json;
}

TEST(SoundFolder, SplitsNumberedRecordingsAsTheDigitsDo) {
  const test::TemporaryFolder folder;
  for (const int number : {0, 4, 5, 12}) {
    for (const char* word : {"7", "3"}) {
      folder.add("recordings/" + std::string(word) + "_ann_" + std::to_string(number) + ".wav", wav_bytes(tone(400)));
    }
  }
  const auto open = [&](const std::string& split) {
    DatasetOptions options;
    options.split = split;
    return open_dataset(folder.path(), {}, options);
  };
  EXPECT_EQ(open("test")->size(), 4);
  EXPECT_EQ(open("train")->size(), 4);
  EXPECT_EQ(open("all")->size(), 8);
  EXPECT_EQ(open("test")->class_names(), (std::vector<std::string>{"3", "7"}));
  EXPECT_NE(open("train")->name(0).find("3_ann_12"), std::string::npos);
  EXPECT_THROW(open(""), ModelError);
  EXPECT_THROW(open("dev"), ModelError);
}

TEST(SoundFolder, ReadsTheSameFromAnArchive) {
  const test::TemporaryFolder folder;
  const std::string low = wav_bytes(tone(300)), high = wav_bytes(tone(900));
  folder.add("set/no/a.wav", low);
  folder.add("set/yes/a.wav", high);
  const auto archive = folder.add("set.tar", test::tar_entry("set/no/a.wav", low) +
                                                 test::tar_entry("set/yes/a.wav", high) + std::string(1024, '\0'));
  const auto plain = open_dataset(folder / "set"), packed = open_dataset(archive);
  ASSERT_EQ(packed->size(), 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    EXPECT_EQ(packed->label(i), plain->label(i));
    EXPECT_TRUE(identical(packed->get(i).input, plain->get(i).input));
  }
}

TEST(SoundFolder, ReshapesForTheNetworkOrSaysWhatDiffers) {
  const test::TemporaryFolder folder;
  folder.add("a/a.wav", wav_bytes(tone(300)));
  folder.add("b/a.wav", wav_bytes(tone(500)));
  Preprocessing how;
  how.sample_shape = {49, 10, 1};
  EXPECT_EQ(open_dataset(folder.path(), how)->get(0).input.shape(), (Shape{1, 49, 10, 1}));
  how.sample_shape = {49, 13};
  EXPECT_THROW(open_dataset(folder.path(), how), ModelError);
  how = parse_preprocessing_flags("features=mfcc rate=16000");
  EXPECT_EQ(open_dataset(folder.path(), how)->try_get(0), std::nullopt);
}

TEST(SoundFolder, NormalizesAndQuantizesFeatures) {
  const test::TemporaryFolder folder;
  folder.add("a/a.wav", wav_bytes(tone(300)));
  folder.add("b/a.wav", wav_bytes(tone(500)));
  const Tensor plain = open_dataset(folder.path())->get(0).input;
  const Tensor normal =
      open_dataset(folder.path(), parse_preprocessing_flags("features=mfcc mean=-10 std=4"))->get(0).input;
  EXPECT_NEAR(normal.data<float>()[3], (plain.data<float>()[3] + 10) / 4, 1e-5);
  Preprocessing how = parse_preprocessing_flags("features=mfcc quantization_scale=0.5 zero_point=3");
  how.dtype = DType::S8;
  const Tensor codes = open_dataset(folder.path(), how)->get(0).input;
  EXPECT_EQ(codes.data<std::int8_t>()[3], std::clamp<long>(std::lrint(plain.data<float>()[3] / 0.5) + 3, -128, 127));
}

TEST(SoundFolder, MeasuresWhatMakesColumnsStandard) {
  const test::TemporaryFolder folder;
  for (int i = 0; i < 6; ++i) folder.add("a/" + std::to_string(i) + ".wav", wav_bytes(tone(200 + 150 * i)));
  folder.add("b/a.wav", wav_bytes(tone(500)));
  const auto measured = measured_preprocessing(*open_dataset(folder.path()), 0, 1);
  ASSERT_TRUE(measured.has_value());
  const auto data = open_dataset(folder.path(), parse_preprocessing_json(*measured));
  EXPECT_EQ(measured_preprocessing(*data, 0, 1), std::nullopt);
  std::vector<double> sums(10), squares(10);
  for (std::int64_t i = 0; i < data->size(); ++i) {
    const Tensor input = data->get(i).input;
    for (std::size_t k = 0; k < 490; ++k) {
      const double value = input.data<float>()[k];
      sums[k % 10] += value, squares[k % 10] += value * value;
    }
  }
  for (std::size_t k = 0; k < 10; ++k) {
    EXPECT_NEAR(sums[k] / (49 * 7), 0, 1e-2) << k;
    EXPECT_NEAR(squares[k] / (49 * 7), 1, 1e-2) << k;
  }
  const Preprocessing plain = parse_preprocessing_flags("features=waveform");
  EXPECT_EQ(measured_preprocessing(*open_dataset(folder.path(), plain), 0, 1), std::nullopt);
}

TEST(SoundFolder, ChangesSoundBeforeTakingFeatures) {
  const test::TemporaryFolder folder;
  folder.add("a/a.wav", wav_bytes(tone(300)));
  folder.add("b/a.wav", wav_bytes(tone(500)));
  const auto data = open_dataset(folder.path());
  const AugmentOptions options = parse_augment("time-shift=100");
  const Tensor plain = data->get(0).input;
  const Tensor shifted = data->get_augmented(0, options, augment_random(1, 0, 0)).input;
  EXPECT_EQ(shifted.shape(), plain.shape());
  EXPECT_FALSE(identical(shifted, plain));
  EXPECT_TRUE(identical(shifted, data->get_augmented(0, options, augment_random(1, 0, 0)).input));
}

TEST(SoundFolder, LeavesOutFilesThatAreNoSound) {
  const test::TemporaryFolder folder;
  folder.add("a/0.wav", std::string("RIFFxxxxWAVE"));
  folder.add("a/1.wav", wav_bytes(tone(300)));
  const auto data = open_dataset(folder.path());
  EXPECT_EQ(data->try_get(0), std::nullopt);
  EXPECT_TRUE(data->try_get(1).has_value());
  ASSERT_EQ(data->bad_samples().size(), 1u);
}

TEST(SharedDigits, HaveTheirOfficialSplit) {
  const char* root = std::getenv("ADZE_DATA");
  if (root == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  DatasetOptions options;
  options.split = "test";
  const auto test = open_dataset(std::filesystem::path(root) / "fsdd", {}, options);
  EXPECT_EQ(test->size(), 300);
  EXPECT_EQ(test->num_classes(), 10);
  for (std::int64_t i = 0; i < test->size(); i += 37) EXPECT_EQ(test->get(i).input.shape(), (Shape{1, 1, 49, 10}));
  options.split = "train";
  EXPECT_EQ(open_dataset(std::filesystem::path(root) / "fsdd", {}, options)->size(), 2700);
}

}  // namespace
}  // namespace adze
