#include <immintrin.h>

#include <cstdint>

namespace adze::kernels {

void interleave_u8_ref(const std::uint8_t* x, std::int64_t planes, std::int64_t count, std::uint8_t* y);

namespace {

/// For output vector v (16 bytes of 48) the positions that plane c fills: byte 16 v + i belongs to plane (16 v + i)
/// % 3.
struct Shuffles {
  alignas(16) std::int8_t masks[3][3][16];

  constexpr Shuffles() : masks() {
    for (int v = 0; v < 3; ++v) {
      for (int c = 0; c < 3; ++c) {
        for (int i = 0; i < 16; ++i) {
          const int byte = 16 * v + i;
          masks[v][c][i] = static_cast<std::int8_t>(byte % 3 == c ? byte / 3 : -1);
        }
      }
    }
  }
};
constexpr Shuffles shuffles;

/// Three planes, 16 pixels at a time; says how many pixels it did.
std::int64_t interleave_three(const std::uint8_t* x, std::int64_t count, std::uint8_t* y) {
  std::int64_t p = 0;
  for (; p + 16 <= count; p += 16) {
    __m128i planes[3];
    for (int c = 0; c < 3; ++c) planes[c] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + c * count + p));
    for (int v = 0; v < 3; ++v) {
      __m128i pixels = _mm_setzero_si128();
      for (int c = 0; c < 3; ++c) {
        const __m128i mask = _mm_load_si128(reinterpret_cast<const __m128i*>(shuffles.masks[v][c]));
        pixels = _mm_or_si128(pixels, _mm_shuffle_epi8(planes[c], mask));
      }
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y + 3 * p + 16 * v), pixels);
    }
  }
  return p;
}

}  // namespace

void interleave_u8_avx2(const std::uint8_t* x, std::int64_t planes, std::int64_t count, std::uint8_t* y) {
  if (planes != 3) return interleave_u8_ref(x, planes, count, y);
  for (std::int64_t p = interleave_three(x, count, y); p < count; ++p) {
    for (int c = 0; c < 3; ++c) y[3 * p + c] = x[c * count + p];
  }
}

}  // namespace adze::kernels
