#if defined(__x86_64__)
#include "adze/engine/isa_pretended.h"
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
    const auto sums = problem.run_sums(kernels::gemm_s8_kernel(Isa::Ref).run);
    for (const std::int64_t tiles_together : {0, 2, 6}) {
      ASSERT_EQ(problem.run(gemm_s8_emulated_amx, tiles_together), expected)
          << problem.describe() << ", " << tiles_together << " tiles together";
      ASSERT_EQ(problem.run_sums(gemm_s8_emulated_amx, tiles_together), sums) << problem.describe();
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
    const auto sums = problem.run_sums(kernels::gemm_s8_kernel(Isa::Ref).run);
    for (const std::int64_t tiles_together : {0, 2, 6}) {
      ASSERT_EQ(problem.run(amx.run, tiles_together), expected)
          << problem.describe() << ", " << tiles_together << " tiles together";
      ASSERT_EQ(problem.run_sums(amx.run, tiles_together), sums) << problem.describe();
    }
  }
  EXPECT_TRUE(isa_allows(machine_isa(), Isa::Amx) || TrappedAmx::products() > 0);
}

/// A session where AMX is said to be there and permitted: it chooses the kernel, whose instructions are decoded, and
/// gives the reference's bytes.
void expect_amx(const Node& node, const std::vector<std::pair<Tensor, bool>>& operands) {
  const Graph graph = single_node(node, operands);
  const std::vector<Tensor> inputs = variable_inputs(operands);
  const Tensor expected = reference::run_tensors(graph, inputs).at(0);
  std::vector<Isa> isas = machine_isas();
  if (isas.back() != Isa::Amx) isas.push_back(Isa::Amx);
  const PretendedIsas pretended(isas);
  const TrappedAmx trapped;
  const std::int64_t before = TrappedAmx::products();
  Session session(graph);
  ASSERT_TRUE(identical(session.run(inputs).at(0), expected)) << print_graph(graph, {false});
  EXPECT_TRUE(TrappedAmx::products() > before || TrappedAmx::count() == 0);
  EXPECT_EQ(session.isa(), "amx");
  for (const StepInfo& step : session.steps()) {
    EXPECT_TRUE(step.op != op_name(node.kind) || step.kernel == "gemm_s8_amx") << step.kernel;
  }
}

Node integer_node(OpKind kind, RoundingProfile profile, std::int64_t w_zero_point, Random& random) {
  Node node;
  node.kind = kind;
  node.set("rounding", std::string(rounding_name(profile)));
  for (const char* scale : {"x_scale", "a_scale"}) node.set(scale, 0.02f);
  for (const char* zero_point : {"x_zero_point", "a_zero_point", "b_zero_point"})
    node.set(zero_point, pick(random, 0, 127));
  node.set("b_scale", 0.01f);
  node.set("w_scales", std::vector<float>{0.01f});
  node.set("w_zero_point", w_zero_point);
  set_output(node, DType::U8, 0.1f, random);
  return node;
}

TEST(GemmS8Amx, RunsConvolutionsAndProductsWhereItIsPermitted) {
  if (!isa_allows(machine_isa(), Isa::Avx512Bf16)) GTEST_SKIP() << "skipped: no AVX-512";
  Random random(32);
  for (const RoundingProfile profile : all_profiles) {
    for (const DType weights : {DType::S8, DType::U8}) {  // u8 with a zero point: numbers of 9 bits
      const std::int64_t zero_point = weights == DType::S8 ? 0 : 100;
      for (const std::int64_t side : {1, 3}) {
        Node conv = integer_node(OpKind::QConv, profile, zero_point, random);
        conv.set("pads", std::vector<std::int64_t>{side / 2, side / 2, side / 2, side / 2});
        expect_amx(conv, {{random_bytes(DType::U8, {1, 33, 9, 7}, random), false},
                          {random_bytes(weights, {40, 33, side, side}, random), true}});
      }
      expect_amx(integer_node(OpKind::QGemm, profile, zero_point, random),
                 {{random_bytes(DType::S8, {20, 70}, random), false}, {random_bytes(weights, {70, 50}, random), true}});
    }
    expect_amx(
        integer_node(OpKind::QMatMul, profile, 0, random),
        {{random_bytes(DType::U8, {2, 40, 64}, random), false}, {random_bytes(DType::U8, {2, 64, 40}, random), false}});
  }
}

}  // namespace
}  // namespace adze
#endif
