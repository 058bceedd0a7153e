#include "adze/engine/kernels/pack_s8/pack_s8.h"

#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

DType either_byte(Random& random) {
  return random.below(2) == 0 ? DType::S8 : DType::U8;
}

/// Random types, zero points and scales; sometimes one operand is a constant.
void check_matmul(const Shape& left, const Shape& right, RoundingProfile profile, Random& random) {
  const DType a = either_byte(random), b = either_byte(random);
  Node node;
  node.kind = OpKind::QMatMul;
  node.set("rounding", std::string(rounding_name(profile)));
  node.set("a_scale", 0.02f);
  node.set("a_zero_point", pick(random, integer_min(a), integer_max(a)));
  node.set("b_scale", static_cast<float>(0.01 * std::exp(random.uniform(-3.0, 3.0))));
  const std::int64_t middle = b == DType::S8 ? 0 : 128;
  node.set("b_zero_point", random.below(2) == 0 ? middle : pick(random, integer_min(b), integer_max(b)));
  set_output(node, either_byte(random), static_cast<float>(std::exp(random.uniform(-7.0, 2.0))), random);
  const std::uint64_t constant = random.below(6);
  expect_same_bytes(node,
                    {{random_bytes(a, left, random), constant == 0}, {random_bytes(b, right, random), constant == 1}});
}

TEST(QMatMul, EqualsTheReferenceOnRandomShapes) {
  Random random(31);
  for (const RoundingProfile profile : all_profiles) {
    for (int round = 0; round < 12; ++round) {
      const std::int64_t batch = pick(random, 1, 5), rows = pick(random, 1, 30), depth = pick(random, 1, 40);
      check_matmul({batch, rows, depth}, {batch, depth, pick(random, 1, 150)}, profile, random);
    }
  }
}

TEST(QMatMul, EqualsTheReferenceWhereBatchesAreBroadcast) {
  Random random(32);
  for (const RoundingProfile profile : all_profiles) {
    check_matmul({2, 3, 4, 5}, {3, 5, 7}, profile, random);
    check_matmul({3, 4, 5}, {2, 1, 5, 7}, profile, random);
    check_matmul({2, 1, 4, 5}, {1, 3, 5, 17}, profile, random);
    check_matmul({9}, {9, 20}, profile, random);
    check_matmul({3, 4, 9}, {9}, profile, random);
    check_matmul({4, 6}, {6, 3}, profile, random);
  }
}

TEST(QMatMul, EqualsTheReferenceWhenThreadsShareProducts) {
  Random random(33);
  for (const RoundingProfile profile : all_profiles) {
    check_matmul({4, 128, 64}, {4, 64, 128}, profile, random);
    check_matmul({1, 200, 80}, {1, 80, 130}, profile, random);
  }
}

/// Columns side by side, depth side by side, neither.
TEST(PackS8, EveryKernelGivesWhatThePlainOneGives) {
  Random random(34);
  const kernels::PackS8Kernel& plain = kernels::pack_s8_kernel(Isa::Ref);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t depth = pick(random, 1, 70), columns = pick(random, 1, 70), extra = pick(random, 0, 3);
    const bool along = round % 3 == 0, across = round % 3 == 1;
    const std::int64_t depth_step = along ? 1 : across ? columns + extra : 2, column_step = along ? depth + extra : 1;
    const std::int64_t columns_apart = round % 3 == 2 ? 2 * depth : column_step;
    const Tensor x = random_bytes(DType::U8, {20000}, random);
    const std::int64_t whole = (columns + 15) / 16 * 16, quads = (depth + 3) / 4;
    std::vector<std::int8_t> packed[2];
    std::vector<std::int32_t> terms[2], rows[2];
    const auto flip = static_cast<std::uint8_t>(random.below(2) == 0 ? 0x80 : 0);
    for (const kernels::PackS8Kernel& kernel : kernels::pack_s8_kernels()) {
      if (!isa_allows(machine_isas().back(), kernel.isa)) continue;
      for (const std::size_t i : {0u, 1u}) {
        const kernels::PackS8Kernel& one = i == 0 ? plain : kernel;
        packed[i].assign(static_cast<std::size_t>(whole * quads * 4), 1);
        terms[i].assign(static_cast<std::size_t>(whole), 0);
        rows[i].assign(7, 0);
        one.pack({x.data<std::uint8_t>().data(), depth, columns, depth_step, columns_apart, flip, -37, 5,
                  packed[i].data(), terms[i].data()});
        one.row_terms({x.data<std::uint8_t>().data(), 7, depth, depth + extra, -100, rows[i].data()});
        terms[i].resize(static_cast<std::size_t>(columns));
      }
      for (std::int64_t j = 0; j < columns; ++j) {
        for (std::int64_t k = 0; k < 4 * quads; ++k) {
          const auto at = static_cast<std::size_t>(j / 16 * quads * 64 + k / 4 * 64 + j % 16 * 4 + k % 4);
          ASSERT_EQ(packed[0][at], packed[1][at]) << kernel.name << " " << j << " " << k;
        }
      }
      ASSERT_EQ(terms[0], terms[1]) << kernel.name;
      ASSERT_EQ(rows[0], rows[1]) << kernel.name;
    }
  }
}

}  // namespace
}  // namespace adze
