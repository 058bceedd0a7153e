#include <arm_neon.h>

#include <cstdint>

namespace adze::kernels {

void interleave_u8_ref(const std::uint8_t* x, std::int64_t planes, std::int64_t count, std::uint8_t* y);

/// Two to four planes by the storing interleaves, 16 pixels at a time.
void interleave_u8_neon(const std::uint8_t* x, std::int64_t planes, std::int64_t count, std::uint8_t* y) {
  if (planes < 2 || planes > 4) return interleave_u8_ref(x, planes, count, y);
  const std::uint8_t *second = x + count, *third = second + count, *fourth = third + count;
  std::int64_t p = 0;
  for (; p + 16 <= count; p += 16) {
    const uint8x16_t a = vld1q_u8(x + p), b = vld1q_u8(second + p);
    if (planes == 2) {
      vst2q_u8(y + 2 * p, {{a, b}});
    } else if (planes == 3) {
      vst3q_u8(y + 3 * p, {{a, b, vld1q_u8(third + p)}});
    } else {
      vst4q_u8(y + 4 * p, {{a, b, vld1q_u8(third + p), vld1q_u8(fourth + p)}});
    }
  }
  for (; p < count; ++p) {
    for (std::int64_t c = 0; c < planes; ++c) y[planes * p + c] = x[c * count + p];
  }
}

}  // namespace adze::kernels
