#include "adze/engine/kernels/decoded_f32/decoded_f32.h"

#include "adze/numerics/float_formats.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;
using kernels::DecodedF32Kernel;
using kernels::DecodedLayout;
using kernels::WeightCode;

constexpr WeightCode all_codes[] = {WeightCode::F16,    WeightCode::Bf16,   WeightCode::F8E4M3,
                                    WeightCode::F8E5M2, WeightCode::Table4, WeightCode::Table8};

float decoded(WeightCode code, std::uint32_t bits, const std::vector<float>& table) {
  switch (code) {
    case WeightCode::F16:
      return decode_float(f16_format, bits);
    case WeightCode::Bf16:
      return decode_float(bf16_format, bits);
    case WeightCode::F8E4M3:
      return decode_float(f8e4m3_format, bits);
    case WeightCode::F8E5M2:
      return decode_float(f8e5m2_format, bits);
    default:
      return table[bits];
  }
}

struct Problem {
  Problem(WeightCode code, Random& random) {
    layout.code = code;
    layout.depth = pick(random, 1, 90);
    layout.columns = pick(random, 1, 150);
    layout.scales = random.below(2) == 0;
    layout.group = layout.scales ? pick(random, 1, layout.depth) : layout.depth;
    const Tensor values = random_floats({256}, random);
    table.assign(values.data<float>().begin(), values.data<float>().end());
    for (std::int64_t i = 0; i < layout.depth * layout.columns; ++i) {
      std::uint32_t bits = 0;
      do {
        bits = static_cast<std::uint32_t>(random.below(1ULL << weight_code_bits(code)));
      } while (!std::isfinite(decoded(code, bits, table)) || std::abs(decoded(code, bits, table)) > 500.0f);
      codes.push_back(bits);
    }
    for (std::int64_t i = 0; i < layout.groups() * layout.columns; ++i) {
      scales.push_back(static_cast<float>(random.uniform()));
    }
  }
  std::vector<float> run(const DecodedF32Kernel& kernel, const Tensor& x, const Tensor& bias) const {
    const std::int64_t rows = x.dim(0), stride = x.dim(1);
    std::vector<std::uint8_t> packed(static_cast<std::size_t>(layout.bytes()));
    const auto at = [&](std::int64_t k, std::int64_t j) { return static_cast<std::size_t>(k * layout.columns + j); };
    pack_decoded(layout,
                 {[&](std::int64_t k, std::int64_t j) { return codes[at(k, j)]; },
                  [&](std::int64_t g, std::int64_t j) { return scales[at(g, j)]; }},
                 packed.data());
    std::vector<float> y(static_cast<std::size_t>(rows * layout.columns + 1), 99.0f);
    for (std::int64_t b = 0; b < layout.blocks(); ++b) {
      kernel.run({layout.code, table.data(), x.data<float>().data(), stride, rows, layout.depth, layout.group,
                  packed.data() + layout.block_offset(b), layout.panels(b), layout.scales,
                  bias.data<float>().data() + b * 64, -700.0f, 900.0f, y.data() + b * 64, layout.columns,
                  std::min<std::int64_t>(64, layout.columns - b * 64)});
    }
    EXPECT_EQ(y.back(), 99.0f) << kernel.name << " writes beyond the last column";
    y.pop_back();
    return y;
  }

  DecodedLayout layout;
  std::vector<float> table, scales;
  std::vector<std::uint32_t> codes;
};

TEST(DecodedF32, MultipliesDecodedWeightsWithTheSameBitsOnEveryInstructionSet) {
  Random random(95);
  for (int round = 0; round < 60; ++round) {
    const WeightCode code = all_codes[round % 6];
    const Problem problem(code, random);
    const DecodedLayout& layout = problem.layout;
    const std::int64_t rows = pick(random, 1, 8), stride = layout.depth + pick(random, 0, 3);
    const Tensor x = random_floats({rows, stride}, random), bias = random_floats({layout.blocks() * 64}, random);
    const std::vector<float> expected = problem.run(kernels::decoded_f32_kernel(Isa::Ref), x, bias);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t j = 0; j < layout.columns; ++j) {
        double sum = bias.get_double(j), magnitude = 1.0;
        for (std::int64_t k = 0; k < layout.depth; ++k) {
          const double scale =
              layout.scales ? problem.scales[static_cast<std::size_t>(k / layout.group * layout.columns + j)] : 1.0;
          const double product =
              x.get_double(r * stride + k) * scale *
              static_cast<double>(
                  decoded(code, problem.codes[static_cast<std::size_t>(k * layout.columns + j)], problem.table));
          sum += product;
          magnitude += std::abs(product);
        }
        ASSERT_NEAR(expected[static_cast<std::size_t>(r * layout.columns + j)], std::clamp(sum, -700.0, 900.0),
                    1e-6 * magnitude);
      }
    }
    for (const DecodedF32Kernel& kernel : kernels::decoded_f32_kernels()) {
      if (!isa_allows(machine_isa(), kernel.isa)) continue;
      const std::vector<float> y = problem.run(kernel, x, bias);
      for (std::size_t i = 0; i < y.size(); ++i) {
        ASSERT_EQ(y[i], expected[i]) << kernel.name << ", code " << static_cast<int>(code) << ", element " << i;
      }
    }
  }
}

}  // namespace
}  // namespace adze
