#include "adze/engine/reference/taps.h"

#include "adze/engine/reference/values.h"

namespace adze::reference {

void taps_at(const Window& window, const Shape& input, const Shape& position, std::vector<Tap>& taps) {
  taps.clear();
  const std::size_t rank = window.rank();
  Shape k(rank, 0);
  std::int64_t kernel_offset = 0;
  do {
    std::int64_t offset = 0;
    bool inside = true;
    for (std::size_t i = 0; i < rank && inside; ++i) {
      const std::int64_t at = position[i] * window.strides[i] + k[i] * window.dilations[i] - window.pads_begin[i];
      inside = at >= 0 && at < input[i];
      offset = offset * input[i] + at;
    }
    if (inside) taps.push_back({offset, kernel_offset});
    ++kernel_offset;
  } while (next_index(k, window.kernel));
}

std::int64_t padded_count(const Window& window, const Shape& input, const Shape& position) {
  std::int64_t count = 1;
  for (std::size_t i = 0; i < window.rank(); ++i) {
    const std::int64_t end = input[i] + window.pads_begin[i] + window.pads_end[i];
    std::int64_t inside = 0;
    for (std::int64_t k = 0; k < window.kernel[i]; ++k) {
      inside += position[i] * window.strides[i] + k * window.dilations[i] < end ? 1 : 0;
    }
    count *= inside;
  }
  return count;
}

}  // namespace adze::reference
