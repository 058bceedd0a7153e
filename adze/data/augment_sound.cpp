#include <algorithm>
#include <cmath>
#include <system_error>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/augment.h"

namespace adze {

namespace {

enum Stream : std::uint64_t { shift_stream = 101, noise_stream };

constexpr std::size_t max_recordings = 100'000;
constexpr std::int64_t max_noise_samples = std::int64_t{1} << 28;

double mean_square(std::span<const float> samples) {
  double sum = 0;
  for (const float value : samples) sum += double{value} * double{value};
  return samples.empty() ? 0.0 : sum / static_cast<double>(samples.size());
}

/// Positive: later. Zeros move in.
void shift(std::vector<float>& samples, std::int64_t by) {
  const auto size = static_cast<std::int64_t>(samples.size());
  by = std::clamp(by, -size, size);
  if (by >= 0) {
    std::move_backward(samples.begin(), samples.end() - by, samples.end());
    std::fill(samples.begin(), samples.begin() + by, 0.0f);
  } else {
    std::move(samples.begin() - by, samples.end(), samples.begin());
    std::fill(samples.end() + by, samples.end(), 0.0f);
  }
}

void add_noise(Sound& sound, const AugmentOptions& options, Random random) {
  // All numbers are drawn before any decision, so that one sample's noise does not depend on the share.
  const double lot = random.uniform();
  const double snr = random.uniform(options.noise_snr_low, options.noise_snr_high);
  const auto& recordings = options.noise->recordings();
  const Sound& noise = recordings[random.below(recordings.size())];
  if (noise.rate != sound.rate) {
    throw ModelError(cat("noise is recorded at ", noise.rate, " Hz, the sound at ", sound.rate, " Hz"), {},
                     "record the noise with the same microphone and rate");
  }
  const std::size_t start = random.below(noise.samples.size());
  if (lot >= options.noise_share) return;
  std::vector<float> piece(sound.samples.size());
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = noise.samples[(start + i) % noise.samples.size()];
  const double signal_power = mean_square(sound.samples), noise_power = mean_square(piece);
  if (!(signal_power > 0) || !(noise_power > 0)) return;
  const auto gain = static_cast<float>(std::sqrt(signal_power / noise_power) * std::pow(10.0, -snr / 20));
  for (std::size_t i = 0; i < piece.size(); ++i) sound.samples[i] += gain * piece[i];
}

}  // namespace

NoiseBank::NoiseBank(std::vector<Sound> recordings) : recordings_(std::move(recordings)) {
  std::erase_if(recordings_, [](const Sound& sound) { return sound.samples.empty(); });
  if (recordings_.empty()) throw ModelError("no recording of noise has any sample");
}

std::shared_ptr<const NoiseBank> NoiseBank::open(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().extension() == ".wav" && entry->is_regular_file(ignored)) files.push_back(entry->path());
    if (files.size() > max_recordings) throw LimitError(cat("more than ", max_recordings, " recordings of noise"));
  }
  if (error) throw ModelError(cat("cannot read the folder of noise: ", error.message()), {folder.string(), {}, {}});
  if (files.empty()) throw ModelError("no .wav file of noise in the folder", {folder.string(), {}, {}});
  std::sort(files.begin(), files.end());
  std::vector<Sound> recordings;
  std::int64_t total = 0;
  for (const auto& file : files) {
    recordings.push_back(read_wav(file));
    total += static_cast<std::int64_t>(recordings.back().samples.size());
    if (total > max_noise_samples) {
      throw LimitError(cat("recordings of noise hold more than ", max_noise_samples, " samples"),
                       {folder.string(), {}, {}});
    }
  }
  return std::make_shared<const NoiseBank>(std::move(recordings));
}

void augment_sound(Sound& sound, const AugmentOptions& options, const Random& random) {
  if (options.time_shift_ms > 0) {
    const double most = options.time_shift_ms / 1000 * static_cast<double>(sound.rate);
    shift(sound.samples, std::llround(random.split(shift_stream).uniform(-most, most)));
  }
  if (options.noise != nullptr) add_noise(sound, options, random.split(noise_stream));
}

}  // namespace adze
