#include <arm_neon.h>

#include <cstdint>

namespace adze::kernels {
namespace {

/// The table in 16 registers. Each look-up takes indexes below 64 and leaves the result of the others as it is.
struct Table {
  uint8x16x4_t part[4];

  explicit Table(const std::uint8_t* table) {
    for (int i = 0; i < 4; ++i) part[i] = vld1q_u8_x4(table + 64 * i);
  }
  [[gnu::always_inline]] uint8x16_t operator[](uint8x16_t x) const {
    const uint8x16_t next = vdupq_n_u8(64);
    uint8x16_t y = vqtbl4q_u8(part[0], x);
    y = vqtbx4q_u8(y, part[1], x = vsubq_u8(x, next));
    y = vqtbx4q_u8(y, part[2], x = vsubq_u8(x, next));
    return vqtbx4q_u8(y, part[3], vsubq_u8(x, next));
  }
};

}  // namespace

void table_u8_neon(const std::uint8_t* x, std::int64_t count, const std::uint8_t* table, std::uint8_t* y) {
  std::int64_t i = 0;
  if (count >= 16) {
    const Table parts(table);
    for (; i + 16 <= count; i += 16) vst1q_u8(y + i, parts[vld1q_u8(x + i)]);
  }
  for (; i < count; ++i) y[i] = table[x[i]];
}

}  // namespace adze::kernels
