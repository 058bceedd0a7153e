#include "adze/engine/kernels/spmm_s8/sums_avx2.h"

namespace adze::kernels {
namespace {

struct Quads {
  template <bool upper>
  struct Rows {
    __m256i quads[2];  ///< of two vectors of rows
    [[gnu::always_inline]] Rows(const std::uint8_t* panel, const std::int32_t* indices) {
      const __m256i a = by_turns<upper>(panel, indices[0], indices[1]);
      const __m256i b = by_turns<upper>(panel, indices[2], indices[3]);
      quads[0] = _mm256_unpacklo_epi16(a, b);
      quads[1] = _mm256_unpackhi_epi16(a, b);
    }
  };
  struct FourWeights {
    const std::int8_t* values;
    [[gnu::always_inline]] explicit FourWeights(const std::int8_t* at) : values(at) {}
  };
  using OneWeight = FourWeights;
  template <bool upper>
  [[gnu::always_inline]] static void add(Sums& sums, const Rows<upper>& x, const FourWeights& w, int column = 0) {
    std::int32_t bits;
    __builtin_memcpy(&bits, w.values + 4 * column, 4);
    const __m256i weights = _mm256_set1_epi32(bits);
    sums.first = _mm256_dpbusd_avx_epi32(sums.first, x.quads[0], weights);
    sums.second = _mm256_dpbusd_avx_epi32(sums.second, x.quads[1], weights);
  }
};

}  // namespace

void spmm_s8_avxvnni(const SpmmS8Call& call) {
  sparse_sums<Quads>(call);
}

}  // namespace adze::kernels
