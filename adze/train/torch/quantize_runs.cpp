#include "adze/train/torch/quantize_runs.h"

#include <algorithm>
#include <cmath>

#include "adze/train/torch/clones.h"

namespace adze::train {

namespace {

/// Adding and taking away 1.5 · 2²³ leaves a float of at most 2²² in size rounded half to even, in two instructions.
constexpr float round_magic = 12582912.0F;

inline float rounded(float value) {
  return (value + round_magic) - round_magic;
}

constexpr std::int64_t lanes = 16;
/// Numbers whose products are summed as f32 before they join the f64 sum.
constexpr std::int64_t block = 16 * lanes;

inline float gradient_of(float x, float dy, float& dx, float scale, Bounds codes, Bounds bounds) {
  const float v = clamped(x, bounds) / scale, code = rounded(clamped(v, codes));
  const bool inside = v >= codes.low && v <= codes.high;
  dx = inside ? gated(dy, x, bounds) : 0.0F;
  return dy * (inside ? code - v : code);
}

/// In [0, 1).
inline float uniform(std::uint64_t seed, std::uint64_t place) {
  std::uint64_t z = seed + place * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return static_cast<float>(static_cast<std::int32_t>((z ^ (z >> 31U)) >> 40U)) * 0x1p-24F;
}

}  // namespace

ADZE_CLONES void quantize_run(const float* __restrict x, float* __restrict y, std::int64_t count, float scale,
                              Bounds codes, Bounds bounds) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = rounded(clamped(clamped(x[i], bounds) / scale, codes)) * scale;
}

ADZE_CLONES double quantize_gradient_run(const float* __restrict x, const float* __restrict dy, float* __restrict dx,
                                         std::int64_t count, float scale, Bounds codes, Bounds bounds) {
  double sum = 0;
  std::int64_t start = 0;
  for (; start + lanes <= count;) {
    float parts[lanes] = {};
    for (const std::int64_t end = std::min(count, start + block); start + lanes <= end; start += lanes) {
      for (std::int64_t k = 0; k < lanes; ++k) {
        parts[k] += gradient_of(x[start + k], dy[start + k], dx[start + k], scale, codes, bounds);
      }
    }
    float part = 0;
    for (const float each : parts) part += each;
    sum += static_cast<double>(part);
  }
  for (; start < count; ++start) {
    sum += static_cast<double>(gradient_of(x[start], dy[start], dx[start], scale, codes, bounds));
  }
  return sum;
}

ADZE_CLONES void round_run(const float* __restrict x, float* __restrict y, std::int64_t begin, std::int64_t end,
                           const GradientGrid& grid, std::uint64_t seed) {
  const GradientGrid g = grid;
  const Bounds codes{-g.top, g.top};
  for (std::int64_t i = begin; i < end; ++i) {
    y[i] = clamped(std::floor(x[i] * g.inverse + uniform(seed, static_cast<std::uint64_t>(i))), codes) * g.scale;
  }
}

}  // namespace adze::train
