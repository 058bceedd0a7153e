#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace adze {

/// Recorded sound: one channel, full scale is −1 … 1.
struct Sound {
  std::int64_t rate = 0;  ///< samples per second
  std::vector<float> samples;

  double seconds() const { return rate > 0 ? static_cast<double>(samples.size()) / static_cast<double>(rate) : 0.0; }
};

/// The most samples (over all channels) that one file may hold.
constexpr std::int64_t default_max_sound_samples = std::int64_t{1} << 28;

/// Reads a RIFF WAVE file: PCM of 8, 16, 24 or 32 bits, or float of 32 or 64 bits, plain or extensible; several
/// channels become their mean. An integer sample of b bits is divided by 2^(b−1). A data chunk that runs past the end
/// of the file, as recorders leave when they are cut off, is an error. name is for messages. Throws ModelError when
/// damaged, UnsupportedError for other codings, LimitError when too long. Source  IBM and Microsoft, Multimedia
/// Programming Interface and Data Specifications 1.0, 1991
Sound read_wav(std::span<const std::byte> bytes, const std::string& name,
               std::int64_t max_samples = default_max_sound_samples);
Sound read_wav(const std::filesystem::path& path);

/// A mono file of 16-bit PCM: samples rounded, saturated at full scale.
std::string wav_bytes(const Sound& sound);

}  // namespace adze
