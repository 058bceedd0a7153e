#pragma once

// For files compiled for AVX-512 only. Everything in an unnamed namespace: no symbol may reach other files.
#include <immintrin.h>

#include "adze/engine/kernels/amx_tile.h"
#include "adze/engine/kernels/dense_bf16/dense_bf16_call.h"

namespace adze::kernels {
namespace {

/// The products of DenseBf16Call by tiles. Tiles: AmxTiles, or something that does the same.
template <typename Tiles>
class Bf16TileProducts {
 public:
  explicit Bf16TileProducts(const DenseBf16Call& call)
      : call_(call),
        rows_(tiles_of_rows(call.row_count)),
        pairs_(tiles_of_quads(call.pairs)),
        tiles_({static_cast<int>(rows_.size), static_cast<int>(pairs_.size)}) {}

  void run() {
    // Weights that stay in the L2 cache pass all for two tiles of rows, so that results are written side by side.
    constexpr std::int64_t near_weights_bytes = 1 << 20;
    const std::int64_t columns = (call_.columns + 31) / 32, pairs_of_rows = (rows_.count + 1) / 2;
    const bool near = call_.columns * call_.pairs * 4 <= near_weights_bytes;
    for (std::int64_t i = 0; i < columns * pairs_of_rows; ++i) {
      const std::int64_t column = 32 * (near ? i % columns : i / pairs_of_rows);
      const std::int64_t tile = 2 * (near ? i / columns : i % pairs_of_rows);
      if (call_.columns - column <= 16) {
        rows_.count == 1 ? block<1, 1>(tile, column) : block<2, 1>(tile, column);
      } else {
        rows_.count == 1 ? block<1, 2>(tile, column) : block<2, 2>(tile, column);
      }
    }
    store_waiting(waiting_rows_);
  }

 private:
  template <int tile>
  [[gnu::always_inline]] void begin(std::int64_t column) {
    if (call_.bias == nullptr) return tiles_.template zero<tile>();
    tiles_.template load<tile>(call_.bias + column, 0);
  }

  /// height × width tiles of sums.
  template <int height, int width>
  [[gnu::noinline]] void block(std::int64_t tile, std::int64_t column) {
    const std::uint16_t *upper = call_.x + rows_.at(tile) * call_.x_stride,
                        *lower = call_.x + rows_.at(tile + height - 1) * call_.x_stride;
    const std::int64_t stride = 2 * call_.x_stride, block_size = call_.pairs * 32;
    const std::uint16_t* left = call_.weights + column / 16 * block_size;
    begin<0>(column);
    if constexpr (width == 2) begin<1>(column + 16);
    if constexpr (height == 2) begin<2>(column);
    if constexpr (height == 2 && width == 2) begin<3>(column + 16);
    const std::int64_t some_rows = (height * rows_.size + pairs_.count - 1) / pairs_.count;
    for (std::int64_t i = 0; i < pairs_.count; ++i, upper += 2 * pairs_.size, lower += 2 * pairs_.size) {
      const std::uint16_t* weights = left + i * pairs_.size * 32;
      tiles_.template load<4>(upper, stride);
      tiles_.template load<6>(weights, 64);
      tiles_.template dot_bf16<0, 4, 6>();
      if constexpr (width == 2) {
        tiles_.template load<7>(weights + block_size, 64);
        tiles_.template dot_bf16<1, 4, 7>();
      }
      if constexpr (height == 2) {
        tiles_.template load<5>(lower, stride);
        tiles_.template dot_bf16<2, 5, 6>();
        if constexpr (width == 2) tiles_.template dot_bf16<3, 5, 7>();
      }
      store_waiting(some_rows);
    }
    store_waiting(waiting_rows_);
    float* sums = sums_[which_];
    which_ ^= 1;
    tiles_.template store<0>(sums, 128);
    if constexpr (width == 2) tiles_.template store<1>(sums + 16, 128);
    float* second = sums + 32 * rows_.size;
    if constexpr (height == 2) tiles_.template store<2>(second, 128);
    if constexpr (height == 2 && width == 2) tiles_.template store<3>(second + 16, 128);
    waiting_ = sums;
    waiting_row_ = 0, waiting_rows_ = height * rows_.size;
    first_ = rows_.at(tile), second_ = rows_.at(tile + height - 1), column_ = column;
  }

  /// Clamps and stores some rows of the block before this one, while tiles work.
  [[gnu::always_inline]] void store_waiting(std::int64_t rows) {
    const __m512 low = _mm512_set1_ps(call_.low), high = _mm512_set1_ps(call_.high);
    const std::int64_t columns = call_.columns - column_;
    const auto inside = static_cast<__mmask32>(columns >= 32 ? 0xffffffffu : (1u << columns) - 1u);
    for (; rows > 0 && waiting_row_ < waiting_rows_; --rows, ++waiting_row_) {
      const bool upper = waiting_row_ < rows_.size;
      float* y = call_.y + (upper ? first_ + waiting_row_ : second_ + waiting_row_ - rows_.size) * call_.y_stride;
      for (int v = 0; v < 2; ++v) {  // not-a-number passes
        const __m512 sum = _mm512_load_ps(waiting_ + waiting_row_ * 32 + 16 * v);
        _mm512_mask_storeu_ps(y + column_ + 16 * v, static_cast<__mmask16>(inside >> (16 * v)),
                              _mm512_min_ps(high, _mm512_max_ps(low, sum)));
      }
    }
  }

  const DenseBf16Call& call_;
  EvenPieces rows_, pairs_;
  Tiles tiles_;
  int which_ = 0;
  const float* waiting_ = nullptr;
  std::int64_t waiting_row_ = 0, waiting_rows_ = 0, first_ = 0, second_ = 0, column_ = 0;
  alignas(64) float sums_[2][32 * 32];
};

}  // namespace
}  // namespace adze::kernels
