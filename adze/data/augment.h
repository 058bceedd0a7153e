#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adze/base/random.h"
#include "adze/data/wav.h"
#include "adze/numerics/tensor.h"

namespace adze {

struct Batch;

/// Recordings that stand for the noise where a device works.
class NoiseBank {
 public:
  explicit NoiseBank(std::vector<Sound> recordings);

  /// All .wav files of a folder and below it, in the order of their names. Throws ModelError when there is none.
  static std::shared_ptr<const NoiseBank> open(const std::filesystem::path& folder);

  const std::vector<Sound>& recordings() const { return recordings_; }

 private:
  std::vector<Sound> recordings_;
};

/// Random changes of training samples. Nothing is on by default.
struct AugmentOptions {
  // Pictures [1, C, H, W], also log-mel and MFCC features, where H is time and W the coefficient.
  std::int64_t crop = 0;    ///< zeros on every side, then a random window of the old size (He et al., 2016)
  bool flip = false;        ///< left and right exchanged, one time in two
  std::int64_t cutout = 0;  ///< side of a square of zeros whose centre is any pixel (DeVries and Taylor, 2017)

  // Batches.
  double mixup = 0.0;  ///< alpha of the Beta(alpha, alpha) that lambda is drawn from (Zhang et al., 2018)

  // Sound, before features are taken from it.
  std::shared_ptr<const NoiseBank> noise = {};
  double noise_snr_low = 0.0, noise_snr_high = 20.0;  ///< decibels; drawn uniformly
  double noise_share = 0.8;                           ///< how many of the samples get noise
  double time_shift_ms = 0.0;                         ///< shifted by up to so much either way; zeros move in

  // Text.
  bool jitter = false;  ///< windows begin anywhere instead of one after the other

  // Features [1, 1, time, coefficients]: SpecAugment without warping (Park et al., 2019). A mask of random width, up to
  // the largest, is filled with the sample's mean.
  std::int64_t time_masks = 0, time_mask_width = 0;
  std::int64_t frequency_masks = 0, frequency_mask_width = 0;

  bool changes_samples() const;  ///< anything besides mixup
  bool any() const { return changes_samples() || mixup > 0.0; }
};

/// Options from a flag's text; items are separated by blanks or semicolons:
///   crop=4  flip  cutout=8  mixup=0.2  noise=FOLDER  noise-snr=5,20  noise-share=0.8  time-shift=100 (ms)
///   jitter  spec-augment=2x20,2x5 (time masks x largest width, frequency masks x largest width)
/// The folder of noise is read at once. Throws UsageError naming the item; ModelError for the folder.
AugmentOptions parse_augment(std::string_view text);

/// The generator for one sample in one epoch: the same whatever the threads and the order of the samples.
Random augment_random(std::uint64_t seed, std::int64_t epoch, std::int64_t index);

/// One changed sample [1, C, H, W]: crop, flip, cutout, masks. f32; throws UnsupportedError for other dtypes,
/// ModelError for other ranks when something is asked for. Each change draws from a stream of its own, so that
/// switching one on does not alter the others.
Tensor augment(const Tensor& sample, const AugmentOptions& options, const Random& random);

/// Time shift, then noise, in place. Noise is a random piece of a random recording, scaled to the drawn ratio of mean
/// squares; recordings have the rate of the sound (ModelError).
void augment_sound(Sound& sound, const AugmentOptions& options, const Random& random);

/// Mixup: every row becomes lambda · row + (1 − lambda) · another row of the batch, one lambda and one permutation a
/// batch; fills batch.other_labels and batch.lambda; targets are mixed as well. Does nothing when mixup is 0.
void mix_batch(Batch& batch, const AugmentOptions& options, const Random& random);

/// Beta(alpha, beta) by two gamma draws (Marsaglia and Tsang, 2000). Both above 0.
double draw_beta(double alpha, double beta, Random& random);

}  // namespace adze
