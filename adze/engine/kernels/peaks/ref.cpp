#include "adze/engine/kernels/peaks/peaks_call.h"

namespace adze::kernels {
namespace {

template <typename T>
int chains() {
  constexpr int count = 8;
  T sums[count] = {};
  T x = 1, y = 1;
  for (int round = 0; round < peak_rounds; ++round) {
    asm volatile("" : "+r"(x), "+r"(y));
    for (T& sum : sums) sum = static_cast<T>(sum + x * y);
  }
  T total = 0;
  for (const T sum : sums) total = static_cast<T>(total + sum);
  return static_cast<int>(total);
}

}  // namespace

int peak_s8_ref() {
  return chains<int>();
}

int peak_f32_ref() {
  constexpr int count = 8;
  float sums[count] = {};
  for (int round = 0; round < peak_rounds; ++round) {
    float x = 1.0f;
    asm volatile("" : "+m"(x));
    for (float& sum : sums) sum += x * x;
  }
  float total = 0;
  for (const float sum : sums) total += sum;
  return static_cast<int>(total);
}

int read_ref(const void* from, long bytes) {
  const auto* words = static_cast<const unsigned long*>(from);
  unsigned long sums[8] = {};
  for (long i = 0; i < bytes / 8; i += 8) {
    for (int j = 0; j < 8; ++j) sums[j] |= words[i + j];
  }
  unsigned long total = 0;
  for (const unsigned long sum : sums) total |= sum;
  return static_cast<int>(total);
}

}  // namespace adze::kernels
