#pragma once

#include <cstdint>

namespace adze::kernel_test {

/// AMX's eight tiles and their configuration in plain C++, as Intel's reference describes the instructions. What the
/// processor would refuse ends the program.
class TileMemory {
 public:
  /// The 64 bytes that LDTILECFG reads.
  void configure(const void* config);
  void release();

  void load(int tile, const void* from, std::int64_t stride);
  void store(int tile, void* to, std::int64_t stride) const;
  void zero(int tile);
  /// sums += rows of u8 × weights of s8, four at a time, modulo 2^32.
  void dot_u8s8(int sums, int rows, int weights);
  /// sums of f32 += rows × weights of bf16, two at a time; the first and the second of each pair in sums of their own.
  void dot_bf16(int sums, int rows, int weights);

 private:
  struct Tile {
    int rows = 0, row_bytes = 0;  ///< 0: not configured
    unsigned char bytes[16][64];
  };
  Tile& used(int tile);
  /// Checks that the shapes fit each other; the number of 4-byte groups of a product.
  int depth(const Tile& sums, const Tile& rows, const Tile& weights) const;

  Tile tiles_[8];
};

}  // namespace adze::kernel_test
