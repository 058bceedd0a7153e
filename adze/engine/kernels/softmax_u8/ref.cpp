#include <algorithm>
#include <cmath>

#include "adze/engine/kernels/softmax_u8/softmax_u8_call.h"

namespace adze::kernels {

namespace {

void softmax_row(const SoftmaxU8Call& call, const std::uint8_t* x, std::uint8_t* y) {
  int largest = 0, smallest = 255;
  for (std::int64_t i = 0; i < call.length; ++i) {
    const int code = x[i] ^ call.flip;
    largest = std::max(largest, code);
    smallest = std::min(smallest, code);
  }
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < call.length; ++i) sum += call.exponentials[largest - (x[i] ^ call.flip)];
  std::uint8_t results[256];
  for (int d = 0; d <= largest - smallest; ++d) {
    const double share = static_cast<double>(call.exponentials[d]) / static_cast<double>(sum);
    const double code = std::nearbyint(share / call.scale) + call.zero_point;
    results[d] = static_cast<std::uint8_t>(static_cast<std::int32_t>(std::clamp<double>(code, call.low, call.high)));
  }
  for (std::int64_t i = 0; i < call.length; ++i) y[i] = results[largest - (x[i] ^ call.flip)];
}

}  // namespace

void softmax_u8_ref(const SoftmaxU8Call& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) softmax_row(call, call.x + r * call.length, call.y + r * call.length);
}

}  // namespace adze::kernels
