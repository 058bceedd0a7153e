#pragma once

// For files compiled for an instruction set: in an unnamed namespace, as amx_tile.h.
#include <cstdint>

#include "adze/engine/kernels/amx_tile.h"
#include "tests/kernels/tile_memory.h"

namespace adze::kernels {
namespace {

/// What AmxTiles does, in plain C++.
class EmulatedTiles {
 public:
  explicit EmulatedTiles(TileShape shape) {
    const TileConfig config(shape);
    memory_.configure(&config);
  }

  template <int tile>
  void load(const void* from, std::int64_t stride) {
    memory_.load(tile, from, stride);
  }
  template <int tile>
  void store(void* to, std::int64_t stride) {
    memory_.store(tile, to, stride);
  }
  template <int tile>
  void zero() {
    memory_.zero(tile);
  }
  template <int sums, int rows, int weights>
  void dot_u8s8() {
    memory_.dot_u8s8(sums, rows, weights);
  }
  template <int sums, int rows, int weights>
  void dot_bf16() {
    memory_.dot_bf16(sums, rows, weights);
  }

 private:
  kernel_test::TileMemory memory_;
};

}  // namespace
}  // namespace adze::kernels
