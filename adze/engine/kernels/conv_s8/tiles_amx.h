#pragma once

// For files compiled for AVX-512 only. Everything in an unnamed namespace: no symbol may reach other files.
#include "adze/engine/kernels/amx_tile.h"
#include "adze/engine/kernels/conv_s8/conv_s8_call.h"
#include "adze/engine/kernels/conv_s8/finish_avx512.h"

namespace adze::kernels {
namespace {

/// Where the rows of a tile are: in the picture, a step from one to the next, or packed, 1024 bytes a tile.
struct RowTile {
  const std::uint8_t* base;
  std::int64_t stride;
  bool in_place;
};

/// Sums of a block of up to 32 rows and 32 columns that wait to be finished while tiles make the next.
class WaitingSums {
 public:
  WaitingSums(const GemmS8Call& call, std::int64_t tile_rows)
      : call_(call), tail_(tail_of(*call.stage)), tile_rows_(tile_rows) {}

  /// Sums [tiles][rows][vectors * 16 columns], of tiles whose first rows are given.
  void set(__m512i* sums, std::int64_t vectors, std::int64_t column, std::int64_t tiles, std::int64_t first,
           std::int64_t second) {
    sums_ = sums, vectors_ = vectors, column_ = column, tiles_ = tiles, first_ = first, second_ = second;
    tile_ = row_ = 0;
  }
  bool empty() const { return tile_ == tiles_; }
  /// Finishes about the number of rows, of those that are left.
  [[gnu::noinline]] void finish_some(std::int64_t rows) {
    const std::int64_t left = tile_rows_ - row_, some = rows < left ? (rows + 3) / 4 * 4 : left;
    const std::int64_t count = some < left ? some : left;
    const std::int64_t columns = call_.columns - column_, most = 16 * vectors_;
    const std::int64_t width = columns < most ? columns : most;
    __m512i* sums = sums_ + (tile_ * tile_rows_ + row_) * vectors_;
    const std::int64_t first = (tile_ == 0 ? first_ : second_) + row_, at = first * call_.y_stride + column_;
    if (call_.row_terms != nullptr) add_terms(call_.row_terms + first, sums, count);
    if (call_.sums != nullptr) {
      store_sums(sums, count, call_.sums + at, width);
    } else {
      (vectors_ == 2 ? finish_tile<2> : finish_tile<1>)(tail_, *call_.stage, sums, count, column_, call_.y + at,
                                                        call_.y_stride, width);
    }
    row_ += count;
    if (row_ == tile_rows_) ++tile_, row_ = 0;
  }
  void finish_all() {
    while (!empty()) finish_some(tile_rows_);
  }

 private:
  void add_terms(const std::int32_t* terms, __m512i* sums, std::int64_t rows) const {
    for (std::int64_t i = 0; i < rows * vectors_; ++i) {
      sums[i] = _mm512_add_epi32(sums[i], _mm512_set1_epi32(terms[i / vectors_]));
    }
  }
  void store_sums(const __m512i* sums, std::int64_t rows, std::int32_t* to, std::int64_t width) const {
    for (std::int64_t i = 0; i < rows * vectors_; ++i) {
      const std::int64_t column = i % vectors_ * 16, left = width - column;
      const auto lanes = static_cast<__mmask16>(left >= 16 ? 0xffff : left <= 0 ? 0 : 0xffff >> (16 - left));
      _mm512_mask_storeu_epi32(to + i / vectors_ * call_.y_stride + column, lanes, sums[i]);
    }
  }

  const GemmS8Call& call_;
  Tail tail_;
  std::int64_t tile_rows_;
  __m512i* sums_ = nullptr;
  std::int64_t vectors_ = 0, column_ = 0, tiles_ = 0, first_ = 0, second_ = 0, tile_ = 0, row_ = 0;
};

/// Copies a part of some rows to a tile [rows][64 bytes]; zero for the first `skipped` quads, which another tile has.
inline void pack_tile(const std::uint8_t* const* rows, std::int64_t row_count, const std::int32_t* offsets,
                      std::int64_t quads, std::int64_t skipped, std::uint8_t* to) {
  const auto lanes = static_cast<__mmask16>((0xffffu >> (16 - quads)) & ~((1u << skipped) - 1u));
  const __m512i at = _mm512_maskz_loadu_epi32(static_cast<__mmask16>(0xffffu >> (16 - quads)), offsets);
  const __m512i in_a_stretch = _mm512_add_epi32(
      _mm512_set1_epi32(offsets[0]), _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60));
  if ((_mm512_cmpneq_epi32_mask(at, in_a_stretch) & lanes) == 0) {
    for (std::int64_t r = 0; r < row_count; ++r) {
      _mm512_storeu_si512(to + 64 * r, _mm512_maskz_loadu_epi32(lanes, rows[r] + offsets[0]));
    }
    return;
  }
  for (std::int64_t r = 0; r < row_count; ++r) {
    _mm512_storeu_si512(to + 64 * r, _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lanes, at, rows[r], 1));
  }
}

/// The products of GemmS8Call by tiles. Tiles: AmxTiles, or something that does the same.
template <typename Tiles>
class TileProducts {
 public:
  explicit TileProducts(const GemmS8Call& call)
      : call_(call),
        rows_(tiles_of_rows(call.row_count)),
        quads_(tiles_of_quads(call.quads)),
        tiles_({static_cast<int>(rows_.size), static_cast<int>(quads_.size)}),
        waiting_(call, rows_.size),
        stretches_(are_stretches()) {}

