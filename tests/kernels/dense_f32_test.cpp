#include "adze/engine/kernels/dense_f32/dense_f32.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

/// One problem for every line of the table: rows in segments, weights in two parts.
void expect_close_sums(Random& random) {
  const std::int64_t count = pick(random, 1, 30), columns = pick(random, 1, 150), depth = pick(random, 1, 40);
  const std::int64_t segments = pick(random, 1, 3), before = pick(random, 0, segments - 1);
  const Tensor x = random_floats({count + 3, depth}, random), w = random_floats({segments * depth, columns}, random);
  const Tensor bias = random_floats({columns}, random);
  std::vector<std::int64_t> offsets;
  for (std::int64_t s = 0; s < segments; ++s) offsets.push_back(pick(random, 0, 3) * depth);
  const float low = -1.5f, high = 4.0f;
  for (const auto& kernel : kernels::dense_f32_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa)) continue;
    std::vector<float> packed(static_cast<std::size_t>(segments * depth * kernels::dense_f32_padded(kernel, columns)));
    kernels::pack_dense_f32(kernel, {w.data<float>().data(), segments, depth, columns, depth * columns, columns, 1},
                            packed.data());
    std::vector<float> padded_bias(static_cast<std::size_t>(kernels::dense_f32_padded(kernel, columns)), 0.0f);
    std::copy_n(bias.data<float>().begin(), columns, padded_bias.begin());
    std::vector<const float*> rows;
    for (std::int64_t r = 0; r < count; ++r) rows.push_back(x.data<float>().data() + r * depth);
    std::vector<float> y(static_cast<std::size_t>(count * columns + 1), 99.0f);
    for (const auto& panel : kernels::dense_f32_panels(kernel, columns)) {
      const float* weights = packed.data() + panel.first * segments * depth;
      const std::int64_t width = panel.vectors * kernel.lanes;
      const auto run = [&](std::int64_t first, std::int64_t some) {
        kernel.run({rows.data(), count, offsets.data() + first, some, depth, weights + first * depth * width,
                    panel.vectors, panel.columns, first == 0 ? padded_bias.data() + panel.first : nullptr,
                    first + some == segments, low, high, nullptr, 0, y.data() + panel.first, columns});
      };
      if (before > 0) run(0, before);
      run(before, segments - before);
    }
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t j = 0; j < columns; ++j) {
        double sum = bias.data<float>()[static_cast<std::size_t>(j)], magnitude = std::abs(sum);
        for (std::int64_t k = 0; k < segments * depth; ++k) {
          const double product =
              static_cast<double>(
                  rows[static_cast<std::size_t>(r)][offsets[static_cast<std::size_t>(k / depth)] + k % depth]) *
              w.get_double(k * columns + j);
          sum += product;
          magnitude += std::abs(product);
        }
        ASSERT_NEAR(y[static_cast<std::size_t>(r * columns + j)], std::clamp(sum, -1.5, 4.0),
                    kernel.tolerance * (1.0 + magnitude))
            << kernel.name << ", " << count << " rows, " << columns << " columns, row " << r << ", column " << j;
      }
    }
    ASSERT_EQ(y.back(), 99.0f) << kernel.name << " writes beyond the last column";
  }
}

TEST(DenseF32, AddsSegmentsAndPartsOfAnyNumberOfRowsAndColumns) {
  Random random(51);
  for (int round = 0; round < 60; ++round) expect_close_sums(random);
}

TEST(DenseF32, PassesNotANumberThroughTheClamp) {
  const float x = std::nanf(""), w[64] = {1.0f}, bias[64] = {};
  for (const auto& kernel : kernels::dense_f32_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa)) continue;
    const float* row = &x;
    const std::int64_t offset = 0;
    float y = 0.0f;
    kernel.run({&row, 1, &offset, 1, 1, w, 1, 1, bias, true, 0.0f, 6.0f, nullptr, 0, &y, 1});
    EXPECT_TRUE(std::isnan(y)) << kernel.name;
  }
}

Tensor conv_result(const Graph& graph, const Tensor& x, int threads) {
  SessionOptions options;
  options.threads = threads;
  return Session(graph, options).run(std::vector<Tensor>{x}).at(0);
}

TEST(DenseF32, SplitsLargeConvolutionsWithinToleranceAndWithTheSameBitsForAnyThreads) {
  Random random(52);
  const auto check = [&](Shape x_shape, Shape w_shape, std::int64_t stride, std::int64_t pad) {
    Node node;
    node.kind = OpKind::Conv;
    node.set("strides", std::vector<std::int64_t>{stride, stride});
    node.set("pads", std::vector<std::int64_t>{pad, pad, pad, pad});
    const std::vector<std::pair<Tensor, bool>> operands = {{random_floats(std::move(x_shape), random), false},
                                                           {random_floats(std::move(w_shape), random), true}};
    expect_close(node, operands, 1e-6);
    const Graph graph = single_node(node, operands);
    const Tensor one = conv_result(graph, operands[0].first, 1);
    for (const int threads : {2, 3}) {
      ASSERT_TRUE(identical(one, conv_result(graph, operands[0].first, threads))) << threads << " threads";
    }
  };
  check({1, 224, 5, 5}, {144, 224, 3, 3}, 1, 1);  // far weights, cut within segments
  check({1, 32, 6, 6}, {1100, 32, 3, 3}, 2, 1);   // far weights, cut between segments
  check({2, 3, 9, 300}, {8, 3, 3, 3}, 1, 1);      // a row in several blocks
  check({2, 16, 20, 20}, {72, 16, 1, 1}, 1, 0);   // pictures as one row
  check({1, 8, 31, 29}, {24, 8, 5, 3}, 2, 2);
}

}  // namespace
}  // namespace adze
