#include "adze/engine/kernels/transpose/tiles.h"

namespace adze::kernels {

namespace {

template <typename T>
struct PlainTile {
  using Element = T;
  static constexpr std::int64_t side = 8;
  static void turn(const T* x, std::int64_t x_step, T* y, std::int64_t y_step) {
    for (std::int64_t i = 0; i < side; ++i) {
      for (std::int64_t j = 0; j < side; ++j) y[j * y_step + i] = x[i * x_step + j];
    }
  }
};

}  // namespace

void transpose_ref(const TransposeCall& call, std::int64_t width) {
  if (width == 1) return turn_all<PlainTile<std::uint8_t>>(call);
  if (width == 2) return turn_all<PlainTile<std::uint16_t>>(call);
  if (width == 4) return turn_all<PlainTile<std::uint32_t>>(call);
  turn_all<PlainTile<std::uint64_t>>(call);
}

}  // namespace adze::kernels
