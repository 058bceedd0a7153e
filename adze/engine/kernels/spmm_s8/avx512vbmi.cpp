#include "adze/engine/kernels/conv_s8/finish_avx512.h"
#include "adze/engine/kernels/spmm_s8/spmm_s8_call.h"

namespace adze::kernels {

namespace {

constexpr std::int64_t width = spmm_s8_rows;

/// The bytes of vectors 0 and 8 by turns, of 1 and 9, and so on.
[[gnu::always_inline]] inline void interleave(const __m512i* from, __m512i* to) {
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    to[2 * i] = _mm512_unpacklo_epi8(from[i], from[i + 8]);
    to[2 * i + 1] = _mm512_unpackhi_epi8(from[i], from[i + 8]);
  }
}

/// Sixteen vectors of 64 bytes each to their transposes within the four lanes: afterwards byte i of lane l of vector j
/// is what byte j of lane l of vector i was.
[[gnu::always_inline]] inline void transpose_lanes(__m512i* v) {
  __m512i t[16];
  interleave(v, t);
  interleave(t, v);
  interleave(v, t);
  interleave(t, v);
}

[[gnu::always_inline]] inline void store_lane(std::uint8_t* to, __m512i v, int lane) {
  const __m128i part = lane == 0   ? _mm512_castsi512_si128(v)
                       : lane == 1 ? _mm512_extracti32x4_epi32(v, 1)
                       : lane == 2 ? _mm512_extracti32x4_epi32(v, 2)
                                   : _mm512_extracti32x4_epi32(v, 3);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), part);
}

/// The panel: input k of row r at [k][r].
void fill_panel(const SpmmS8Call& call) {
  for (std::int64_t s = 0; s < call.segments; ++s) {
    std::uint8_t* panel = call.panel + s * call.depth * width;
    for (std::int64_t first = 0; first < width; first += 16) {
      const std::uint8_t* rows[16];
      for (std::int64_t r = 0; r < 16; ++r) {
        const std::int64_t row = first + r < call.row_count ? first + r : call.row_count - 1;
        rows[r] = call.rows[row] + call.offsets[s];
      }
      for (std::int64_t k = 0; k < call.depth; k += 64) {
        const std::int64_t left = call.depth - k < 64 ? call.depth - k : 64;
        const __mmask64 mask = ~std::uint64_t{0} >> (64 - left);
        __m512i v[16];
#pragma GCC unroll 16
        for (int r = 0; r < 16; ++r) v[r] = _mm512_maskz_loadu_epi8(mask, rows[r] + k);
        transpose_lanes(v);
#pragma GCC unroll 4
        for (int lane = 0; lane < 4; ++lane) {
          if (16 * lane >= left) break;
#pragma GCC unroll 16
          for (int j = 0; j < 16; ++j) store_lane(panel + (k + 16 * lane + j) * width + first, v[j], lane);
        }
      }
    }
  }
}

/// From bytes [column][row] to y [row][column].
void write_rows(const SpmmS8Call& call) {
  for (std::int64_t j = 0; j < call.columns; j += 16) {
    const std::int64_t inside = call.columns - j < 16 ? call.columns - j : 16;
    const auto mask = static_cast<__mmask16>((1U << inside) - 1);
    __m512i v[16];
#pragma GCC unroll 16
    for (int c = 0; c < 16; ++c) {
      v[c] = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.bytes + (j + c) * width)));
    }
    transpose_lanes(v);
    std::uint8_t* y = call.y + j;
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      if (r < call.row_count) _mm_mask_storeu_epi8(y + r * call.y_stride, mask, _mm512_castsi512_si128(v[r]));
    }
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      if (16 + r < call.row_count)
        _mm_mask_storeu_epi8(y + (16 + r) * call.y_stride, mask, _mm512_extracti32x4_epi32(v[r], 1));
    }
  }
}

/// Four inputs of 32 rows: in each 32 bits the four of one row, rows 0 to 15 and 16 to 31.
struct Quads {
  __m512i low, high;
};

[[gnu::always_inline]] inline Quads load_quads(const std::uint8_t* panel, const std::int32_t* indices, __m512i order,
                                               __m512i order_high) {
  const auto row = [&](int i) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(panel + indices[i] * width));
  };
  const __m512i first = _mm512_inserti64x4(_mm512_castsi256_si512(row(0)), row(1), 1);
  const __m512i second = _mm512_inserti64x4(_mm512_castsi256_si512(row(2)), row(3), 1);
  return {_mm512_permutex2var_epi8(first, order, second), _mm512_permutex2var_epi8(first, order_high, second)};
}

/// Byte 4 r + i of the result is byte r (+ 16) of input i: of the first register for i = 0, 1, of the second else.
__m512i quad_order(int from) {
  alignas(64) std::uint8_t order[64];
  for (int r = 0; r < 16; ++r) {
    for (int i = 0; i < 4; ++i) order[4 * r + i] = static_cast<std::uint8_t>(i * 32 + r + from);
  }
  return _mm512_load_si512(order);
}

