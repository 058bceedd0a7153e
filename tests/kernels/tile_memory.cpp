#include "tests/kernels/tile_memory.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

namespace adze::kernel_test {

namespace {

/// Denormal numbers count as zero.
float flushed(float value) {
  return std::fabs(value) < 0x1p-126f ? 0.0f : value;
}

float widened(const unsigned char* half) {
  const std::uint32_t bits = static_cast<std::uint32_t>(half[0]) << 16 | static_cast<std::uint32_t>(half[1]) << 24;
  float value;
  std::memcpy(&value, &bits, 4);
  return flushed(value);
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

void TileMemory::configure(const void* config) {
  unsigned char bytes[64];
  std::memcpy(bytes, config, sizeof bytes);
  require(bytes[0] == 1);                               // the palette
  for (int i = 1; i < 16; ++i) require(bytes[i] == 0);  // start row, reserved
  for (int tile = 0; tile < 8; ++tile) {
    std::uint16_t row_bytes;
    std::memcpy(&row_bytes, bytes + 16 + 2 * tile, 2);
    tiles_[tile].rows = bytes[48 + tile];
    tiles_[tile].row_bytes = row_bytes;
    require(tiles_[tile].rows <= 16 && row_bytes <= 64);
    std::memset(tiles_[tile].bytes, 0, sizeof tiles_[tile].bytes);
  }
}

void TileMemory::release() {
  for (Tile& tile : tiles_) tile.rows = tile.row_bytes = 0;
}

TileMemory::Tile& TileMemory::used(int tile) {
  require(tile >= 0 && tile < 8 && tiles_[tile].rows > 0 && tiles_[tile].row_bytes > 0);
  return tiles_[tile];
}

void TileMemory::load(int tile, const void* from, std::int64_t stride) {
  Tile& to = used(tile);
  std::memset(to.bytes, 0, sizeof to.bytes);
  for (int row = 0; row < to.rows; ++row) {
    std::memcpy(to.bytes[row], static_cast<const char*>(from) + row * stride, static_cast<std::size_t>(to.row_bytes));
  }
}

void TileMemory::store(int tile, void* to, std::int64_t stride) const {
  const Tile& from = tiles_[tile];
  require(from.rows > 0);
  for (int row = 0; row < from.rows; ++row) {
    std::memcpy(static_cast<char*>(to) + row * stride, from.bytes[row], static_cast<std::size_t>(from.row_bytes));
  }
}

void TileMemory::zero(int tile) {
  std::memset(used(tile).bytes, 0, sizeof tiles_[tile].bytes);
}

int TileMemory::depth(const Tile& sums, const Tile& rows, const Tile& weights) const {
  require(&sums != &rows && &sums != &weights && &rows != &weights);
  require(sums.rows == rows.rows && rows.row_bytes == 4 * weights.rows && sums.row_bytes == weights.row_bytes);
  return weights.rows;
}

void TileMemory::dot_u8s8(int sums, int rows, int weights) {
  Tile &to = used(sums), &left = used(rows), &right = used(weights);
  const int quads = depth(to, left, right);
  for (int row = 0; row < to.rows; ++row) {
    for (int at = 0; at < to.row_bytes; at += 4) {
      std::uint32_t total;
      std::memcpy(&total, to.bytes[row] + at, 4);
      for (int i = 0; i < 4 * quads; ++i) {
        const int weight = static_cast<signed char>(right.bytes[i / 4][at + i % 4]);
        total += static_cast<std::uint32_t>(int{left.bytes[row][i]} * weight);
      }
      std::memcpy(to.bytes[row] + at, &total, 4);
    }
  }
}

void TileMemory::dot_bf16(int sums, int rows, int weights) {
  Tile &to = used(sums), &left = used(rows), &right = used(weights);
  const int pairs = depth(to, left, right);
  for (int row = 0; row < to.rows; ++row) {
    for (int at = 0; at < to.row_bytes; at += 4) {
      float parts[2] = {0.0f, 0.0f}, total;
      for (int i = 0; i < 2 * pairs; ++i) {
        float& part = parts[i % 2];
        part = flushed(std::fma(widened(left.bytes[row] + 2 * i), widened(right.bytes[i / 2] + at + i % 2 * 2), part));
      }
      std::memcpy(&total, to.bytes[row] + at, 4);
      total = flushed(total + flushed(parts[0] + parts[1]));
      std::memcpy(to.bytes[row] + at, &total, 4);
    }
  }
}

}  // namespace adze::kernel_test
