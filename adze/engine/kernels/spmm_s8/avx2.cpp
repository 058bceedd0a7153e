#include "adze/engine/kernels/spmm_s8/sums_avx2.h"

namespace adze::kernels {
namespace {

/// Products of pairs as 16-bit numbers: maddubs would saturate where the reference does not.
struct Pairs {
  template <bool upper>
  struct Rows {
    __m256i left[2], right[2];  ///< inputs 0 and 1, inputs 2 and 3; of two vectors of rows
    [[gnu::always_inline]] Rows(const std::uint8_t* panel, const std::int32_t* indices) {
      const __m256i zero = _mm256_setzero_si256();
      const __m256i a = by_turns<upper>(panel, indices[0], indices[1]);
      const __m256i b = by_turns<upper>(panel, indices[2], indices[3]);
      left[0] = _mm256_unpacklo_epi8(a, zero);
      left[1] = _mm256_unpackhi_epi8(a, zero);
      right[0] = _mm256_unpacklo_epi8(b, zero);
      right[1] = _mm256_unpackhi_epi8(b, zero);
    }
  };
  struct FourWeights {
    alignas(32) std::int32_t pairs[8];
    [[gnu::always_inline]] explicit FourWeights(const std::int8_t* values) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
      _mm256_store_si256(reinterpret_cast<__m256i*>(pairs), _mm256_cvtepi8_epi16(bytes));
    }
  };
  struct OneWeight {
    __m256i left, right;
    [[gnu::always_inline]] explicit OneWeight(const std::int8_t* values) {
      std::int32_t bits;
      __builtin_memcpy(&bits, values, 4);
      const __m128i words = _mm_cvtepi8_epi16(_mm_cvtsi32_si128(bits));
      left = _mm256_broadcastd_epi32(words);
      right = _mm256_broadcastd_epi32(_mm_shuffle_epi32(words, 1));
    }
  };
  template <bool upper>
  [[gnu::always_inline]] static void add(Sums& sums, const Rows<upper>& x, __m256i left, __m256i right) {
    sums.first = _mm256_add_epi32(sums.first, _mm256_madd_epi16(x.left[0], left));
    sums.second = _mm256_add_epi32(sums.second, _mm256_madd_epi16(x.left[1], left));
    sums.first = _mm256_add_epi32(sums.first, _mm256_madd_epi16(x.right[0], right));
    sums.second = _mm256_add_epi32(sums.second, _mm256_madd_epi16(x.right[1], right));
  }
  template <bool upper>
  [[gnu::always_inline]] static void add(Sums& sums, const Rows<upper>& x, const FourWeights& w, int column) {
    add(sums, x, _mm256_set1_epi32(w.pairs[2 * column]), _mm256_set1_epi32(w.pairs[2 * column + 1]));
  }
  template <bool upper>
  [[gnu::always_inline]] static void add(Sums& sums, const Rows<upper>& x, const OneWeight& w) {
    add(sums, x, w.left, w.right);
  }
};

}  // namespace

void spmm_s8_avx2(const SpmmS8Call& call) {
  sparse_sums<Pairs>(call);
}

}  // namespace adze::kernels
