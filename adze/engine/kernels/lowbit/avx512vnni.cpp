#include <immintrin.h>

#include "adze/engine/kernels/lowbit/lowbit_call.h"
#include "adze/engine/kernels/lowbit/split.h"

namespace adze::kernels {

namespace {

struct Vectors {
  static std::uint32_t largest(const float* x, std::int64_t count) {
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
    __m512i most = _mm512_setzero_si512();
    for (std::int64_t i = 0; i < count; i += 16) {
      const auto inside = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1 << (count - i)) - 1);
      const __m512i bits = _mm512_and_si512(_mm512_maskz_loadu_epi32(inside, x + i), magnitude);
      most = _mm512_max_epu32(most, bits);
    }
    return _mm512_reduce_max_epu32(most);
  }
  static void digits(const float* x, std::int64_t count, float factor, const LowbitSplitCall& call, std::int8_t* to,
                     std::int32_t* sums) {
    const __m512 by = _mm512_set1_ps(factor);
    __m512i sum[3] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (std::int64_t i = 0; i < count; i += 16) {
      const auto inside = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1 << (count - i)) - 1);
      __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(inside, x + i), by));
      for (int d = 0; d < call.digits; ++d) {
        const __m512i digit = _mm512_srai_epi32(_mm512_slli_epi32(q, 24), 24);
        _mm512_mask_cvtepi32_storeu_epi8(to + d * call.padded + i, inside, q);
        sum[d] = _mm512_add_epi32(sum[d], digit);
        q = _mm512_srai_epi32(_mm512_sub_epi32(q, digit), 8);
      }
    }
    for (int d = 0; d < call.digits; ++d) sums[d] = _mm512_reduce_add_epi32(sum[d]);
  }
};

/// 64 codes of each of the 8 / Bits inputs of a chunk, a byte each; those of 1 bit times Step.
template <int Bits, int Step>
inline __m512i codes_of(__m512i chunk, int p) {
  if constexpr (Bits == 8) return chunk;
  const __m512i mask = _mm512_set1_epi8(Step * ((1 << Bits) - 1));
  const int by = p * Bits - (Step - 1);
  if (by < 0) return _mm512_and_si512(_mm512_add_epi16(chunk, chunk), mask);
  return _mm512_and_si512(by == 0 ? chunk : _mm512_srli_epi16(chunk, static_cast<unsigned>(by)), mask);
}

/// acc += products of four codes with four digits. Written out because GCC 12 copies the accumulators of the intrinsic
/// to memory and back when there are many.
[[gnu::always_inline]] inline void multiply_add(__m512i& acc, __m512i codes, __m512i digits) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(codes), "v"(digits));
}

inline __m512i broadcast(const std::int8_t* p) {
  std::int32_t four;
  __builtin_memcpy(&four, p, 4);
  return _mm512_set1_epi32(four);
}

/// Where a tile reads: some rows, some panels of a block, one group.
struct Place {
  const std::uint8_t* scales;
  const std::uint8_t* zero_points;
  const std::uint8_t* codes;
  std::int64_t chunks, chunk_step;  ///< bytes from a chunk to the next one of its panel
  const std::int8_t* x;
  std::int64_t x_row, x_digit;  ///< bytes
  const float* x_scales;        ///< one for each group of a row
  const std::int32_t* x_sums;
  std::int64_t groups;
};

inline __m512 scales_at(const LowbitCall& call, const std::uint8_t* scales, int panel) {
  if (call.scale_bytes == 4) return _mm512_loadu_ps(scales + panel * 64);
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(scales + panel * 32)));
}

/// Minus a group's zero points of a panel's columns, as 16-bit numbers: what sums of digits are multiplied with.
inline __m512i minus_zero_points(const std::uint8_t* zero_points, int panel) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(zero_points + panel * 16));
  const __m512i minus = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_cvtepu8_epi32(bytes));
  return _mm512_and_si512(minus, _mm512_set1_epi32(0xFFFF));
}

/// Adds the exact sums of one row and panel, digit by digit, to y.
template <int D>
inline void add_sums(const Place& at, const __m512i* t, std::int64_t row, __m512 scale, float* y) {
  __m512i low = t[0];
  if constexpr (D > 1) low = _mm512_add_epi32(low, _mm512_slli_epi32(t[1], 8));
  __m512 value = _mm512_cvtepi32_ps(low);
  if constexpr (D > 2) value = _mm512_fmadd_ps(_mm512_cvtepi32_ps(t[2]), _mm512_set1_ps(65536.0f), value);
  value = _mm512_mul_ps(value, _mm512_set1_ps(at.x_scales[row * at.groups]));
  _mm512_store_ps(y, _mm512_fmadd_ps(value, scale, _mm512_load_ps(y)));
}

