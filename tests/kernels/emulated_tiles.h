#pragma once

// Tiles in plain C++, for files compiled for an instruction set: in an unnamed namespace, as amx_tile.h.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "adze/engine/kernels/amx_tile.h"

namespace adze::kernels {
namespace {

/// What AmxTiles does, as Intel's reference describes the instructions.
class EmulatedTiles {
 public:
  explicit EmulatedTiles(TileShape shape) : shape_(shape) {
    if (shape.rows < 1 || shape.rows > 16 || shape.quads < 1 || shape.quads > 16) std::abort();
  }

  template <int tile>
  void load(const void* from, std::int64_t stride) {
    std::memset(tiles_[tile], 0, sizeof(tiles_[tile]));
    for (int row = 0; row < rows_of(tile); ++row) {
      std::memcpy(tiles_[tile][row], static_cast<const char*>(from) + row * stride, row_bytes(tile));
    }
  }
  template <int tile>
  void store(void* to, std::int64_t stride) {
    for (int row = 0; row < rows_of(tile); ++row) {
      std::memcpy(static_cast<char*>(to) + row * stride, tiles_[tile][row], row_bytes(tile));
    }
  }
  template <int tile>
  void zero() {
    std::memset(tiles_[tile], 0, sizeof(tiles_[tile]));
  }
  template <int sums, int rows, int weights>
  void dot_u8s8() {
    for (int row = 0; row < shape_.rows; ++row) {
      for (int column = 0; column < 16; ++column) {
        std::uint32_t total;
        std::memcpy(&total, tiles_[sums][row] + 4 * column, 4);
        for (int quad = 0; quad < shape_.quads; ++quad) {
          const unsigned char *x = tiles_[rows][row] + 4 * quad, *w = tiles_[weights][quad] + 4 * column;
          for (int i = 0; i < 4; ++i) {
            total += static_cast<std::uint32_t>(int{x[i]} * int{static_cast<signed char>(w[i])});
          }
        }
        std::memcpy(tiles_[sums][row] + 4 * column, &total, 4);
      }
    }
  }
  template <int sums, int rows, int weights>
  void dot_bf16() {  // the first and the second of each pair in sums of their own
    for (int row = 0; row < shape_.rows; ++row) {
      for (int column = 0; column < 16; ++column) {
        float parts[2] = {0.0f, 0.0f}, total;
        for (int quad = 0; quad < shape_.quads; ++quad) {
          const unsigned char *x = tiles_[rows][row] + 4 * quad, *w = tiles_[weights][quad] + 4 * column;
          for (int i = 0; i < 2; ++i) {
            parts[i] = flushed(__builtin_fmaf(widened(x + 2 * i), widened(w + 2 * i), parts[i]));
          }
        }
        std::memcpy(&total, tiles_[sums][row] + 4 * column, 4);
        total = flushed(total + flushed(parts[0] + parts[1]));
        std::memcpy(tiles_[sums][row] + 4 * column, &total, 4);
      }
    }
  }

 private:
  int rows_of(int tile) const { return tile < 6 ? shape_.rows : shape_.quads; }
  std::size_t row_bytes(int tile) const {
    return tile == 4 || tile == 5 ? 4 * static_cast<std::size_t>(shape_.quads) : 64;
  }
  static float flushed(float value) { return __builtin_fabsf(value) < 0x1p-126f ? 0.0f : value; }
  static float widened(const unsigned char* half) {
    const std::uint32_t bits = static_cast<std::uint32_t>(half[0]) << 16 | static_cast<std::uint32_t>(half[1]) << 24;
    float value;
    std::memcpy(&value, &bits, 4);
    return flushed(value);
  }
  TileShape shape_;
  unsigned char tiles_[8][16][64];  // unwritten ones hold anything, as the processor's after others' use
};

}  // namespace
}  // namespace adze::kernels
