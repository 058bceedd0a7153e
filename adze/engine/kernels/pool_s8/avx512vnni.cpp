#include "adze/engine/kernels/pool_s8/loops.h"

namespace adze::kernels {

void pool_s8_avx512vnni_max(const PoolS8Call& call, std::uint8_t* y) {
  max_of_either<64>(call, y);
}

void pool_s8_avx512vnni_sum(const PoolS8Call& call, std::int32_t* sums) {
  sum_of_either<32>(call, sums);
}

}  // namespace adze::kernels
