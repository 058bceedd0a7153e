#include <immintrin.h>

#include "adze/engine/kernels/sign_sums/sums.h"

namespace adze::kernels {

namespace {

struct Plain {
  using Words = __m512i;
  static constexpr int lanes = 8, together = 4;
  static Words broadcast(std::uint64_t value) { return _mm512_set1_epi64(static_cast<std::int64_t>(value)); }
  static Words load(const std::uint64_t* from) { return _mm512_loadu_si512(from); }
  static void store(std::int64_t* to, Words words) { _mm512_storeu_si512(to, words); }
  static Words exclusive_or(Words a, Words b) { return _mm512_xor_si512(a, b); }
  static Words both(Words a, Words b) { return _mm512_and_si512(a, b); }
  static Words add(Words a, Words b) { return _mm512_add_epi64(a, b); }
  /// By a table of the halves of bytes.
  static Words count(Words words) {
    const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i low = _mm512_set1_epi8(15);
    const __m512i lower = _mm512_shuffle_epi8(table, _mm512_and_si512(words, low));
    const __m512i upper = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(words, 4), low));
    return _mm512_sad_epu8(_mm512_add_epi8(lower, upper), _mm512_setzero_si512());
  }
};

/// With the instruction that counts (AVX-512 VPOPCNTDQ), which this file's flags do not ask for.
struct Counting : Plain {
  static Words count(Words words) {
    __m512i result;
    asm("vpopcntq %1, %0" : "=v"(result) : "v"(words));
    return result;
  }
};

}  // namespace

void sign_pack_avx512vnni(const SignPackCall& call) {
  const __m512 zero = _mm512_setzero_ps();
  for (std::int64_t w = 0; w * 64 < call.count; ++w) {
    std::uint64_t negatives = 0, nonzeros = 0;
    for (std::int64_t i = 0; i < 64 && w * 64 + i < call.count; i += 16) {
      const std::int64_t left = call.count - w * 64 - i;
      const auto inside = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
      const __m512 x = _mm512_maskz_loadu_ps(inside, call.x + w * 64 + i);
      negatives |= static_cast<std::uint64_t>(_mm512_cmp_ps_mask(x, zero, _CMP_LT_OQ)) << i;
      nonzeros |= static_cast<std::uint64_t>(_mm512_cmp_ps_mask(x, zero, _CMP_NEQ_UQ)) << i;
    }
    call.negatives[w] = negatives;
    call.nonzeros[w] = nonzeros;
  }
}

void sign_sums_avx512vnni(const SignSumsCall& call) {
  static const bool counts = __builtin_cpu_supports("avx512vpopcntdq") != 0;
  counts ? sign_rows<Counting>(call) : sign_rows<Plain>(call);
}

}  // namespace adze::kernels
