#include <cmath>

#include "adze/data/sound_features.h"

namespace adze {

namespace {

// Slaney's scale: 3 mels every 200 Hz up to 1 kHz, then 27 mels for every factor of 6.4.
constexpr double hz_per_mel = 200.0 / 3.0, knee_hz = 1000.0, knee_mel = knee_hz / hz_per_mel;
const double log_step = std::log(6.4) / 27.0;

}  // namespace

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::Htk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  return hz < knee_hz ? hz / hz_per_mel : knee_mel + std::log(hz / knee_hz) / log_step;
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::Htk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  return mel < knee_mel ? mel * hz_per_mel : knee_hz * std::exp(log_step * (mel - knee_mel));
}

}  // namespace adze
