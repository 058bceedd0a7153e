#include <cstdint>

namespace adze::kernels {

void table_u8_ref(const std::uint8_t* x, std::int64_t count, const std::uint8_t* table, std::uint8_t* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = table[x[i]];
}

}  // namespace adze::kernels
