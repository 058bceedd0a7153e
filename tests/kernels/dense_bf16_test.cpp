#if defined(__x86_64__)
#include "adze/engine/kernels/dense_bf16/dense_bf16.h"

#include "adze/numerics/float_formats.h"
#include "tests/kernels/emulated_amx.h"
#include "tests/kernels/support.h"
#include "tests/kernels/trapped_amx.h"

namespace adze {
namespace {

using namespace kernel_test;

/// The lines of the table, and the tiles' code on tiles in plain C++. Where there is no AMX its instructions must be
/// trapped.
std::vector<kernels::DenseBf16Kernel> runnable_kernels() {
  std::vector<kernels::DenseBf16Kernel> kernels;
  if (!isa_allows(machine_isa(), Isa::Avx512Bf16)) return kernels;
  for (const kernels::DenseBf16Kernel& kernel : kernels::dense_bf16_kernels()) {
    kernels.push_back(kernel);
  }
  kernels.push_back(
      {"emulated amx", Isa::Avx512Bf16, kernels::dense_bf16_kernels()[0].tolerance, dense_bf16_emulated_amx});
  return kernels;
}

double rounded(float value) {
  return static_cast<double>(BFloat16(value));
}

/// Rows in segments, of any number, products with weights in [segments][depth][columns].
struct Problem {
  std::int64_t count, columns, depth, segments, pairs, x_stride;
  Tensor x, w, bias;
  std::vector<std::int64_t> offsets;
  std::vector<const float*> rows;
  std::vector<std::uint16_t> weights, rounded_rows;

  explicit Problem(Random& random)
      : Problem(random, pick(random, 1, 70), pick(random, 1, 90), pick(random, 1, 75), pick(random, 1, 3)) {}
  Problem(Random& random, std::int64_t row_count, std::int64_t column_count, std::int64_t segment_depth,
          std::int64_t segment_count)
      : count(row_count),
        columns(column_count),
        depth(segment_depth),
        segments(segment_count),
        pairs(kernels::dense_bf16_pairs(segments, depth)),
        x_stride(kernels::dense_bf16_row_stride(pairs)),
        x(random_floats({count + 3, depth}, random)),
        w(random_floats({segments * depth, columns}, random)),
        bias(random_floats({(columns + 15) / 16 * 16}, random)) {
    for (std::int64_t s = 0; s < segments; ++s) offsets.push_back(pick(random, 0, 3) * depth);
    for (std::int64_t r = 0; r < count; ++r) rows.push_back(x.data<float>().data() + r * depth);
    weights.resize(static_cast<std::size_t>(kernels::packed_dense_bf16_size(columns, pairs)));
    kernels::pack_dense_bf16({w.elements<float>(), segments, depth, columns, depth * columns, columns, 1}, depth, pairs,
                             weights.data());
    rounded_rows.assign(static_cast<std::size_t>(count * x_stride), 0x7fc0);  // not a number where nothing is written
    kernels::round_bf16_rows(
        {rows.data(), count, offsets.data(), segments, depth, pairs, rounded_rows.data(), x_stride});
  }

  struct Sum {
    double value, magnitude;
  };
  /// Exact sums of the rounded numbers, [count][columns].
  std::vector<Sum> sums(bool with_bias) const {
    std::vector<double> factors(w.data<float>().size());
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = rounded(w.data<float>()[i]);
    std::vector<Sum> all(static_cast<std::size_t>(count * columns));
    for (std::int64_t i = 0; i < count * columns; ++i) {
      const double first = with_bias ? bias.get_double(i % columns) : 0.0;
      all[static_cast<std::size_t>(i)] = {first, std::abs(first)};
    }
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t k = 0; k < segments * depth; ++k) {
        const std::int64_t at = offsets[static_cast<std::size_t>(k / depth)] + k % depth;
        const double value = rounded(rows[static_cast<std::size_t>(r)][at]);
        for (std::int64_t j = 0; j < columns; ++j) {
          const double product = value * factors[static_cast<std::size_t>(k * columns + j)];
          Sum& sum = all[static_cast<std::size_t>(r * columns + j)];
          sum.value += product;
          sum.magnitude += std::abs(product);
        }
      }
    }
    return all;
  }
};

