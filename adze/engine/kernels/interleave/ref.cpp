#include <algorithm>
#include <cstdint>

namespace adze::kernels {

void interleave_u8_ref(const std::uint8_t* x, std::int64_t planes, std::int64_t count, std::uint8_t* y) {
  constexpr std::int64_t block = 64;  // pixels whose bytes stay in the cache while all planes are read
  for (std::int64_t first = 0; first < count; first += block) {
    const std::int64_t end = std::min(count, first + block);
    for (std::int64_t c = 0; c < planes; ++c) {
      for (std::int64_t p = first; p < end; ++p) y[p * planes + c] = x[c * count + p];
    }
  }
}

}  // namespace adze::kernels
