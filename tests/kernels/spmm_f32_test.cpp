#include "adze/engine/kernels/spmm_f32/spmm_f32.h"

#include "adze/engine/steps/sparse_weights.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

struct Packed {
  Packed(const kernels::DenseF32Source& source, engine::SparseForm form)
      : numbers(static_cast<std::size_t>(engine::sparse_numbers(source, counts_of(source, form.block), form))) {
    engine::pack_sparse(source, form, numbers);
    weights = engine::sparse_weights_in(numbers, source.columns, form);
  }
  /// By looking at every weight.
  static engine::SparseCounts counts_of(const kernels::DenseF32Source& s, std::int64_t block) {
    engine::SparseCounts counts;
    for (std::int64_t first = 0; first < s.columns; first += block) {
      for (std::int64_t k = 0; k < s.taps * s.inputs; ++k) {
        bool any = false;
        for (std::int64_t j = first; j < std::min(first + block, s.columns); ++j) {
          any = any || s.weights[k * s.input_step + j * s.column_step] != 0.0f;
        }
        counts.single += any;
        counts.blocks += any;
      }
    }
    return counts;
  }
  std::vector<std::int32_t> numbers;
  engine::SparseWeights weights;
};

/// Weights [depth][columns] of which a share is 0, in blocks of `block` columns.
Tensor sparse_floats(std::int64_t depth, std::int64_t columns, std::int64_t block, double zeros, Random& random) {
  Tensor w = random_floats({depth, columns}, random);
  const auto data = w.mutable_data<float>();
  for (std::int64_t k = 0; k < depth; ++k) {
    for (std::int64_t first = 0; first < columns; first += block) {
      if (random.uniform() >= zeros) continue;
      for (std::int64_t j = first; j < std::min(first + block, columns); ++j)
        data[static_cast<std::size_t>(k * columns + j)] = 0;
    }
  }
  return w;
}

struct Aligned {
  explicit Aligned(std::int64_t count) : bytes(static_cast<std::size_t>(count) * 4 + 64) {}
  float* data() {
    void* at = bytes.data();
    std::size_t space = bytes.size();
    return static_cast<float*>(std::align(64, 1, at, space));
  }
  std::vector<std::byte> bytes;
};

void expect_close_sums(std::int64_t block, Random& random) {
  const std::int64_t slices = block == 1 ? pick(random, 1, 3) : 1;
  const std::int64_t segments = pick(random, 1, 3), depth = pick(random, 1, 50), columns = pick(random, 1, 70);
  const Tensor w = sparse_floats(segments * depth, columns, block, 0.8, random),
               bias = random_floats({columns}, random);
  const Packed owner({w.elements<float>(), segments, depth, columns, depth * columns, columns, 1}, {block, slices});
  const engine::SparseWeights& packed = owner.weights;
  std::vector<float> padded_bias(static_cast<std::size_t>(packed.blocks * block));
  std::copy_n(bias.data<float>().begin(), columns, padded_bias.begin());
  for (const auto& kernel : kernels::spmm_f32_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa)) continue;
    const std::int64_t vectors = pick(random, segments == 1 && slices == 1 ? 0 : 1, kernel.most_vectors(block));
    const std::int64_t count =
        vectors == 0 ? pick(random, 1, 3) : pick(random, (vectors - 1) * kernel.lanes + 1, vectors * kernel.lanes);
    const Tensor x = random_floats({count + 3, depth}, random);
    std::vector<std::int64_t> offsets;
    for (std::int64_t s = 0; s < segments; ++s) offsets.push_back(pick(random, 0, 3) * depth);
    std::vector<const float*> rows;
    for (std::int64_t r = 0; r < count; ++r) rows.push_back(x.data<float>().data() + r * depth);
    Aligned panel((segments * depth + 16) * vectors * kernel.lanes),
        sums((packed.blocks * block + 16) * vectors * kernel.lanes);
    std::vector<float> y(static_cast<std::size_t>(count * columns + 1), 99.0f);
    kernel.run({rows.data(),
                count,
                vectors,
                offsets.data(),
                segments,
                depth,
                block,
                packed.blocks,
                packed.slices,
                packed.starts.data(),
                packed.indices.data(),
                packed.values.data(),
                padded_bias.data(),
                -1.5f,
                4.0f,
                panel.data(),
                sums.data(),
                y.data(),
                columns,
                columns});
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t j = 0; j < columns; ++j) {
        double sum = bias.data<float>()[static_cast<std::size_t>(j)], magnitude = std::abs(sum);
        for (std::int64_t k = 0; k < segments * depth; ++k) {
          const float value =
              rows[static_cast<std::size_t>(r)][offsets[static_cast<std::size_t>(k / depth)] + k % depth];
          const double product = static_cast<double>(value) * w.get_double(k * columns + j);
          sum += product;
          magnitude += std::abs(product);
        }
        ASSERT_NEAR(y[static_cast<std::size_t>(r * columns + j)], std::clamp(sum, -1.5, 4.0),
                    kernel.tolerance * (1.0 + magnitude))
            << kernel.name << ", block " << block << ", " << count << " rows, " << columns << " columns, row " << r
            << ", column " << j;
      }
    }
    ASSERT_EQ(y.back(), 99.0f) << kernel.name << " writes beyond the last column";
  }
}

TEST(SpmmF32, AddsWhatIsNotZeroForAnyNumberOfRowsAndColumns) {
  Random random(61);
  for (int round = 0; round < 60; ++round) {
    expect_close_sums(1, random);
    expect_close_sums(8, random);
  }
}

TEST(SparseWeights, CountSingleWeightsAndBlocks) {
  Random random(62);
  const Tensor w = sparse_floats(40, 24, 8, 0.9, random), dense = random_floats({40, 24}, random);
  const auto counts = engine::count_sparse({w.elements<float>(), 1, 40, 24, 0, 24, 1});
  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->single, 8 * counts->blocks);
  EXPECT_EQ(counts->blocks, Packed::counts_of({w.elements<float>(), 1, 40, 24, 0, 24, 1}, 8).blocks);
  EXPECT_FALSE(engine::count_sparse({dense.elements<float>(), 1, 40, 24, 0, 24, 1}).has_value());
}

}  // namespace
}  // namespace adze
