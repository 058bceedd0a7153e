#pragma once

// For instruction-set files only. Everything in an unnamed namespace: no symbol may reach other files.
#include <cstdint>

namespace adze::kernels {
namespace {

/// How the eight tiles are used: 0 … 3 hold sums [rows][16 columns of 32 bits], 4 and 5 a part of some rows
/// [rows][quads of 4 bytes], 6 and 7 weights of 16 columns [quads][16 columns of 4 bytes].
struct TileShape {
  int rows, quads;  ///< 1 … 16 each
};

/// What LDTILECFG reads.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  explicit TileConfig(TileShape shape) {
    for (int tile = 0; tile < 8; ++tile) {
      row_bytes[tile] = static_cast<std::uint16_t>(tile == 4 || tile == 5 ? 4 * shape.quads : 64);
      rows[tile] = static_cast<std::uint8_t>(tile < 6 ? shape.rows : shape.quads);
    }
  }
};

/// The processor's tiles, configured for this thread from construction to destruction; tests have the same in plain
/// C++. Written in assembly since the tile numbers of GCC 12's intrinsics cannot be template parameters.
class AmxTiles {
 public:
  explicit AmxTiles(TileShape shape) {
    const TileConfig config(shape);
    asm volatile("ldtilecfg %0" ::"m"(config));
  }
  ~AmxTiles() { asm volatile("tilerelease"); }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;

  /// Rows of memory, stride bytes from one to the next.
  template <int tile>
  [[gnu::always_inline]] void load(const void* from, std::int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  [[gnu::always_inline]] void store(void* to, std::int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  [[gnu::always_inline]] void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(tile));
  }
  /// sums += rows of u8 times weights of s8, modulo 2^32.
  template <int sums, int rows, int weights>
  [[gnu::always_inline]] void dot_u8s8() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(rows), "i"(weights));
  }
  /// sums of f32 += pairs of bf16: denormal inputs and results are zero, rounding is to nearest even.
  template <int sums, int rows, int weights>
  [[gnu::always_inline]] void dot_bf16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(rows), "i"(weights));
  }
};

/// A length in pieces of one size, the last moved back so that it ends where the length does.
struct EvenPieces {
  std::int64_t length, count, size;

  EvenPieces(std::int64_t all, std::int64_t pieces) : length(all), count(pieces), size((all + pieces - 1) / pieces) {}
  std::int64_t at(std::int64_t i) const { return i * size < length - size ? i * size : length - size; }
  /// How much of the last piece the one before has already.
  std::int64_t overlap() const { return count * size - length; }
};

/// Rows in tiles of at most 16, in pairs when one is not enough.
inline EvenPieces tiles_of_rows(std::int64_t rows) {
  return {rows, rows <= 16 ? 1 : (rows + 31) / 32 * 2};
}
/// A row's quads in tiles of at most 16.
inline EvenPieces tiles_of_quads(std::int64_t quads) {
  return {quads, (quads + 15) / 16};
}

}  // namespace
}  // namespace adze::kernels
