#include <immintrin.h>

#include <cstdint>

namespace adze::kernels {
namespace {

/// Piece k of the table, 16 bytes, combined with piece k - 1 (but for the first of each half): a byte whose upper
/// nibble is h then collects pieces 0 … h, which leaves piece h alone. VPSHUFB gives 0 for bytes below 0, and
/// subtracting 16 with saturation brings each byte there when its piece is done.
struct Pieces {
  __m256i of[16];

  explicit Pieces(const std::uint8_t* table) {
    for (int k = 0; k < 16; ++k) {
      const __m128i piece = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * k));
      const __m128i before =
          k % 8 == 0 ? _mm_setzero_si128() : _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * (k - 1)));
      of[k] = _mm256_broadcastsi128_si256(_mm_xor_si128(piece, before));
    }
  }

  /// Of bytes 0 … 127 from pieces first … first + 7; 0 for others.
  [[gnu::always_inline]] __m256i half(__m256i x, int first) const {
    __m256i y = _mm256_shuffle_epi8(of[first], x);
#pragma GCC unroll 8
    for (int k = 1; k < 8; ++k) {
      x = _mm256_subs_epi8(x, _mm256_set1_epi8(16));
      y = _mm256_xor_si256(y, _mm256_shuffle_epi8(of[first + k], x));
    }
    return y;
  }
};

}  // namespace

void table_u8_avx2(const std::uint8_t* x, std::int64_t count, const std::uint8_t* table, std::uint8_t* y) {
  std::int64_t i = 0;
  if (count >= 64) {
    const Pieces pieces(table);
    for (; i + 32 <= count; i += 32) {
      const __m256i index = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
      const __m256i lower = pieces.half(index, 0);
      const __m256i upper = pieces.half(_mm256_xor_si256(index, _mm256_set1_epi8(-128)), 8);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), _mm256_xor_si256(lower, upper));
    }
  }
  for (; i < count; ++i) y[i] = table[x[i]];
}

}  // namespace adze::kernels
