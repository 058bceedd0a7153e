#if defined(__x86_64__)
#include "tests/kernels/emulated_amx.h"
#include "tests/kernels/gemm_s8_problem.h"
#include "tests/kernels/trapped_amx.h"

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

/// The machine code of the kernel itself: where there is no AMX its instructions are decoded and done in plain C++.
TEST(GemmS8Amx, EqualsThePlainKernelInMachineCode) {
  if (!isa_allows(machine_isa(), Isa::Avx512Bf16)) GTEST_SKIP() << "skipped: no AVX-512";
  const kernels::GemmS8Kernel& amx = kernels::gemm_s8_kernels().front();
  ASSERT_EQ(amx.isa, Isa::Amx);
  Random random(31);
  const TrappedAmx trapped;
  for (int round = 0; round < 40; ++round) {
    const GemmS8Problem problem(random, round % 3 == 0 ? 170 : 40, round % 3 == 1 ? 150 : 50,
                                round % 5 == 0 ? 150 : 40);
    const auto expected = problem.run(kernels::gemm_s8_kernel(Isa::Ref).run);
    for (const std::int64_t tiles_together : {0, 2, 6}) {
      ASSERT_EQ(problem.run(amx.run, tiles_together), expected)
          << problem.describe() << ", " << tiles_together << " tiles together";
    }
  }
  EXPECT_TRUE(isa_allows(machine_isa(), Isa::Amx) || TrappedAmx::products() > 0);
}

}  // namespace
}  // namespace adze
#endif
