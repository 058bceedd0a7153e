#pragma once

// For instruction-set files only. Everything in an unnamed namespace.
#include "adze/engine/kernels/lowbit/lowbit_call.h"

namespace adze::kernels {
namespace {

/// Ops: largest(x, count): the largest bits of |x|, which order as the numbers do, NaN above all; digits(…): the digits
/// of round(x * factor), and their sums added.
template <typename Ops>
void split_row(const LowbitSplitCall& call) {
  constexpr float most[] = {127.0f, 127.0f * 257.0f, 8355700.0f};     // 127 in each digit, and room for rounding
  constexpr std::uint32_t infinity = 0x7F800000, least = 0x0DA24260;  // 1e-30
  const std::int64_t groups = (call.depth + call.group - 1) / call.group;
  for (std::int64_t g = 0; g < groups; ++g) {
    const float* x = call.x + g * call.group;
    const std::int64_t left = call.depth - g * call.group, count = left < call.group ? left : call.group;
    std::int8_t* to = call.to + g * call.digits * call.padded;
    std::int32_t* sums = call.sums + g * call.digits;
    for (int d = 0; d < call.digits; ++d) sums[d] = 0;
    const std::uint32_t bits = Ops::largest(x, count);
    const bool splits = bits >= least && bits < infinity;  // all below counts as zero
    if (!splits || count < call.padded) {
      for (std::int64_t i = 0; i < call.digits * call.padded; ++i) to[i] = 0;
    }
    call.scales[g] = bits < infinity ? 0.0f : __builtin_nanf("");
    if (!splits) continue;
    float largest;
    __builtin_memcpy(&largest, &bits, 4);
    call.scales[g] = largest / most[call.digits - 1];
    Ops::digits(x, count, most[call.digits - 1] / largest, call, to, sums);
    for (int d = 0; d < call.digits; ++d) sums[d] *= call.sum_factor;
  }
}

}  // namespace
}  // namespace adze::kernels
