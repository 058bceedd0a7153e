#include "adze/engine/kernels/lowbit/lowbit.h"

#include <memory>

#include "adze/numerics/float_formats.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;
using kernels::LowbitKernel;
using kernels::LowbitLayout;

template <typename T>
class Aligned {
 public:
  explicit Aligned(std::int64_t count)
      : bytes_(static_cast<std::size_t>(count) * sizeof(T) + 64), space_(bytes_.size()), at_(bytes_.data()) {
    std::align(64, 1, at_, space_);
  }
  T* data() { return static_cast<T*>(at_); }

 private:
  std::vector<std::byte> bytes_;
  std::size_t space_;
  void* at_;
};

/// Weights and rows of a random problem, and its exact result.
struct Problem {
  explicit Problem(Random& random) {
    layout.bits = 1 << pick(random, 0, 3);
    layout.step = layout.bits == 1 && random.below(2) == 0 ? 2 : 1;
    layout.group = pick(random, 1, 5) * (random.below(2) == 0 ? 16 : 7);
    layout.depth = pick(random, 1, 200);
    layout.columns = pick(random, 1, 150);
    layout.scale_bytes = random.below(2) == 0 ? 2 : 4;
    layout.zero_points = random.below(2) == 0;
    layout.zero_point = static_cast<std::int32_t>(pick(random, -3, 1 << layout.bits));
    codes = random_values(layout.depth * layout.columns, 1 << layout.bits, random);
    zero_points = random_values(layout.groups() * layout.columns, 1 << layout.bits, random);
    const Tensor floats = random_floats({layout.groups() * layout.columns}, random, 0.1);
    for (const float scale : floats.data<float>()) scales.push_back(Float16(scale));
  }

  static std::vector<std::uint8_t> random_values(std::int64_t count, std::uint64_t below, Random& random) {
    std::vector<std::uint8_t> values(static_cast<std::size_t>(count));
    for (std::uint8_t& value : values) value = static_cast<std::uint8_t>(random.below(below));
    return values;
  }

  kernels::LowbitSource source() const {
    return {[this](std::int64_t k, std::int64_t j) { return codes[static_cast<std::size_t>(k * layout.columns + j)]; },
            [this](std::int64_t g, std::int64_t j) { return scales[static_cast<std::size_t>(g * layout.columns + j)]; },
            [this](std::int64_t g, std::int64_t j) {
              return zero_points[static_cast<std::size_t>(g * layout.columns + j)];
            }};
  }

  double weight(std::int64_t k, std::int64_t j) const {
    const auto at = static_cast<std::size_t>(k / layout.group * layout.columns + j);
    const int zero = layout.zero_points ? zero_points[at] : layout.zero_point;
    const int code = codes[static_cast<std::size_t>(k * layout.columns + j)];
    return static_cast<double>(scales[at]) * (layout.step * code - zero);
  }

  LowbitLayout layout;
  std::vector<std::uint8_t> codes, zero_points;
  std::vector<float> scales;
};

std::vector<float> run(const LowbitKernel& kernel, const Problem& problem, const Tensor& x, const Tensor& bias,
                       int digits) {
  const LowbitLayout& layout = problem.layout;
  const std::int64_t rows = x.dim(0), groups = layout.groups(), padded = layout.padded_group();
  Aligned<std::uint8_t> packed(layout.bytes()), decoded(kernels::lowbit_decoded_bytes);
  Aligned<float> sums(rows * 64);
  kernels::pack_lowbit(layout, problem.source(), packed.data());
  std::vector<std::int8_t> split(static_cast<std::size_t>(rows * groups * digits * padded), 99);
  std::vector<float> x_scales(static_cast<std::size_t>(rows * groups));
  std::vector<std::int32_t> x_sums(static_cast<std::size_t>(rows * groups * digits));
  for (std::int64_t r = 0; r < rows; ++r) {
    kernel.split({x.data<float>().data() + r * layout.depth, layout.depth, layout.group, padded, digits,
                  split.data() + r * groups * digits * padded, x_scales.data() + r * groups,
                  x_sums.data() + r * groups * digits, layout.sum_factor()});
  }
  std::vector<float> y(static_cast<std::size_t>(rows * layout.columns + 1), 99.0f);
  for (std::int64_t block = 0; block < layout.blocks(); ++block) {
    kernel.run({split.data(),
                x_scales.data(),
                x_sums.data(),
                rows,
                groups,
                layout.chunks(),
                packed.data() + layout.block_offset(block),
                layout.panels(block),
                layout.bits,
                digits,
                layout.step,
                layout.scale_bytes,
                layout.zero_points,
                bias.data<float>().data() + block * 64,
                -9.0f,
                11.0f,
                sums.data(),
                decoded.data(),
                y.data() + block * 64,
                layout.columns,
                std::min<std::int64_t>(64, layout.columns - block * 64)});
  }
  EXPECT_EQ(y.back(), 99.0f) << kernel.name << " writes beyond the last column";
  y.pop_back();
  return y;
}

