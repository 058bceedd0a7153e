#include <arm_neon.h>

#include "adze/engine/kernels/peaks/peaks_call.h"

namespace adze::kernels {

int peak_s8_neondot() {
  constexpr int chains = 16;
  int32x4_t sums[chains] = {};
  int8x16_t x = vdupq_n_s8(1);
  for (int round = 0; round < peak_rounds; ++round) {
#pragma GCC unroll 16
    for (int32x4_t& sum : sums) {
      asm volatile("" : "+w"(x));  // equal chains would be one
      sum = vdotq_s32(sum, x, x);
    }
  }
  int32x4_t total = vdupq_n_s32(0);
  for (const int32x4_t sum : sums) total = vaddq_s32(total, sum);
  return vaddvq_s32(total);
}

}  // namespace adze::kernels
