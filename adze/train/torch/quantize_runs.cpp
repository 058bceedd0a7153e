#include "adze/train/torch/quantize_runs.h"

#include <algorithm>

#include "adze/train/torch/clones.h"

namespace adze::train {

namespace {

/// Adding and taking away 1.5 · 2²³ leaves a float of at most 2²² in size rounded half to even, in two instructions.
constexpr float round_magic = 12582912.0F;

inline float rounded(float value) {
  return (value + round_magic) - round_magic;
}

/// Bounds are whole numbers, so that cutting off before rounding is the same as after.
inline float cut(float value, Codes codes) {
  value = value < codes.low ? codes.low : value;  // keeps NaN
  return value > codes.high ? codes.high : value;
}

constexpr std::int64_t lanes = 16;
/// Numbers whose products are summed as f32 before they join the f64 sum.
constexpr std::int64_t block = 16 * lanes;

inline float gradient_of(float x, float dy, float& dx, float scale, Codes codes) {
  const float v = x / scale, kept = cut(v, codes), code = rounded(kept);
  const bool inside = v >= codes.low && v <= codes.high;
  dx = inside ? dy : 0.0F;
  return dy * (inside ? code - v : code);
}

}  // namespace

ADZE_CLONES void quantize_run(const float* __restrict x, float* __restrict y, std::int64_t count, float scale,
                              Codes codes) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = rounded(cut(x[i] / scale, codes)) * scale;
}

ADZE_CLONES double quantize_gradient_run(const float* __restrict x, const float* __restrict dy, float* __restrict dx,
                                         std::int64_t count, float scale, Codes codes) {
  double sum = 0;
  std::int64_t start = 0;
  for (; start + lanes <= count;) {
    float parts[lanes] = {};
    for (const std::int64_t end = std::min(count, start + block); start + lanes <= end; start += lanes) {
      for (std::int64_t k = 0; k < lanes; ++k) {
        parts[k] += gradient_of(x[start + k], dy[start + k], dx[start + k], scale, codes);
      }
    }
    float part = 0;
    for (const float each : parts) part += each;
    sum += static_cast<double>(part);
  }
  for (; start < count; ++start) {
    sum += static_cast<double>(gradient_of(x[start], dy[start], dx[start], scale, codes));
  }
  return sum;
}

}  // namespace adze::train
