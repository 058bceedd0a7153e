#include "adze/engine/kernels/f32_avx512.h"
#include "adze/engine/kernels/spmm_f32/sums.h"

namespace adze::kernels {

namespace {

/// Four quarters of a vector from four rows.
inline __m512 quarters(const float* a, const float* b, const float* c, const float* d) {
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(a));
  v = _mm512_insertf32x4(v, _mm_loadu_ps(b), 1);
  v = _mm512_insertf32x4(v, _mm_loadu_ps(c), 2);
  return _mm512_insertf32x4(v, _mm_loadu_ps(d), 3);
}

/// Sixteen rows of sixteen; the loads bring the quarters to their places, two rounds of shuffles do the rest.
struct Transpose {
  void operator()(const float* const* rows, std::int64_t k, float* to, std::int64_t stride) const {
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {  // four of the columns
      __m512 v[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        v[i] =
            quarters(rows[i] + k + 4 * q, rows[4 + i] + k + 4 * q, rows[8 + i] + k + 4 * q, rows[12 + i] + k + 4 * q);
      }
      const __m512 low01 = _mm512_unpacklo_ps(v[0], v[1]), high01 = _mm512_unpackhi_ps(v[0], v[1]);
      const __m512 low23 = _mm512_unpacklo_ps(v[2], v[3]), high23 = _mm512_unpackhi_ps(v[2], v[3]);
      float* out = to + 4 * q * stride;
      _mm512_storeu_ps(out, _mm512_shuffle_ps(low01, low23, 0x44));
      _mm512_storeu_ps(out + stride, _mm512_shuffle_ps(low01, low23, 0xEE));
      _mm512_storeu_ps(out + 2 * stride, _mm512_shuffle_ps(high01, high23, 0x44));
      _mm512_storeu_ps(out + 3 * stride, _mm512_shuffle_ps(high01, high23, 0xEE));
    }
  }
};

/// One column of one row: its inputs are gathered.
inline float gathered_sum(const SpmmF32Call& call, const float* x, std::int64_t j) {
  __m512 acc = _mm512_setzero_ps();
  std::int32_t e = call.starts[j];
  const std::int32_t end = call.starts[j + 1];
  for (; e + 16 <= end; e += 16) {
    const __m512i indices = _mm512_loadu_si512(call.indices + e);
    acc = _mm512_fmadd_ps(_mm512_loadu_ps(call.values + e), _mm512_i32gather_ps(indices, x, 4), acc);
  }
  if (e < end) {
    const auto inside = static_cast<__mmask16>((1 << (end - e)) - 1);
    const __m512i indices = _mm512_maskz_loadu_epi32(inside, call.indices + e);
    const __m512 inputs = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), inside, indices, x, 4);
    acc = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(inside, call.values + e), inputs, acc);
  }
  return call.bias[j] + _mm512_reduce_add_ps(acc);
}

/// Eight columns of one row.
inline __m256 eight_sums(const SpmmF32Call& call, const float* x, std::int64_t b) {
  __m256 acc[4] = {_mm256_loadu_ps(call.bias + b * 8), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  std::int32_t e = call.starts[b];
  const std::int32_t end = call.starts[b + 1];
  for (; e + 4 <= end; e += 4) {
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) {
      const __m256 w = _mm256_loadu_ps(call.values + static_cast<std::int64_t>(e + u) * 8);
      acc[u] = _mm256_fmadd_ps(w, _mm256_broadcast_ss(x + call.indices[e + u]), acc[u]);
    }
  }
  for (; e < end; ++e) {
    const __m256 w = _mm256_loadu_ps(call.values + static_cast<std::int64_t>(e) * 8);
    acc[0] = _mm256_fmadd_ps(w, _mm256_broadcast_ss(x + call.indices[e]), acc[0]);
  }
  return _mm256_add_ps(_mm256_add_ps(acc[0], acc[1]), _mm256_add_ps(acc[2], acc[3]));
}

void few_rows(const SpmmF32Call& call) {
  for (std::int64_t r = 0; r < call.row_count; ++r) {
    const float* x = call.rows[r] + call.offsets[0];
    float* y = call.y + r * call.y_stride;
    for (std::int64_t b = 0; b < call.blocks; ++b) {
      if (call.block == 1) {
        const float sum = gathered_sum(call, x, b), above = call.low > sum ? call.low : sum;
        y[b] = call.high < above ? call.high : above;
        continue;
      }
      const __m256 low = _mm256_set1_ps(call.low), high = _mm256_set1_ps(call.high);
      const __m256 sums = _mm256_min_ps(high, _mm256_max_ps(low, eight_sums(call, x, b)));
      const std::int64_t inside = call.columns - b * 8 < 8 ? call.columns - b * 8 : 8;
      _mm256_mask_storeu_ps(y + b * 8, static_cast<__mmask8>((1 << inside) - 1), sums);
    }
  }
}

}  // namespace

void spmm_f32_avx512vnni(const SpmmF32Call& call) {
  if (call.vectors == 0) return few_rows(call);
  fill_panel<F32>(call, Transpose{});
  sum_columns<F32>(call, Transpose{}, [&](std::int64_t first, std::int64_t last) {
    if (call.block == 1) return single_sums<F32>(call, first, last);
    if (call.vectors == 1) return block_sums<F32, 1>(call, first, last);
    if (call.vectors == 2) return block_sums<F32, 2>(call, first, last);
    return block_sums<F32, 3>(call, first, last);
  });
}

}  // namespace adze::kernels
