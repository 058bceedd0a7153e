#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/geometry.h"

namespace adze::kernels {

/// A float convolution of one picture, weights packed:
///   y[p, o] = clamp(bias[o] + sum over taps and channels x[tap(p), c] * w[o, c, tap], low, high)
/// x [in_height, in_width, in_channels], y [out_height, out_width, out_channels], dense, 16-byte aligned; batch is not
/// looked at. Groups of any size, depthwise included.
class ConvF32 {
 public:
  virtual ~ConvF32() = default;
  /// Thread-safe.
  virtual void run(const float* x, float* y) const = 0;
  virtual std::string name() const = 0;
  virtual std::int64_t packed_bytes() const = 0;
};

struct ConvF32Weights {
  const float* weights = nullptr;  ///< [out_channels, in_channels / groups, kernel_height, kernel_width]
  const float* bias = nullptr;     ///< [out_channels] or null
  float low, high;                 ///< clamp; infinite for none
};

using MakeConvF32 = std::unique_ptr<ConvF32> (*)(const WindowGeometry&, const ConvF32Weights&, Isa);

/// One line of conv_f32.def.
struct ConvF32Kernel {
  const char* name;
  Isa isa;           ///< the least that it needs
  double tolerance;  ///< |y - reference| <= tolerance * (1 + sum of |x * w|)
  MakeConvF32 make;
};
std::span<const ConvF32Kernel> conv_f32_kernels();

/// The first kernel of the table that the instruction set allows.
std::unique_ptr<ConvF32> make_conv_f32(const WindowGeometry&, const ConvF32Weights&, Isa);

}  // namespace adze::kernels
