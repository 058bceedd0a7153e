#include "adze/data/augment.h"

#include <algorithm>
#include <numeric>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

namespace {

/// Streams of the changes: never renumbered, so that a seed keeps its meaning.
enum Stream : std::uint64_t { crop_stream = 1, flip_stream, cutout_stream, time_mask_stream, frequency_mask_stream };

/// The planes of one sample [1, C, H, W].
struct Planes {
  std::span<float> values;
  std::int64_t channels, height, width;

  float* row(std::int64_t channel, std::int64_t y) { return values.data() + (channel * height + y) * width; }
};

void random_crop(Planes planes, std::int64_t padding, Random random) {
  const auto span = static_cast<std::uint64_t>(2 * padding + 1);
  const std::int64_t down = static_cast<std::int64_t>(random.below(span)) - padding;
  const std::int64_t right = static_cast<std::int64_t>(random.below(span)) - padding;
  const std::vector<float> old(planes.values.begin(), planes.values.end());
  for (std::int64_t c = 0; c < planes.channels; ++c) {
    for (std::int64_t y = 0; y < planes.height; ++y) {
      for (std::int64_t x = 0; x < planes.width; ++x) {
        const std::int64_t from_y = y + down, from_x = x + right;
        const bool inside = from_y >= 0 && from_y < planes.height && from_x >= 0 && from_x < planes.width;
        const auto from = static_cast<std::size_t>((c * planes.height + from_y) * planes.width + from_x);
        planes.row(c, y)[x] = inside ? old[from] : 0.0f;
      }
    }
  }
}

void flip_rows(Planes planes) {
  for (std::int64_t c = 0; c < planes.channels; ++c) {
    for (std::int64_t y = 0; y < planes.height; ++y) std::reverse(planes.row(c, y), planes.row(c, y) + planes.width);
  }
}

void fill_box(Planes planes, std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right,
              float value) {
  top = std::max<std::int64_t>(top, 0), left = std::max<std::int64_t>(left, 0);
  bottom = std::min(bottom, planes.height), right = std::min(right, planes.width);
  if (left >= right) return;
  for (std::int64_t c = 0; c < planes.channels; ++c) {
    for (std::int64_t y = top; y < bottom; ++y) std::fill(planes.row(c, y) + left, planes.row(c, y) + right, value);
  }
}

void cut_out(Planes planes, std::int64_t side, Random random) {
  const auto y = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(planes.height)));
  const auto x = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(planes.width)));
  fill_box(planes, y - side / 2, y - side / 2 + side, x - side / 2, x - side / 2 + side, 0.0f);
}

struct Strip {
  std::int64_t begin, end;
};

/// A strip of width 0 … largest anywhere in length.
Strip random_strip(std::int64_t length, std::int64_t largest, Random& random) {
  const std::int64_t most = std::min(largest, length);
  const auto width = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most) + 1));
  const auto begin = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(length - width) + 1));
  return {begin, begin + width};
}

void mask_features(Planes planes, const AugmentOptions& options, const Random& random) {
  const double sum = std::accumulate(planes.values.begin(), planes.values.end(), 0.0);
  const auto mean = static_cast<float>(sum / static_cast<double>(planes.values.size()));
  Random times = random.split(time_mask_stream);
  for (std::int64_t i = 0; i < options.time_masks; ++i) {
    const Strip strip = random_strip(planes.height, options.time_mask_width, times);
    fill_box(planes, strip.begin, strip.end, 0, planes.width, mean);
  }
  Random frequencies = random.split(frequency_mask_stream);
  for (std::int64_t i = 0; i < options.frequency_masks; ++i) {
    const Strip strip = random_strip(planes.width, options.frequency_mask_width, frequencies);
    fill_box(planes, 0, planes.height, strip.begin, strip.end, mean);
  }
}

bool changes_planes(const AugmentOptions& options) {
  return options.crop > 0 || options.flip || options.cutout > 0 || options.time_masks > 0 ||
         options.frequency_masks > 0;
}

}  // namespace

bool AugmentOptions::changes_samples() const {
  return changes_planes(*this) || noise != nullptr || time_shift_ms > 0.0 || jitter;
}

Random augment_random(std::uint64_t seed, std::int64_t epoch, std::int64_t index) {
  return Random(seed).split(static_cast<std::uint64_t>(epoch)).split(static_cast<std::uint64_t>(index));
}

Tensor augment(const Tensor& sample, const AugmentOptions& options, const Random& random) {
  if (!changes_planes(options)) return sample;
  if (sample.rank() != 4 || sample.dim(0) != 1 || sample.empty()) {
    throw ModelError(cat("augmentation: a sample is ", type_text(sample), ", expected [1, channels, height, width]"));
  }
  if (sample.dtype() != DType::F32) {
    throw UnsupportedError(cat("augmentation: a sample is ", type_text(sample), ", expected f32"));
  }
  Tensor result = sample;
  const Planes planes{result.mutable_data<float>(), sample.dim(1), sample.dim(2), sample.dim(3)};
  if (options.crop > 0) random_crop(planes, options.crop, random.split(crop_stream));
  if (options.flip && random.split(flip_stream).below(2) == 1) flip_rows(planes);
  if (options.cutout > 0) cut_out(planes, options.cutout, random.split(cutout_stream));
  if (options.time_masks > 0 || options.frequency_masks > 0) mask_features(planes, options, random);
  return result;
}

}  // namespace adze
