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

struct ConvCase {
  Shape x, w;
  std::vector<std::int64_t> strides = {1, 1}, pads = {0, 0, 0, 0}, dilations = {1, 1};
  std::int64_t groups = 1;
};

/// Close to the reference, and the same bits by any number of threads.
void check_conv(const ConvCase& given, Random& random) {
  Node node;
  node.kind = OpKind::Conv;
  node.set("strides", given.strides);
  node.set("pads", given.pads);
  node.set("dilations", given.dilations);
  node.set("group", given.groups);
  const std::vector<std::pair<Tensor, bool>> operands = {{random_floats(given.x, random), false},
                                                         {random_floats(given.w, random), true},
                                                         {random_floats({given.w[0]}, random), true}};
  expect_close(node, operands, 1e-6);
  const Graph graph = single_node(node, operands);
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    SessionOptions options;
    options.threads = threads;
    results.push_back(Session(graph, options).run(variable_inputs(operands)).at(0));
    ASSERT_TRUE(identical(results.front(), results.back())) << threads << " threads";
  }
}

TEST(DenseF32, SplitsLargeConvolutionsWithinToleranceAndWithTheSameBitsForAnyThreads) {
  Random random(52);
  check_conv({{1, 224, 5, 5}, {144, 224, 3, 3}, {1, 1}, {1, 1, 1, 1}}, random);  // far weights, cut within segments
  check_conv({{1, 32, 6, 6}, {1100, 32, 3, 3}, {2, 2}, {1, 1, 1, 1}}, random);   // far weights, cut between segments
  check_conv({{2, 3, 9, 300}, {8, 3, 3, 3}, {1, 1}, {1, 1, 1, 1}}, random);      // a row in several blocks
  check_conv({{2, 16, 20, 20}, {72, 16, 1, 1}}, random);                         // pictures as one row
  check_conv({{1, 8, 31, 29}, {24, 8, 5, 3}, {2, 2}, {2, 2, 2, 2}}, random);
  check_conv({{1, 12, 9, 11}, {10, 6, 3, 3}, {1, 2}, {0, 2, 1, 0}, {1, 1}, 2}, random);
}

TEST(DepthwiseF32, TakesWindowsStridesDilationsAndPadsOfAnyKind) {
  Random random(53);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t channels = pick(random, 1, 70), kh = pick(random, 1, 7), kw = pick(random, 1, 7);
    const std::int64_t dilation = round % 5 == 0 ? 2 : 1;
    ConvCase given{{pick(random, 1, 2), channels, pick(random, 1, 12), pick(random, 1, 14)}, {channels, 1, kh, kw}};
    given.strides = {pick(random, 1, 3), pick(random, 1, 4)};
    given.dilations = {dilation, dilation};
    given.groups = channels;
    for (std::int64_t& pad : given.pads) pad = pick(random, 0, (kh < kw ? kh : kw));
    given.x[2] += std::max<std::int64_t>(0, (kh - 1) * dilation + 1 - given.x[2]);
    given.x[3] += std::max<std::int64_t>(0, (kw - 1) * dilation + 1 - given.x[3]);
    check_conv(given, random);
  }
  check_conv({{1, 512, 14, 14}, {512, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 512}, random);
  check_conv({{1, 24, 1, 1}, {24, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 24}, random);
  check_conv({{1, 24, 1, 1}, {24, 1, 5, 5}, {2, 2}, {2, 2, 2, 2}, {1, 1}, 24}, random);
  check_conv({{1, 6, 3, 40}, {6, 1, 1, 5}, {1, 2}, {2, 3, 2, 3}, {1, 1}, 6}, random);  // rows of pads alone
}

}  // namespace
}  // namespace adze
