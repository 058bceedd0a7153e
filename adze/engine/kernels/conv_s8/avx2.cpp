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

/// With many rows, both operands are split into 16-bit pairs beforehand, a panel of quads at a time: weights once for
/// all rows of a chunk, rows once for some blocks of columns. The product then only loads, multiplies and adds.
constexpr std::int64_t panel_quads = 32, panel_blocks = 4, chunk_rows = 48;
constexpr int tile_rows = 6;

using SplitWeights = __m256i[2][panel_quads][2];     // even bytes of 16 columns; odd ones
using SplitRow = std::int32_t[2][panel_quads];       // even pairs; odd pairs
using ChunkSums = std::int32_t[chunk_rows + 2][16];  // room for a tile that ends beyond the last row

struct alignas(32) Panel {
  SplitWeights weights[panel_blocks];
  SplitRow rows[tile_rows];
  ChunkSums sums[panel_blocks];
};

[[gnu::always_inline]] inline void split_weights(const std::int8_t* weights, std::int64_t quads, SplitWeights& to) {
  const auto* from = reinterpret_cast<const __m256i*>(weights);
  for (std::int64_t q = 0; q < quads; ++q) {
    const Pairs::Weights left(_mm256_loadu_si256(from + 2 * q)), right(_mm256_loadu_si256(from + 2 * q + 1));
    to[0][q][0] = left.even;
    to[0][q][1] = right.even;
    to[1][q][0] = left.odd;
    to[1][q][1] = right.odd;
  }
}

/// Do eight quads lie side by side? The ends do not tell: quads of grouped windows may overlap.
[[gnu::always_inline]] inline bool are_side_by_side(const std::int32_t* offsets) {
  const __m256i steps = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
  const __m256i at = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(offsets));
  const __m256i wanted = _mm256_add_epi32(_mm256_set1_epi32(offsets[0]), steps);
  return _mm256_movemask_epi8(_mm256_cmpeq_epi32(at, wanted)) == -1;
}

/// offsets: of the panel's quads.
[[gnu::always_inline]] inline void split_row(const std::uint8_t* x, const std::int32_t* offsets, std::int64_t quads,
                                             SplitRow& to) {
  for (std::int64_t q = 0; q < quads; q += 8) {
    __m256i eight;
    if (q + 8 <= quads && are_side_by_side(offsets + q)) {
      eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + offsets[q]));
    } else {
      alignas(32) std::int32_t some[8] = {};
      for (std::int64_t i = q; i < quads && i < q + 8; ++i) __builtin_memcpy(some + (i - q), x + offsets[i], 4);
      eight = _mm256_load_si256(reinterpret_cast<const __m256i*>(some));
    }
    const Pairs::Quad split(eight);
    _mm256_store_si256(reinterpret_cast<__m256i*>(to[0] + q), split.even);
    _mm256_store_si256(reinterpret_cast<__m256i*>(to[1] + q), split.odd);
  }
}

/// In assembler: the compiler orders the products of all rows before the sums, and keeps the sums in memory for it.
[[gnu::always_inline]] inline void add_pairs(__m256i (&acc)[2], const std::int32_t& x, __m256i left, __m256i right) {
  __m256i first, second;
  asm("vpbroadcastd %[x], %[first]\n\t"
      "vpmaddwd %[left], %[first], %[second]\n\t"
      "vpmaddwd %[right], %[first], %[first]\n\t"
      "vpaddd %[second], %[a], %[a]\n\t"
      "vpaddd %[first], %[b], %[b]"
      : [a] "+x"(acc[0]), [b] "+x"(acc[1]), [first] "=&x"(first), [second] "=&x"(second)
      : [x] "m"(x), [left] "x"(left), [right] "x"(right));
}

template <int rows>
[[gnu::always_inline]] inline void multiply_panel(const SplitRow* x, const SplitWeights& weights, std::int64_t quads,
                                                  std::int32_t (*to)[16]) {
  __m256i acc[rows][2];
  auto* sums = reinterpret_cast<__m256i*>(to);
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    acc[r][0] = _mm256_load_si256(sums + 2 * r);
    acc[r][1] = _mm256_load_si256(sums + 2 * r + 1);
  }
  for (int part = 0; part < 2; ++part) {
    for (std::int64_t q = 0; q < quads; ++q) {
      const __m256i left = weights[part][q][0], right = weights[part][q][1];
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) {
        add_pairs(acc[r], x[r][part][q], left, right);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    _mm256_store_si256(sums + 2 * r, acc[r][0]);
    _mm256_store_si256(sums + 2 * r + 1, acc[r][1]);
  }
}