TEST(Lowbit, MultipliesAsTheWeightsThatCodesStandFor) {
  Random random(81);
  constexpr double tolerance[] = {8e-3, 4e-5, 3e-7};  // of the largest input of a group: 1 / 254, / 65000, a float
  for (int round = 0; round < 40; ++round) {
    const Problem problem(random);
    const LowbitLayout& layout = problem.layout;
    const std::int64_t rows = pick(random, 1, 14);
    const int digits = static_cast<int>(pick(random, 1, 3));
    const Tensor x = random_floats({rows, layout.depth}, random);
    const Tensor bias = random_floats({layout.blocks() * 64}, random);
    const std::vector<float> y = run(kernels::lowbit_kernel(Isa::Ref), problem, x, bias, digits);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t j = 0; j < layout.columns; ++j) {
        double sum = bias.get_double(j), magnitude = std::abs(sum);
        for (std::int64_t k = 0; k < layout.depth; ++k) {
          sum += x.get_double(r * layout.depth + k) * problem.weight(k, j);
          magnitude += 4.0 * std::abs(problem.weight(k, j));
        }
        ASSERT_NEAR(y[static_cast<std::size_t>(r * layout.columns + j)], std::clamp(sum, -9.0, 11.0),
                    tolerance[digits - 1] * (1.0 + magnitude))
            << layout.bits << " bits, " << digits << " digits, groups of " << layout.group << ", row " << r
            << ", column " << j;
      }
    }
  }
}

TEST(Lowbit, GivesTheSameBitsOnEveryInstructionSet) {
  Random random(82);
  for (int round = 0; round < 60; ++round) {
    const Problem problem(random);
    const Tensor x = random_floats({pick(random, 1, 14), problem.layout.depth}, random);
    const Tensor bias = random_floats({problem.layout.blocks() * 64}, random);
    const int digits = static_cast<int>(pick(random, 1, 3));
    const std::vector<float> expected = run(kernels::lowbit_kernel(Isa::Ref), problem, x, bias, digits);
    for (const LowbitKernel& kernel : kernels::lowbit_kernels()) {
      if (!isa_allows(machine_isa(), kernel.isa)) continue;
      const std::vector<float> y = run(kernel, problem, x, bias, digits);
      for (std::size_t i = 0; i < y.size(); ++i) {
        ASSERT_EQ(y[i], expected[i]) << kernel.name << ", " << problem.layout.bits << " bits, " << digits
                                     << " digits, element " << i;
      }
    }
  }
}

TEST(Lowbit, SplitsZerosTinyNumbersAndWhatIsNotFinite) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<float, bool>> cases = {
      {0.0f, true}, {1e-38f, true}, {-3e38f, true}, {infinity, false}, {std::nanf(""), false}};
  for (const LowbitKernel& kernel : kernels::lowbit_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa)) continue;
    for (const auto& [value, finite] : cases) {
      std::vector<float> x(21, value);
      std::vector<std::int8_t> to(24 * 3, 99);
      float scale;
      std::int32_t sums[3];
      kernel.split({x.data(), 21, 32, 24, 3, to.data(), &scale, sums, 1});
      EXPECT_EQ(std::isnan(scale), !finite) << kernel.name << ", " << value;
      for (int i = 21; i < 24; ++i) EXPECT_EQ(to[static_cast<std::size_t>(i)], 0) << kernel.name;
      const double restored = scale * (65536.0 * to[48] + 256.0 * to[24] + to[0]);
      if (!finite) continue;
      EXPECT_NEAR(restored, value, 1e-30 + std::abs(value) * 1e-6) << kernel.name;
    }
  }
}

}  // namespace
}  // namespace adze