void expect_close_sums(const Problem& problem, bool has_bias) {
  const float* bias = has_bias ? problem.bias.data<float>().data() : nullptr;
  const std::vector<Problem::Sum> sums = problem.sums(has_bias);
  const TrappedAmx trapped;
  for (const kernels::DenseBf16Kernel& kernel : runnable_kernels()) {
    std::vector<float> y(sums.size() + 1, 99.0f);
    kernel.run({problem.rounded_rows.data(), problem.x_stride, problem.count, problem.pairs, problem.weights.data(),
                problem.columns, bias, -4.5f, 9.0f, y.data(), problem.columns});
    ASSERT_EQ(y.back(), 99.0f) << kernel.name << " writes beyond the last column";
    for (std::size_t i = 0; i < sums.size(); ++i) {
      ASSERT_NEAR(y[i], std::clamp(sums[i].value, -4.5, 9.0), kernel.tolerance * (1.0 + sums[i].magnitude))
          << kernel.name << ", " << problem.count << " rows, " << problem.columns << " columns, depth "
          << problem.segments << " x " << problem.depth << ", element " << i;
    }
  }
}

TEST(DenseBf16, AddsProductsOfRoundedNumbersOfAnyShape) {
  if (runnable_kernels().empty()) GTEST_SKIP() << "skipped: no AVX-512 BF16";
  Random random(61);
  for (int round = 0; round < 40; ++round) expect_close_sums(Problem(random), random.below(2) == 0);
}

TEST(DenseBf16, TakesWeightsThatDoNotStayInTheCache) {
  if (runnable_kernels().empty()) GTEST_SKIP() << "skipped: no AVX-512 BF16";
  Random random(63);
  expect_close_sums(Problem(random, 35, 330, 1700, 1), true);
}

TEST(DenseBf16, PacksAnActivationAsItPacksWeights) {
  if (runnable_kernels().empty()) GTEST_SKIP() << "skipped: no AVX-512 BF16";
  Random random(62);
  for (int round = 0; round < 40; ++round) {
    const std::int64_t depth = pick(random, 1, 70), columns = pick(random, 1, 50), row_stride = columns + 3;
    const std::int64_t pairs = kernels::dense_bf16_pairs(1, depth);
    const Tensor w = random_floats({depth, row_stride}, random);
    std::vector<std::uint16_t> expected(static_cast<std::size_t>(kernels::packed_dense_bf16_size(columns, pairs)));
    kernels::pack_dense_bf16({w.elements<float>(), 1, depth, columns, 0, row_stride, 1}, depth, pairs, expected.data());
    std::vector<std::uint16_t> packed(expected.size(), 0x7fc0);
    kernels::pack_bf16_weights({w.data<float>().data(), row_stride, depth, columns, pairs, packed.data()});
    ASSERT_EQ(packed, expected) << depth << " x " << columns;
  }
}

/// Ties go to even; a not-a-number stays one, denormal numbers become zero, large ones infinite.
TEST(DenseBf16, RoundsToNearestEvenInPackersAndKernels) {
  if (runnable_kernels().empty()) GTEST_SKIP() << "skipped: no AVX-512 BF16";
  const std::pair<std::uint32_t, std::uint16_t> cases[] = {
      {0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81}, {0x7f7fffff, 0x7f80}, {0x80000001, 0x8000},
      {0x007fffff, 0x0000}, {0xff800000, 0xff80}, {0x7fc00000, 0x7fc0}, {0x7f800001, 0x7fc0}, {0xbf80ffff, 0xbf81}};
  for (const auto& [bits, expected] : cases) {
    const float value = std::bit_cast<float>(bits);
    const float* row = &value;
    const std::int64_t offset = 0;
    std::uint16_t rounded_row[32], packed[32] = {};
    kernels::round_bf16_rows({&row, 1, &offset, 1, 1, 1, rounded_row, 32});
    EXPECT_EQ(rounded_row[0], expected) << std::hex << bits;
    kernels::pack_dense_bf16({Elements<float>(&value), 1, 1, 1, 0, 1, 1}, 1, 1, packed);
    EXPECT_EQ(packed[0], expected) << std::hex << bits;
  }
}

}  // namespace
}  // namespace adze
#endif
