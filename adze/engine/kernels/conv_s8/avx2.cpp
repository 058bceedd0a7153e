#include "adze/engine/kernels/conv_s8/tile_avx2.h"

namespace adze::kernels {
namespace {

/// Products in 16-bit pairs, even bytes and odd ones: maddubs would saturate where VNNI does not.
struct Pairs {
  struct Weights {
    __m256i even, odd;
    explicit Weights(__m256i w) : even(_mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8)), odd(_mm256_srai_epi16(w, 8)) {}
  };
  struct Quad {
    __m256i even, odd;
    explicit Quad(__m256i x) : even(_mm256_and_si256(x, _mm256_set1_epi16(0x00ff))), odd(_mm256_srli_epi16(x, 8)) {}
  };
  [[gnu::always_inline]] static void add(__m256i& acc, const Quad& quad, const Weights& w) {
    const __m256i even = _mm256_madd_epi16(quad.even, w.even), odd = _mm256_madd_epi16(quad.odd, w.odd);
    acc = _mm256_add_epi32(acc, _mm256_add_epi32(even, odd));
  }
};

}  // namespace

void gemm_s8_avx2(const GemmS8Call& call) {
  multiply_by_tiles<Pairs, 4>(call);
}

}  // namespace adze::kernels
