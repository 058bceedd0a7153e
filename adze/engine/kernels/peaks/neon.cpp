#include <arm_neon.h>

#include "adze/engine/kernels/peaks/peaks_call.h"

namespace adze::kernels {

int peak_f32_neon() {
  constexpr int chains = 16;
  float32x4_t sums[chains] = {};
  float32x4_t x = vdupq_n_f32(1.0f);
  for (int round = 0; round < peak_rounds; ++round) {
#pragma GCC unroll 16
    for (float32x4_t& sum : sums) {
      asm volatile("" : "+w"(x));  // equal chains would be one
      sum = vfmaq_f32(sum, x, x);
    }
  }
  float32x4_t total = vdupq_n_f32(0.0f);
  for (const float32x4_t sum : sums) total = vaddq_f32(total, sum);
  return static_cast<int>(vaddvq_f32(total));
}

/// Two products of 16 bits, then their sum to 32, as gemm_s8_neon has it.
int peak_s8_neon() {
  constexpr int chains = 8;
  int32x4_t sums[chains] = {};
  int8x8_t x = vdup_n_s8(1);
  for (int round = 0; round < peak_rounds; ++round) {
#pragma GCC unroll 8
    for (int32x4_t& sum : sums) {
      asm volatile("" : "+w"(x));  // products of its own for each chain
      sum = vpadalq_s16(sum, vmlal_s8(vmull_s8(x, x), x, x));
    }
  }
  int32x4_t total = vdupq_n_s32(0);
  for (const int32x4_t sum : sums) total = vaddq_s32(total, sum);
  return vaddvq_s32(total);
}

int read_neon(const void* from, long bytes) {
  const auto* next = static_cast<const unsigned char*>(from);
  uint8x16_t sums[16] = {};
  for (const unsigned char* end = next + bytes; next < end; next += 256) {
#pragma GCC unroll 16
    for (int j = 0; j < 16; ++j) sums[j] = vorrq_u8(sums[j], vld1q_u8(next + 16 * j));
  }
  for (int j = 1; j < 16; ++j) sums[0] = vorrq_u8(sums[0], sums[j]);
  return vmaxvq_u8(sums[0]);
}

}  // namespace adze::kernels
