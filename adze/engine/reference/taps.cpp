#include "adze/engine/reference/taps.h"

#include <algorithm>

namespace adze::reference {

namespace {

/// The least k with k·step at least distance: 0 for what is not positive.
std::int64_t steps_to(std::int64_t distance, std::int64_t step) {
  return distance <= 0 ? 0 : (distance - 1) / step + 1;
}

}  // namespace

void taps_at(const Window& window, const Shape& input, const Shape& position, std::vector<Tap>& taps) {
  taps.clear();
  taps.push_back({0, 0});
  std::vector<Tap> longer;
  for (std::size_t i = 0; i < window.rank(); ++i) {
    const std::int64_t start = position[i] * window.strides[i] - window.pads_begin[i], step = window.dilations[i];
    const std::int64_t first = std::max<std::int64_t>(0, steps_to(-start, step));
    const std::int64_t end = std::min(window.kernel[i], steps_to(input[i] - start, step));
    longer.clear();
    for (const Tap& tap : taps) {
      for (std::int64_t k = first; k < end; ++k) {
        longer.push_back({tap.input * input[i] + start + k * step, tap.kernel * window.kernel[i] + k});
      }
    }
    taps.swap(longer);
  }
}

std::int64_t padded_count(const Window& window, const Shape& input, const Shape& position) {
  std::int64_t count = 1;
  for (std::size_t i = 0; i < window.rank(); ++i) {
    const std::int64_t end = input[i] + window.pads_begin[i] + window.pads_end[i];
    const std::int64_t start = position[i] * window.strides[i];
    count *= std::min(window.kernel[i], steps_to(end - start, window.dilations[i]));
  }
  return count;
}

}  // namespace adze::reference
