// Any bytes as a WAV file: a sound or a ModelError, and features of whatever was read.
#include <cstddef>
#include <cstdint>
#include <span>

#include "adze/base/error.h"
#include "adze/data/sound_features.h"
#include "adze/data/wav.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const adze::Sound sound = adze::read_wav(std::as_bytes(std::span(data, size)), "fuzz.wav", 1 << 16);
    adze::SoundFeatures features;
    features.duration_ms = 50;
    adze::SoundFeatureExtractor(features, sound.rate).extract(sound.samples);
  } catch (const adze::Error&) {
  }
  return 0;
}
