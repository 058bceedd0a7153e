#include <immintrin.h>

#include "adze/engine/kernels/sign_sums/sums.h"

namespace adze::kernels {

namespace {

struct Vectors {
  using Words = __m256i;
  static constexpr int lanes = 4, together = 1;
  static Words broadcast(std::uint64_t value) { return _mm256_set1_epi64x(static_cast<std::int64_t>(value)); }
  static Words load(const std::uint64_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static void store(std::int64_t* to, Words words) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), words); }
  static Words exclusive_or(Words a, Words b) { return _mm256_xor_si256(a, b); }
  static Words both(Words a, Words b) { return _mm256_and_si256(a, b); }
  static Words add(Words a, Words b) { return _mm256_add_epi64(a, b); }
  /// By a table of the halves of bytes.
  static Words count(Words words) {
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i lower = _mm256_shuffle_epi8(table, _mm256_and_si256(words, low));
    const __m256i upper = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(words, 4), low));
    return _mm256_sad_epu8(_mm256_add_epi8(lower, upper), _mm256_setzero_si256());
  }
};

}  // namespace

void sign_pack_avx2(const SignPackCall& call) {
  const __m256 zero = _mm256_setzero_ps();
  for (std::int64_t w = 0; w * 64 < call.count; ++w) {
    std::uint64_t negatives = 0, nonzeros = 0;
    for (std::int64_t i = 0; i < 64 && w * 64 + i < call.count; i += 8) {
      const std::int64_t left = call.count - w * 64 - i;
      float some[8] = {};
      if (left < 8) __builtin_memcpy(some, call.x + w * 64 + i, static_cast<unsigned long>(left) * 4);
      const __m256 x = _mm256_loadu_ps(left < 8 ? some : call.x + w * 64 + i);
      const auto bits = [](__m256 mask) {
        return static_cast<std::uint64_t>(static_cast<unsigned>(_mm256_movemask_ps(mask)));
      };
      negatives |= bits(_mm256_cmp_ps(x, zero, _CMP_LT_OQ)) << i;
      nonzeros |= bits(_mm256_cmp_ps(x, zero, _CMP_NEQ_UQ)) << i;
    }
    call.negatives[w] = negatives;
    call.nonzeros[w] = nonzeros;
  }
}

void sign_sums_avx2(const SignSumsCall& call) {
  sign_rows<Vectors>(call);
}

}  // namespace adze::kernels
