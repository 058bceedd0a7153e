#include "adze/data/sound_features.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/detail/real_fft.h"

namespace adze {

namespace {

constexpr double log_offset = 1e-6;  // silence has a finite logarithm
constexpr double most_samples = 1 << 26;
constexpr std::int64_t most_fft = 1 << 16;

std::int64_t to_samples(double milliseconds, std::int64_t rate, const char* what) {
  const double samples = std::round(milliseconds / 1000 * static_cast<double>(rate));
  if (!(samples >= 1 && samples <= most_samples)) {
    throw UsageError(
        cat("sound features: the ", what, " of ", milliseconds, " ms is ", samples, " samples at ", rate, " Hz"));
  }
  return static_cast<std::int64_t>(samples);
}

}  // namespace

SoundFeatureExtractor::SoundFeatureExtractor(const SoundFeatures& features, std::int64_t rate)
    : features_(features), rate_(rate), samples_(to_samples(features.duration_ms, rate, "duration")) {
  if (features_.kind == SoundFeature::Waveform) return;
  window_ = to_samples(features_.window_ms, rate, "window");
  hop_ = to_samples(features_.hop_ms, rate, "hop");
  fft_ =
      features_.fft > 0 ? features_.fft : static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(window_)));
  if (!std::has_single_bit(static_cast<std::uint64_t>(fft_)) || fft_ < window_ || fft_ < 2 || fft_ > most_fft) {
    throw UsageError(cat("sound features: a transform of ", fft_, " for a window of ", window_, " samples"),
                     cat("a power of two from the window's length to ", most_fft));
  }
  if (samples_ < window_) {
    throw UsageError(cat("sound features: the window of ", features_.window_ms, " ms is longer than the sound of ",
                         features_.duration_ms, " ms"));
  }
  frames_ = 1 + (samples_ - window_) / hop_;
  for (std::int64_t i = 0; i < window_; ++i) {
    window_weights_.push_back(
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(window_)));
  }
  transform_ = std::make_shared<const detail::RealFft>(static_cast<std::size_t>(fft_));
  make_bands();
  if (features_.kind == SoundFeature::Mfcc) make_cosines();
}

/// Triangles in frequency whose corners are equally far apart in mels.
void SoundFeatureExtractor::make_bands() {
  const double high = std::min(features_.high_hz, static_cast<double>(rate_) / 2);
  if (!(features_.low_hz >= 0 && features_.low_hz < high) || features_.mels < 1) {
    throw UsageError(cat("sound features: ", features_.mels, " bands from ", features_.low_hz, " to ", high, " Hz"));
  }
  const double low_mel = hz_to_mel(features_.low_hz, features_.mel), high_mel = hz_to_mel(high, features_.mel);
  const auto corner = [&](std::int64_t i) {
    return mel_to_hz(low_mel + (high_mel - low_mel) * static_cast<double>(i) / static_cast<double>(features_.mels + 1),
                     features_.mel);
  };
  for (std::int64_t band = 0; band < features_.mels; ++band) {
    const double left = corner(band), centre = corner(band + 1), right = corner(band + 2);
    const double height = features_.mel == MelScale::Slaney ? 2 / (right - left) : 1.0;
    Band result;
    for (std::int64_t bin = 0; bin <= fft_ / 2; ++bin) {
      const double hz = static_cast<double>(bin * rate_) / static_cast<double>(fft_);
      const double weight = height * std::min((hz - left) / (centre - left), (right - hz) / (right - centre));
      if (weight <= 0) continue;
      if (result.weights.empty()) result.first = bin;
      result.weights.push_back(weight);
    }
    bands_.push_back(std::move(result));
  }
}

void SoundFeatureExtractor::make_cosines() {
  if (features_.coefficients < 1 || features_.coefficients > features_.mels) {
    throw UsageError(
        cat("sound features: ", features_.coefficients, " coefficients of ", features_.mels, " mel bands"));
  }
  const auto mels = static_cast<double>(features_.mels);
  for (std::int64_t k = 0; k < features_.coefficients; ++k) {
    const double norm = std::sqrt((k == 0 ? 1.0 : 2.0) / mels);
    for (std::int64_t m = 0; m < features_.mels; ++m) {
      cosines_.push_back(norm *
                         std::cos(std::numbers::pi / mels * (static_cast<double>(m) + 0.5) * static_cast<double>(k)));
    }
  }
}

std::vector<float> SoundFeatureExtractor::fitted(std::span<const float> samples) const {
  std::vector<float> result(static_cast<std::size_t>(samples_));
  if (samples.size() >= result.size()) {
    const auto middle = samples.subspan((samples.size() - result.size()) / 2, result.size());
    std::copy(middle.begin(), middle.end(), result.begin());
  } else {
    std::copy(samples.begin(), samples.end(),
              result.begin() + static_cast<std::ptrdiff_t>((result.size() - samples.size()) / 2));
  }
  return result;
}

Tensor SoundFeatureExtractor::extract(std::span<const float> sound) const {
  const std::vector<float> samples = fitted(sound);
  if (features_.kind == SoundFeature::Waveform) return Tensor::from({1, 1, samples_}, samples);
  const bool cepstral = features_.kind == SoundFeature::Mfcc;
  const std::size_t mels = bands_.size(), columns = cepstral ? static_cast<std::size_t>(features_.coefficients) : mels;
  Tensor result(DType::F32, {1, 1, frames_, static_cast<std::int64_t>(columns)});
  float* out = result.mutable_data<float>().data();
  std::vector<double> windowed(static_cast<std::size_t>(fft_)), power(static_cast<std::size_t>(fft_ / 2 + 1)),
      energies(mels);
  detail::RealFft::Scratch scratch = transform_->make_scratch();
  for (std::int64_t frame = 0; frame < frames_; ++frame, out += columns) {
    const float* heard = samples.data() + frame * hop_;
    for (std::size_t i = 0; i < window_weights_.size(); ++i) windowed[i] = double{heard[i]} * window_weights_[i];
    transform_->power(windowed, scratch, power);
    for (std::size_t band = 0; band < mels; ++band) {
      const auto first = static_cast<std::size_t>(bands_[band].first);
      double sum = 0;
      for (std::size_t i = 0; i < bands_[band].weights.size(); ++i) sum += bands_[band].weights[i] * power[first + i];
      energies[band] = std::log(sum + log_offset);
    }
    for (std::size_t k = 0; k < columns; ++k) {
      double value = energies[k];
      if (cepstral) {
        value = 0;
        for (std::size_t m = 0; m < mels; ++m) value += cosines_[k * mels + m] * energies[m];
      }
      out[k] = static_cast<float>(value);
    }
  }
  return result;
}

}  // namespace adze
