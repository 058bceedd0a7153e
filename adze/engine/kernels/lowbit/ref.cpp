#include <cmath>
#include <cstring>

#include "adze/engine/kernels/f32_plain.h"
#include "adze/engine/kernels/lowbit/lowbit_call.h"
#include "adze/engine/kernels/lowbit/split.h"
#include "adze/numerics/float_formats.h"

namespace adze::kernels {

namespace {

float scale_of(const LowbitCall& call, const std::uint8_t* header, std::int64_t column) {
  if (call.scale_bytes == 4) {
    float scale;
    std::memcpy(&scale, header + column * 4, 4);
    return scale;
  }
  std::uint16_t half;
  std::memcpy(&half, header + column * 2, 2);
  return Float16::from_bits(half);
}

/// The exact sum of a group, as a float. x_factor: what the digits' sums count.
float group_sum(const LowbitCall& call, const std::uint8_t* codes, const std::int8_t* x, const std::int32_t* sums,
                std::int32_t x_factor, std::int64_t column) {
  const std::int64_t chunk_depth = 32 / call.bits, padded = call.chunks * chunk_depth;
  std::int32_t t[3] = {};
  for (int d = 0; d < call.digits; ++d) {
    std::int32_t sum = 0;
    for (std::int64_t k = 0; k < padded; ++k) {
      const std::int64_t at = (k / chunk_depth * call.panels + column / 16) * 64 + column % 16 * 4 + k % 4;
      const int code = codes[at] >> (k % chunk_depth / 4 * call.bits) & ((1 << call.bits) - 1);
      sum += code * x[d * padded + k];
    }
    t[d] = call.step * sum + x_factor * sums[d];
  }
  const auto low = static_cast<float>(t[1] * 256 + t[0]);
  return call.digits < 3 ? low : std::fma(static_cast<float>(t[2]), 65536.0f, low);
}

struct Plain {
  static std::uint32_t largest(const float* x, std::int64_t count) {
    std::uint32_t most = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, x + i, 4);
      bits &= 0x7FFFFFFF;
      if (bits > most) most = bits;
    }
    return most;
  }
  static void digits(const float* x, std::int64_t count, float factor, const LowbitSplitCall& call, std::int8_t* to,
                     std::int32_t* sums) {
    for (std::int64_t i = 0; i < count; ++i) {
      auto q = static_cast<std::int32_t>(std::nearbyintf(x[i] * factor));
      for (int d = 0; d < call.digits; ++d) {
        const auto digit = static_cast<std::int8_t>(q);
        to[d * call.padded + i] = digit;
        sums[d] += digit;
        q = (q - digit) / 256;
      }
    }
  }
};

}  // namespace

void lowbit_split_ref(const LowbitSplitCall& call) {
  split_row<Plain>(call);
}

void lowbit_ref(const LowbitCall& call) {
  const std::int64_t header_bytes = lowbit_header_bytes(call.panels, call.scale_bytes, call.zero_points);
  const std::int64_t group_bytes = header_bytes + call.chunks * call.panels * 64;
  const std::int64_t x_group = call.chunks * 32 / call.bits * call.digits;
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t j = 0; j < call.columns; ++j) {
      float y = call.bias[j];
      for (std::int64_t g = 0; g < call.groups; ++g) {
        const std::uint8_t* header = call.weights + g * group_bytes;
        const std::int32_t x_factor = call.zero_points ? -header[call.panels * 16 * call.scale_bytes + j] : 1;
        const std::int64_t at = r * call.groups + g;
        const float t =
            group_sum(call, header + header_bytes, call.x + at * x_group, call.x_sums + at * call.digits, x_factor, j);
        y = std::fma(t * call.x_scales[at], scale_of(call, header, j), y);
      }
      call.y[r * call.y_stride + j] = F32Plain::clamp(y, call.low, call.high);
    }
  }
}

}  // namespace adze::kernels
