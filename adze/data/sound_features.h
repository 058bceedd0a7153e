#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "adze/numerics/tensor.h"

namespace adze {

namespace detail {
class RealFft;
}

enum class SoundFeature : std::uint8_t {
  Mfcc,      ///< orthonormal DCT-II of the log-mel energies, the first coefficients
  LogMel,    ///< ln(energy + 1e-6) in each mel band
  Waveform,  ///< the samples themselves
};

enum class MelScale : std::uint8_t {
  Htk,     ///< 2595 · log10(1 + f / 700); filters of height 1 (Young et al., The HTK Book)
  Slaney,  ///< linear to 1 kHz, then logarithmic; filters of area 1 (Slaney, Auditory Toolbox, 1998)
};

/// How sound becomes a network's input: cut or padded to one length, in windows, as features.
struct SoundFeatures {
  SoundFeature kind = SoundFeature::Mfcc;
  std::int64_t rate = 0;      ///< samples per second that the sound must have; 0: as recorded
  double duration_ms = 1000;  ///< shorter sound gets zeros on both sides, of longer the middle is taken
  double window_ms = 40;      ///< Hann, periodic
  double hop_ms = 20;         ///< frames: 1 + (samples − window) / hop, rounded down
  std::int64_t fft = 0;       ///< a power of two; 0: the smallest that holds a window
  std::int64_t mels = 40;
  std::int64_t coefficients = 10;      ///< of Mfcc
  double low_hz = 20, high_hz = 4000;  ///< edges of the bands; high is cut at half the rate
  MelScale mel = MelScale::Htk;

  bool operator==(const SoundFeatures&) const = default;
};

/// Computes features for one rate. Thread-safe.
class SoundFeatureExtractor {
 public:
  /// Throws UsageError for settings that do not fit together.
  SoundFeatureExtractor(const SoundFeatures& features, std::int64_t rate);

  /// f32 [1, 1, frames, coefficients or mels], or [1, 1, samples] for the waveform.
  Tensor extract(std::span<const float> samples) const;
  /// The sound cut or padded to the duration.
  std::vector<float> fitted(std::span<const float> samples) const;

  std::int64_t samples() const { return samples_; }
  std::int64_t frames() const { return frames_; }

 private:
  struct Band {
    std::int64_t first = 0;  ///< the first bin of the spectrum with a weight
    std::vector<double> weights;
  };

  void make_bands();
  void make_cosines();

  SoundFeatures features_;
  std::int64_t rate_, samples_ = 0, window_ = 0, hop_ = 0, fft_ = 0, frames_ = 0;
  std::vector<double> window_weights_;
  std::shared_ptr<const detail::RealFft> transform_;
  std::vector<Band> bands_;
  std::vector<double> cosines_;  ///< [coefficients, mels]
};

/// Frequency to mel and back.
double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

}  // namespace adze
