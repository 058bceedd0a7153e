#include "adze/engine/kernels/spmm_s8/spmm_s8.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/base/text.h"

namespace adze {
namespace {

using kernels::OutputStage;
using kernels::spmm_s8_rows;
using kernels::SpmmS8Call;

/// Memory that begins at a multiple of 64 bytes.
template <typename T>
class Aligned {
 public:
  explicit Aligned(std::int64_t count) : memory_(static_cast<std::size_t>(count) * sizeof(T) + 64) {}
  T* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return reinterpret_cast<T*>((address + 63) / 64 * 64);
  }

 private:
  std::vector<std::byte> memory_;
};

/// The arrays of a stage, one entry a column, `times` times each.
struct Stage {
  std::vector<std::int32_t> bias, multiplier, shift;
  std::vector<float> scale;

  Stage repeated(std::int64_t times, std::int64_t columns) const {
    Stage result;
    for (std::int64_t i = 0; i < columns * times; ++i) {
      const auto at = static_cast<std::size_t>(std::min<std::int64_t>(i / times, std::ssize(bias) - 1));
      result.bias.push_back(bias[at]);
      result.multiplier.push_back(multiplier[at]);
      result.shift.push_back(shift[at]);
      result.scale.push_back(scale[at]);
    }
    return result;
  }
  OutputStage arrays(const OutputStage& like) const {
    OutputStage stage = like;
    stage.bias = bias.data();
    stage.multiplier = multiplier.data();
    stage.shift = shift.data();
    stage.scale = scale.data();
    return stage;
  }
};

/// A random call: few or many inputs, some segments of a row, blocks that end beyond the columns.
struct Problem {
  std::int64_t depth, segments, block, columns, row_count, blocks;
  std::vector<std::int64_t> offsets;
  std::vector<std::vector<std::uint8_t>> rows;
  std::vector<std::int32_t> starts, indices;
  std::vector<std::int8_t> values;
  Stage stage, spread;
  OutputStage form{};

  explicit Problem(Random& random) {
    depth = 1 + static_cast<std::int64_t>(random.below(random.below(2) == 0 ? 20 : 150));
    segments = 1 + static_cast<std::int64_t>(random.below(3));
    block = random.below(2) == 0 ? 1 : 8;
    columns = 1 + static_cast<std::int64_t>(random.below(70));
    row_count = 1 + static_cast<std::int64_t>(random.below(spmm_s8_rows));
    blocks = (columns + block - 1) / block;
    std::int64_t end = 0;
    for (std::int64_t s = 0; s < segments; ++s) {
      offsets.push_back(end + static_cast<std::int64_t>(random.below(5)));
      end = offsets.back() + depth;
    }
    for (std::int64_t r = 0; r < row_count; ++r) {
      rows.emplace_back(static_cast<std::size_t>(end));
      for (std::uint8_t& x : rows.back()) x = static_cast<std::uint8_t>(random.below(256));
    }
    fill_weights(random);
    fill_stage(random);
  }

  void fill_weights(Random& random) {
    starts.push_back(0);
    for (std::int64_t b = 0; b < blocks; ++b) {
      std::int32_t kept = 0;
      for (std::int64_t k = 0; k < segments * depth; ++k) {
        if (random.below(5) != 0) continue;
        indices.push_back(static_cast<std::int32_t>(k));
        ++kept;
      }
      const std::int32_t quads = (kept + 3) / 4;
      for (std::int32_t i = kept; i < 4 * quads; ++i) indices.push_back(0);
      for (std::int32_t q = 0; q < quads; ++q) {
        for (std::int64_t c = 0; c < block; ++c) {
          for (std::int32_t i = 0; i < 4; ++i) {
            const bool is_used = 4 * q + i < kept && b * block + c < columns;
            const bool is_extreme = random.below(8) == 0;
            const auto weight = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
            values.push_back(!is_used ? std::int8_t{0} : is_extreme ? std::int8_t{-128} : weight);
          }
        }
      }
      starts.push_back(starts.back() + quads);
    }
  }

  void fill_stage(Random& random) {
    form.profile = static_cast<std::int32_t>(random.below(3));
    const bool is_signed = random.below(2) == 0;
    form.low = is_signed ? -128 : 0;
    form.high = is_signed ? 127 : 255;
    form.zero_point = form.low + static_cast<std::int32_t>(random.below(256));
    form.scales_below_one = true;
    for (std::int64_t j = 0; j < columns; ++j) {
      stage.bias.push_back(static_cast<std::int32_t>(random.below(200001)) - 100000);
      stage.multiplier.push_back((1 << 30) + static_cast<std::int32_t>(random.below(1 << 30)));
      stage.shift.push_back(-5 - static_cast<std::int32_t>(random.below(8)));
      stage.scale.push_back(static_cast<float>(std::exp(random.uniform(-9.0, -3.0))));
    }
    spread = stage.repeated(16, blocks * block + 64);
    stage = stage.repeated(1, columns + 64);
  }

  std::vector<std::uint8_t> run(const kernels::SpmmS8Kernel& kernel) const {
    std::vector<const std::uint8_t*> pointers;
    for (const auto& row : rows) pointers.push_back(row.data());
    Aligned<std::uint8_t> panel((segments * depth + 64) * spmm_s8_rows), bytes((blocks * block + 64) * spmm_s8_rows);
    const std::int64_t y_stride = columns + 3;
    std::vector<std::uint8_t> y(static_cast<std::size_t>(row_count * y_stride), 0xEE);
    const OutputStage plain = stage.arrays(form), repeated = spread.arrays(form);
    kernel.run({pointers.data(), row_count, offsets.data(), segments, depth, block, blocks, starts.data(),
                indices.data(), values.data(), &plain, &repeated, panel.data(), bytes.data(), y.data(), y_stride,
                columns});
    return y;
  }
};

TEST(SpmmS8, EveryKernelGivesTheBytesOfThePlainOne) {
  const auto all = kernels::spmm_s8_kernels();
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    Random random(seed);
    const Problem problem(random);
    const std::vector<std::uint8_t> wanted = problem.run(all.back());
    for (const kernels::SpmmS8Kernel& kernel : all) {
      if (!isa_allows(machine_isa(), kernel.isa)) continue;
      ASSERT_EQ(problem.run(kernel), wanted)
          << kernel.name << ", seed " << seed << ": " << problem.depth << " inputs in " << problem.segments
          << " segments, " << problem.columns << " columns, block " << problem.block << ", " << problem.row_count
          << " rows, profile " << problem.form.profile;
    }
  }
}

}  // namespace
}  // namespace adze
