#include <cmath>
#include <cstring>

#include "adze/engine/kernels/decoded_f32/decoded_f32_call.h"
#include "adze/engine/kernels/f32_plain.h"
#include "adze/numerics/float_formats.h"

namespace adze::kernels {

namespace {

/// pieces: the first of the columns' pieces.
float decoded(const DecodedF32Call& call, const std::uint8_t* pieces, std::int64_t column, std::int64_t i) {
  const std::uint8_t* piece = pieces + column / 16 * 64 + weight_code_place(call.code, column % 16, i);
  const int bits = weight_code_bits(call.code);
  std::uint32_t value = 0;
  std::memcpy(&value, piece, lies_by_input(call.code) ? 2 : 4);
  const std::uint32_t code = lies_by_input(call.code) ? value : value >> (i * bits) & ((1U << bits) - 1);
  switch (call.code) {
    case WeightCode::F16:
      return decode_float(f16_format, code);
    case WeightCode::Bf16:
      return decode_float(bf16_format, code);
    case WeightCode::F8E4M3:
      return decode_float(f8e4m3_format, code);
    case WeightCode::F8E5M2:
      return decode_float(f8e5m2_format, code);
    default:
      return call.table[code];
  }
}

}  // namespace

void decoded_f32_ref(const DecodedF32Call& call) {
  const std::int64_t inputs = weight_code_inputs(call.code), pieces = (call.group + inputs - 1) / inputs;
  const std::int64_t step = call.panels * 64, group_bytes = (pieces + (call.scales ? 1 : 0)) * step;
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t j = 0; j < call.columns; ++j) {
      float total = call.bias[j];
      for (std::int64_t first = 0, g = 0; first < call.depth; first += call.group, ++g) {
        const std::uint8_t* at = call.weights + g * group_bytes;
        float scale = 1.0f, sum = 0.0f;
        if (call.scales) {
          std::memcpy(&scale, at + j * 4, 4);
          at += step;
        }
        const std::int64_t left = call.depth - first, count = left < call.group ? left : call.group;
        for (std::int64_t i = 0; i < count; ++i) {
          const float weight = decoded(call, at + i / inputs * step, j, i % inputs);
          sum = std::fma(call.x[r * call.x_stride + first + i], weight, sum);
        }
        total = std::fma(sum, scale, total);
      }
      call.y[r * call.y_stride + j] = F32Plain::clamp(total, call.low, call.high);
    }
  }
}

}  // namespace adze::kernels
