#if defined(__x86_64__)
#include "tests/kernels/emulated_amx.h"
#include "tests/kernels/gemm_s8_problem.h"

namespace adze {
namespace {

using namespace kernel_test;

/// The kernel's own code, on tiles in plain C++: this runs where there is no AMX.
TEST(GemmS8Amx, EqualsThePlainKernelOnEmulatedTiles) {
  if (!isa_allows(machine_isa(), Isa::Avx512Bf16)) GTEST_SKIP() << "skipped: no AVX-512";
  Random random(30);
  for (int round = 0; round < 150; ++round) {
    const GemmS8Problem problem(random, round % 3 == 0 ? 170 : 40, round % 3 == 1 ? 150 : 50,
                                round % 5 == 0 ? 150 : 40);
    const auto expected = problem.run(kernels::gemm_s8_kernel(Isa::Ref).run);
    for (const std::int64_t tiles_together : {0, 2, 6}) {
      ASSERT_EQ(problem.run(gemm_s8_emulated_amx, tiles_together), expected)
          << problem.describe() << ", " << tiles_together << " tiles together";
    }
  }
}

}  // namespace
}  // namespace adze
#endif