/// The sums of one group of R rows of D digits with P panels, added to y: rows of 64 columns.
template <int Bits, int Step, int D, int R, int P>
[[gnu::always_inline]] inline void add_group(const LowbitCall& call, const Place& at, float* y) {
  constexpr int ahead = 2048;
  __m512i acc[P][R * D];
#pragma GCC unroll 6
  for (int i = 0; i < R * D; ++i) {
    const __m512i x_sum = _mm512_set1_epi32(at.x_sums[i / D * at.groups * D + i % D]);
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) acc[p][i] = x_sum;
  }
  if (call.zero_points) {
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      const __m512i minus = minus_zero_points(at.zero_points, p);
#pragma GCC unroll 6
      for (int i = 0; i < R * D; ++i) acc[p][i] = _mm512_dpwssd_epi32(_mm512_setzero_si512(), minus, acc[p][i]);
    }
  }
  const std::uint8_t* codes = at.codes;
  const std::int8_t* x = at.x;
  for (std::int64_t c = 0; c < at.chunks; ++c, codes += at.chunk_step) {
    __m512i chunk[P];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      chunk[p] = _mm512_loadu_si512(codes + p * 64);
      if constexpr (Bits < 8) _mm_prefetch(reinterpret_cast<const char*>(codes + p * 64 + ahead), _MM_HINT_T0);
    }
#pragma GCC unroll 8
    for (int s = 0; s < 8 / Bits; ++s, x += 4) {
      __m512i w[P];
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) w[p] = codes_of<Bits, Step>(chunk[p], s);
#pragma GCC unroll 6
      for (int i = 0; i < R * D; ++i) {
        const __m512i four = broadcast(x + i / D * at.x_row + i % D * at.x_digit);
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p) multiply_add(acc[p][i], w[p], four);
      }
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < P; ++p) {
    const __m512 scale = scales_at(call, at.scales, p);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) add_sums<D>(at, acc[p] + r * D, r, scale, y + r * 64 + p * 16);
  }
}

/// Sizes of what a block of weights and the rows consist of.
struct Sizes {
  explicit Sizes(const LowbitCall& call)
      : header(lowbit_header_bytes(call.panels, call.scale_bytes, call.zero_points)),
        codes(call.chunks * call.panels * 64),
        per_byte(8 / call.bits),
        x_digit(call.chunks * 4 * per_byte),
        x_group(x_digit * call.digits) {}
  std::int64_t header, codes, per_byte, x_digit, x_group;
};

/// Some groups of a block: as packed, or their codes a byte each.
struct Part {
  std::int64_t first, last;
  const std::uint8_t* decoded;
};

/// R rows from this one with all panels.
template <int Bits, int Step, int D, int R>
void add_rows(const LowbitCall& call, const Part& part, std::int64_t row) {
  const Sizes size(call);
  float* y = call.sums + row * 64;
  for (std::int64_t g = part.first; g < part.last; ++g) {
    const std::uint8_t* header = call.weights + g * (size.header + size.codes);
    const std::int64_t at = row * call.groups + g;
    Place place{header,
                header + call.panels * 16 * call.scale_bytes,
                header + size.header,
                call.chunks,
                call.panels * 64,
                call.x + at * size.x_group,
                call.groups * size.x_group,
                size.x_digit,
                call.x_scales + at,
                call.x_sums + at * D,
                call.groups};
    if (part.decoded != nullptr) {
      place.codes = part.decoded + (g - part.first) * size.codes * size.per_byte;
      place.chunks = call.chunks * size.per_byte;
    }
    if (call.panels == 4) {
      add_group<Bits, Step, D, R, 4>(call, place, y);
      continue;
    }
    for (std::int64_t p = 0; p < call.panels; ++p) {
      add_group<Bits, Step, D, R, 1>(call, place, y + p * 16);
      place.scales += 16 * call.scale_bytes;
      place.zero_points += 16;
      place.codes += 64;
    }
  }
}

using Rows = void (*)(const LowbitCall&, const Part&, std::int64_t row);

/// [digits - 1][rows - 1], as many as registers hold.
template <int Bits, int Step>
constexpr Rows few_rows[3][3] = {{add_rows<Bits, Step, 1, 1>, add_rows<Bits, Step, 1, 2>, add_rows<Bits, Step, 1, 3>},
                                 {add_rows<Bits, Step, 2, 1>, nullptr, nullptr},
                                 {add_rows<Bits, Step, 3, 1>, nullptr, nullptr}};