  void run() {
    const std::int64_t together = call_.tiles_together;
    for (std::int64_t first = 0; first < rows_.count; first += together) {
      const std::int64_t last = first + together < rows_.count ? first + together : rows_.count;
      for (std::int64_t tile = first; tile < last; ++tile) place(tile, tile - first);
      for (std::int64_t column = 0; column < call_.columns; column += 32) {
        for (std::int64_t tile = first; tile < last; tile += 2) {
          const bool fetches = tile == first && column + 32 < call_.columns;
          if (call_.columns - column <= 16) {
            last - tile == 1 ? block<1, 1>(tile, first, column, fetches) : block<2, 1>(tile, first, column, fetches);
          } else {
            last - tile == 1 ? block<1, 2>(tile, first, column, fetches) : block<2, 2>(tile, first, column, fetches);
          }
        }
      }
    }
    waiting_.finish_all();
  }

 private:
  /// Can tiles be loaded from where rows are: do the quads of each lie side by side, with none in two of them?
  bool are_stretches() const {
    if (quads_.overlap() != 0) return false;
    for (std::int64_t q = 1; q < call_.quads; ++q) {
      if (q % quads_.size != 0 && call_.offsets[q] != call_.offsets[q - 1] + 4) return false;
    }
    return true;
  }

  /// Finds or packs the rows of a tile; index: within those that are worked on together.
  void place(std::int64_t tile, std::int64_t index) {
    const std::uint8_t* const* rows = call_.rows + rows_.at(tile);
    const std::int64_t stride = rows_.size > 1 ? rows[1] - rows[0] : 64;
    bool in_place = stretches_;
    for (std::int64_t r = 1; r < rows_.size && in_place; ++r) in_place = rows[r] - rows[r - 1] == stride;
    if (in_place) {
      placed_[index] = {rows[0], stride, true};
      return;
    }
    std::uint8_t* packed = call_.scratch + index * quads_.count * 1024;
    placed_[index] = {packed, 64, false};
    for (std::int64_t i = 0; i < quads_.count; ++i, packed += 1024) {
      pack_tile(rows, rows_.size, call_.offsets + quads_.at(i), quads_.size,
                i + 1 == quads_.count ? quads_.overlap() : 0, packed);
    }
  }
  [[gnu::always_inline]] const std::uint8_t* part(const RowTile& tile, std::int64_t i) const {
    return tile.base + (tile.in_place ? call_.offsets[i * quads_.size] : i * 1024);
  }

  /// height × width tiles of sums.
  template <int height, int width>
  [[gnu::noinline]] void block(std::int64_t tile, std::int64_t first, std::int64_t column, bool fetches) {
    const RowTile upper = placed_[tile - first], lower = placed_[tile - first + height - 1];
    const std::int64_t block_bytes = call_.quads * 64;
    const std::int8_t* left = call_.weights + column / 16 * block_bytes;
    const std::int32_t* bias = call_.stage->bias + column;
    tiles_.template load<0>(bias, 0);
    if constexpr (width == 2) tiles_.template load<1>(bias + 16, 0);
    if constexpr (height == 2) tiles_.template load<2>(bias, 0);
    if constexpr (height == 2 && width == 2) tiles_.template load<3>(bias + 16, 0);
    const std::int64_t some_rows = (height * rows_.size + quads_.count - 1) / quads_.count;
    for (std::int64_t i = 0; i < quads_.count; ++i) {
      const std::int8_t* weights = left + quads_.at(i) * 64;
      tiles_.template load<4>(part(upper, i), upper.stride);
      tiles_.template load<6>(weights, 64);
      tiles_.template dot_u8s8<0, 4, 6>();
      if constexpr (width == 2) {
        tiles_.template load<7>(weights + block_bytes, 64);
        tiles_.template dot_u8s8<1, 4, 7>();
      }
      if constexpr (height == 2) {
        tiles_.template load<5>(part(lower, i), lower.stride);
        tiles_.template dot_u8s8<2, 5, 6>();
        if constexpr (width == 2) tiles_.template dot_u8s8<3, 5, 7>();
      }
      if (fetches) fetch(weights + 2 * block_bytes, block_bytes);
      if (!waiting_.empty()) waiting_.finish_some(some_rows);
    }
    waiting_.finish_all();
    __m512i* sums = sums_[which_];
    which_ ^= 1;
    tiles_.template store<0>(sums, 64 * width);
    if constexpr (width == 2) tiles_.template store<1>(sums + 1, 64 * width);
    __m512i* second = sums + width * rows_.size;
    if constexpr (height == 2) tiles_.template store<2>(second, 64 * width);
    if constexpr (height == 2 && width == 2) tiles_.template store<3>(second + 1, 64 * width);
    waiting_.set(sums, width, column, height, rows_.at(tile), rows_.at(tile + height - 1));
  }
  /// The part of the next columns' weights, while the first rows pass these. Beyond the last it asks for nothing.
  [[gnu::always_inline]] void fetch(const std::int8_t* weights, std::int64_t block_bytes) const {
    for (std::int64_t q = 0; q < quads_.size; ++q) {
      _mm_prefetch(reinterpret_cast<const char*>(weights + 64 * q), _MM_HINT_T1);
      _mm_prefetch(reinterpret_cast<const char*>(weights + block_bytes + 64 * q), _MM_HINT_T1);
    }
  }

  const GemmS8Call& call_;
  EvenPieces rows_, quads_;
  Tiles tiles_;
  WaitingSums waiting_;
  bool stretches_;
  int which_ = 0;
  RowTile placed_[gemm_s8_most_tiles];
  alignas(64) __m512i sums_[2][32 * 2 + 3];
};

}  // namespace
}  // namespace adze::kernels