[[gnu::always_inline]] inline __m512i weights_of(const std::int8_t* values) {
  std::int32_t bits;
  __builtin_memcpy(&bits, values, 4);
  return _mm512_set1_epi32(bits);
}

/// Columns as rows of 32 sums each; every two of them become 64 bytes.
template <Tail tail>
[[gnu::always_inline]] inline void store_columns(const SpmmS8Call& call, const __m512i* acc, std::int64_t column) {
  // finish_group reads stage entries column, + 16, + 32, + 48: a column's entries stand 16 times, so two columns of two
  // vectors each are finished by two groups of two equal halves.
  __m512i ordered[4] = {acc[0], acc[2], acc[1], acc[3]};
  const __m512i bytes = finish_group<tail, 2>(*call.spread, ordered, 16 * column);
  std::uint8_t* to = call.bytes + column * width;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_castsi512_si128(bytes));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + width), _mm512_extracti32x4_epi32(bytes, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), _mm512_extracti32x4_epi32(bytes, 2));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + width + 16), _mm512_extracti32x4_epi32(bytes, 3));
}

/// Eight columns that read the same inputs.
template <Tail tail>
void block_sums(const SpmmS8Call& call) {
  const __m512i order = quad_order(0), order_high = quad_order(16);
  for (std::int64_t b = 0; b < call.blocks; ++b) {
    __m512i acc[16];
#pragma GCC unroll 8
    for (int c = 0; c < 8; ++c) acc[2 * c] = acc[2 * c + 1] = _mm512_set1_epi32(call.spread->bias[(b * 8 + c) * 16]);
    for (std::int64_t q = call.starts[b]; q < call.starts[b + 1]; ++q) {
      const Quads x = load_quads(call.panel, call.indices + 4 * q, order, order_high);
      const std::int8_t* w = call.values + q * 32;
#pragma GCC unroll 8
      for (int c = 0; c < 8; ++c) {
        const __m512i weights = weights_of(w + 4 * c);
        acc[2 * c] = _mm512_dpbusd_epi32(acc[2 * c], x.low, weights);
        acc[2 * c + 1] = _mm512_dpbusd_epi32(acc[2 * c + 1], x.high, weights);
      }
    }
#pragma GCC unroll 4
    for (int c = 0; c < 8; c += 2) store_columns<tail>(call, acc + 2 * c, b * 8 + c);
  }
}

/// Columns in pairs, each with its own inputs.
template <Tail tail>
void single_sums(const SpmmS8Call& call) {
  const __m512i order = quad_order(0), order_high = quad_order(16);
  for (std::int64_t j = 0; j < call.blocks; j += 2) {
    __m512i acc[4];
#pragma GCC unroll 2
    for (int c = 0; c < 2; ++c) {
      __m512i low = _mm512_set1_epi32(call.spread->bias[(j + c) * 16]), high = low;
      __m512i more_low = _mm512_setzero_si512(), more_high = more_low;
      if (j + c < call.blocks) {
        std::int64_t q = call.starts[j + c];
        const std::int64_t end = call.starts[j + c + 1];
        for (; q + 2 <= end; q += 2) {
          const Quads x = load_quads(call.panel, call.indices + 4 * q, order, order_high);
          const Quads z = load_quads(call.panel, call.indices + 4 * q + 4, order, order_high);
          const __m512i weights = weights_of(call.values + 4 * q), others = weights_of(call.values + 4 * q + 4);
          low = _mm512_dpbusd_epi32(low, x.low, weights);
          high = _mm512_dpbusd_epi32(high, x.high, weights);
          more_low = _mm512_dpbusd_epi32(more_low, z.low, others);
          more_high = _mm512_dpbusd_epi32(more_high, z.high, others);
        }
        if (q < end) {
          const Quads x = load_quads(call.panel, call.indices + 4 * q, order, order_high);
          const __m512i weights = weights_of(call.values + 4 * q);
          low = _mm512_dpbusd_epi32(low, x.low, weights);
          high = _mm512_dpbusd_epi32(high, x.high, weights);
        }
      }
      acc[2 * c] = _mm512_add_epi32(low, more_low);
      acc[2 * c + 1] = _mm512_add_epi32(high, more_high);
    }
    store_columns<tail>(call, acc, j);
  }
}

template <Tail tail>
void sums(const SpmmS8Call& call) {
  if (call.block == 8) return block_sums<tail>(call);
  single_sums<tail>(call);
}

}  // namespace

void spmm_s8_avx512vbmi(const SpmmS8Call& call) {
  fill_panel(call);
  switch (tail_of(*call.stage)) {
    case Tail::Plain:
      sums<Tail::Plain>(call);
      break;
    case Tail::Middle:
      sums<Tail::Middle>(call);
      break;
    case Tail::Onnx:
      sums<Tail::Onnx>(call);
      break;
    case Tail::Tflm:
      sums<Tail::Tflm>(call);
      break;
    case Tail::Litert:
      sums<Tail::Litert>(call);
      break;
    default:
      sums<Tail::Wide>(call);
      break;
  }
  write_rows(call);
}

}  // namespace adze::kernels
