#pragma once

#include <limits>

namespace adze::train {

/// What lies outside [low, high] is cut off (a Relu or Clip joined to its neighbour); infinite where nothing is.
struct Bounds {
  float low, high;
};
inline constexpr Bounds unbounded{-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};

inline float clamped(float value, Bounds bounds) {
  value = value < bounds.low ? bounds.low : value;  // keeps NaN
  return value > bounds.high ? bounds.high : value;
}

/// The gradient of clamped: 0 at the bounds themselves, as libtorch's hardtanh has it.
inline float gated(float gradient, float value, Bounds bounds) {
  return value > bounds.low && value < bounds.high ? gradient : 0.0F;
}

}  // namespace adze::train