void begin_sums(const GemmS8Call& call, std::int64_t first, std::int64_t rows, std::int64_t column, ChunkSums& to) {
  const auto* bias = reinterpret_cast<const __m256i*>(call.stage->bias + column);
  const __m256i left = _mm256_loadu_si256(bias), right = _mm256_loadu_si256(bias + 1);
  for (std::int64_t r = 0; r < rows; ++r) {
    const __m256i term = _mm256_set1_epi32(call.row_terms != nullptr ? call.row_terms[first + r] : 0);
    auto* sums = reinterpret_cast<__m256i*>(to[r]);
    _mm256_store_si256(sums, _mm256_add_epi32(left, term));
    _mm256_store_si256(sums + 1, _mm256_add_epi32(right, term));
  }
}

void finish_sums(const GemmS8Call& call, std::int64_t first, std::int64_t rows, std::int64_t column,
                 const ChunkSums& from) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto* sums = reinterpret_cast<const __m256i*>(from[r]);
    const __m256i left = _mm256_load_si256(sums), right = _mm256_load_si256(sums + 1);
    const std::int64_t at = (first + r) * call.y_stride + column;
    if (call.sums != nullptr) {
      store_first(call.sums + at, left, right, call.columns - column);
    } else {
      store_first(call.y + at, finish_sixteen(*call.stage, left, right, column), call.columns - column);
    }
  }
}

/// Rows first … first + rows - 1 by `blocks` blocks of columns.
void multiply_chunk(const GemmS8Call& call, std::int64_t first, std::int64_t rows, std::int64_t column,
                    std::int64_t blocks, Panel& panel) {
  for (std::int64_t b = 0; b < blocks; ++b) begin_sums(call, first, rows, column + 16 * b, panel.sums[b]);
  for (std::int64_t from = 0; from < call.quads; from += panel_quads) {
    const std::int64_t left = call.quads - from, quads = left < panel_quads ? left : panel_quads;
    for (std::int64_t b = 0; b < blocks; ++b) {
      split_weights(call.weights + (column + 16 * b) * call.quads * 4 + from * 64, quads, panel.weights[b]);
    }
    for (std::int64_t row = 0; row < rows; row += tile_rows) {
      const std::int64_t some = rows - row < tile_rows ? rows - row : tile_rows;
      for (std::int64_t r = 0; r < some; ++r) {
        split_row(call.rows[first + row + r], call.offsets + from, quads, panel.rows[r]);
      }
      for (std::int64_t b = 0; b < blocks; ++b) {
        auto* sums = panel.sums[b] + row;
        if (some > 4) {
          multiply_panel<tile_rows>(panel.rows, panel.weights[b], quads, sums);
        } else if (some > 2) {
          multiply_panel<4>(panel.rows, panel.weights[b], quads, sums);
        } else {
          multiply_panel<2>(panel.rows, panel.weights[b], quads, sums);
        }
      }
    }
  }
  for (std::int64_t b = 0; b < blocks; ++b) finish_sums(call, first, rows, column + 16 * b, panel.sums[b]);
}

}  // namespace

void gemm_s8_avx2(const GemmS8Call& call) {
  constexpr std::int64_t worth_splitting = 16;
  if (call.row_count < worth_splitting || call.quads < 8) return multiply_by_tiles<Pairs, 4>(call);
  Panel panel;
  __builtin_memset(panel.rows, 0, sizeof panel.rows);
  __builtin_memset(panel.sums, 0, sizeof panel.sums);
  const std::int64_t blocks = (call.columns + 15) / 16;
  for (std::int64_t block = 0; block < blocks; block += panel_blocks) {
    const std::int64_t together = blocks - block < panel_blocks ? blocks - block : panel_blocks;
    for (std::int64_t row = 0; row < call.row_count; row += chunk_rows) {
      const std::int64_t left = call.row_count - row;
      multiply_chunk(call, row, left < chunk_rows ? left : chunk_rows, 16 * block, together, panel);
    }
  }
}

}  // namespace adze::kernels