constexpr Rows decoded_rows[3][6] = {
    {add_rows<8, 1, 1, 1>, add_rows<8, 1, 1, 2>, add_rows<8, 1, 1, 3>, add_rows<8, 1, 1, 4>, add_rows<8, 1, 1, 5>,
     add_rows<8, 1, 1, 6>},
    {add_rows<8, 1, 2, 1>, add_rows<8, 1, 2, 2>, add_rows<8, 1, 2, 3>, nullptr, nullptr, nullptr},
    {add_rows<8, 1, 3, 1>, add_rows<8, 1, 3, 2>, nullptr, nullptr, nullptr, nullptr}};

/// All rows, in tiles of about the same height.
void add_all(const LowbitCall& call, const Part& part, const Rows* tiles, std::int64_t most) {
  const std::int64_t count = (call.rows + most - 1) / most;
  std::int64_t row = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t height = call.rows / count + (i < call.rows % count ? 1 : 0);
    tiles[height - 1](call, part, row);
    row += height;
  }
}

template <int Bits, int Step>
void decode(const std::uint8_t* codes, std::int64_t chunks, std::int64_t panels, std::uint8_t* to) {
  for (std::int64_t c = 0; c < chunks; ++c) {
    for (std::int64_t p = 0; p < panels; ++p, codes += 64) {
      const __m512i chunk = _mm512_loadu_si512(codes);
#pragma GCC unroll 8
      for (int s = 0; s < 8 / Bits; ++s) {
        _mm512_store_si512(to + ((c * (8 / Bits) + s) * panels + p) * 64, codes_of<Bits, Step>(chunk, s));
      }
    }
  }
}

using Decode = void (*)(const std::uint8_t*, std::int64_t, std::int64_t, std::uint8_t*);

/// Many rows: some groups at a time, decoded.
void add_decoded(const LowbitCall& call, Decode decode) {
  const Sizes size(call);
  const std::int64_t group_bytes = size.codes * size.per_byte, together = lowbit_decoded_bytes / group_bytes;
  for (std::int64_t first = 0; first < call.groups; first += together) {
    const std::int64_t last = first + together < call.groups ? first + together : call.groups;
    for (std::int64_t g = first; g < last; ++g) {
      decode(call.weights + g * (size.header + size.codes) + size.header, call.chunks, call.panels,
             call.decoded + (g - first) * group_bytes);
    }
    add_all(call, {first, last, call.decoded}, decoded_rows[call.digits - 1], 6 / call.digits);
  }
}

/// From this many rows of all digits on decoding pays.
constexpr std::int64_t many_rows = 5;

template <int Bits, int Step>
void add_products(const LowbitCall& call) {
  if (call.rows * call.digits < many_rows) {
    add_all(call, {0, call.groups, nullptr}, few_rows<Bits, Step>[call.digits - 1], 3 / call.digits);
  } else {
    add_decoded(call, decode<Bits, Step>);
  }
}

void finish(const LowbitCall& call) {
  const __m512 low = _mm512_set1_ps(call.low), high = _mm512_set1_ps(call.high);
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t j = 0; j < call.columns; j += 16) {
      const std::int64_t left = call.columns - j;
      const auto inside = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
      const __m512 sum = _mm512_load_ps(call.sums + r * 64 + j);
      _mm512_mask_storeu_ps(call.y + r * call.y_stride + j, inside, _mm512_min_ps(high, _mm512_max_ps(low, sum)));
    }
  }
}

}  // namespace

void lowbit_split_avx512vnni(const LowbitSplitCall& call) {
  split_row<Vectors>(call);
}

void lowbit_avx512vnni(const LowbitCall& call) {
  for (std::int64_t r = 0; r < call.rows; ++r) {
    for (std::int64_t j = 0; j < call.panels * 16; j += 16) {
      _mm512_store_ps(call.sums + r * 64 + j, _mm512_loadu_ps(call.bias + j));
    }
  }
  switch (call.bits) {
    case 1:
      call.step == 1 ? add_products<1, 1>(call) : add_products<1, 2>(call);
      break;
    case 2:
      add_products<2, 1>(call);
      break;
    case 4:
      add_products<4, 1>(call);
      break;
    default:
      add_all(call, {0, call.groups, nullptr}, decoded_rows[call.digits - 1], 6 / call.digits);
      break;
  }
  finish(call);
}

}  // namespace adze::kernels
