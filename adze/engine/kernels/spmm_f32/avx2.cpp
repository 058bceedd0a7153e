#include "adze/engine/kernels/f32_avx2.h"
#include "adze/engine/kernels/spmm_f32/sums.h"

namespace adze::kernels {

namespace {

inline __m256 halves(const float* a, const float* b) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(a)), _mm_loadu_ps(b), 1);
}

/// Eight rows of eight.
struct Transpose {
  void operator()(const float* const* rows, std::int64_t k, float* to, std::int64_t stride) const {
#pragma GCC unroll 2
    for (int q = 0; q < 2; ++q) {
      __m256 v[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) v[i] = halves(rows[i] + k + 4 * q, rows[4 + i] + k + 4 * q);
      const __m256 low01 = _mm256_unpacklo_ps(v[0], v[1]), high01 = _mm256_unpackhi_ps(v[0], v[1]);
      const __m256 low23 = _mm256_unpacklo_ps(v[2], v[3]), high23 = _mm256_unpackhi_ps(v[2], v[3]);
      float* out = to + 4 * q * stride;
      _mm256_storeu_ps(out, _mm256_shuffle_ps(low01, low23, 0x44));
      _mm256_storeu_ps(out + stride, _mm256_shuffle_ps(low01, low23, 0xEE));
      _mm256_storeu_ps(out + 2 * stride, _mm256_shuffle_ps(high01, high23, 0x44));
      _mm256_storeu_ps(out + 3 * stride, _mm256_shuffle_ps(high01, high23, 0xEE));
    }
  }
};

/// Row after row. Eight columns share a vector; single ones are added up as they are.
void few_rows(const SpmmF32Call& call) {
  for (std::int64_t r = 0; r < call.row_count; ++r) {
    const float* x = call.rows[r] + call.offsets[0];
    for (std::int64_t b = 0; b < call.blocks; ++b) {
      float sums[8] = {};
      if (call.block == 1) {
        sums[0] = call.bias[b];
        for (std::int32_t e = call.starts[b]; e < call.starts[b + 1]; ++e)
          sums[0] += x[call.indices[e]] * call.values[e];
      } else {
        __m256 acc = _mm256_loadu_ps(call.bias + b * 8);
        for (std::int32_t e = call.starts[b]; e < call.starts[b + 1]; ++e) {
          const __m256 w = _mm256_loadu_ps(call.values + static_cast<std::int64_t>(e) * 8);
          acc = _mm256_fmadd_ps(w, _mm256_broadcast_ss(x + call.indices[e]), acc);
        }
        _mm256_storeu_ps(sums, acc);
      }
      for (std::int64_t i = 0; i < call.block && b * call.block + i < call.columns; ++i) {
        const float above = call.low > sums[i] ? call.low : sums[i];
        call.y[r * call.y_stride + b * call.block + i] = call.high < above ? call.high : above;
      }
    }
  }
}

}  // namespace

void spmm_f32_avx2(const SpmmF32Call& call) {
  if (call.vectors == 0) return few_rows(call);
  fill_panel<F32>(call, Transpose{});
  sum_columns<F32>(call, Transpose{}, [&](std::int64_t first, std::int64_t last) {
    return call.block == 1 ? single_sums<F32>(call, first, last) : block_sums<F32, 1>(call, first, last);
  });
}

}  // namespace adze::kernels
