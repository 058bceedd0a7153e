#include "adze/engine/kernels/conv_s8/conv_s8.h"

#include "tests/kernels/gemm_s8_problem.h"

namespace adze {
namespace {

using namespace kernel_test;

struct ConvCase {
  std::int64_t batch, groups, group_inputs, group_outputs;
  Shape picture, kernel;
  std::int64_t stride = 0;  ///< 0: random, and random dilations
};

/// Random geometry around the case, weights, scales per channel or not, bias or not, s8 or u8 on either side.
void check_conv(const ConvCase& c, RoundingProfile profile, Random& random) {
  const DType x_dtype = random.below(2) == 0 ? DType::S8 : DType::U8,
              y_dtype = random.below(2) == 0 ? DType::S8 : DType::U8;
  const std::int64_t outputs = c.groups * c.group_outputs, inputs = c.groups * c.group_inputs;
  Node node;
  node.kind = OpKind::QConv;
  std::vector<std::int64_t> strides, dilations, begin, end;
  for (std::size_t i = 0; i < c.kernel.size(); ++i) {
    strides.push_back(c.stride > 0 ? c.stride : pick(random, 1, 3));
    dilations.push_back(c.stride > 0 ? 1 : pick(random, 1, 2));
    const std::int64_t extent = (c.kernel[i] - 1) * dilations[i] + 1;
    begin.push_back(pick(random, 0, extent - 1));
    end.push_back(std::max(pick(random, 0, extent - 1), extent - c.picture[i] - begin[i]));
  }
  begin.insert(begin.end(), end.begin(), end.end());
  node.set("strides", strides);
  node.set("dilations", dilations);
  node.set("pads", begin);
  node.set("kernel_shape", c.kernel);
  node.set("group", c.groups);
  node.set("rounding", std::string(rounding_name(profile)));
  node.set("x_scale", 0.02f);
  node.set("x_zero_point", pick(random, integer_min(x_dtype), integer_max(x_dtype)));
  std::vector<float> w_scales;
  const std::int64_t scale_count = random.below(2) == 0 ? 1 : outputs;
  for (std::int64_t o = 0; o < scale_count; ++o) {
    w_scales.push_back(static_cast<float>(0.01 * std::exp(random.uniform(-3.0, 3.0))));
  }
  node.set("w_scales", w_scales);
  set_output(node, y_dtype, static_cast<float>(std::exp(random.uniform(-9.0, 2.0))), random);
  Shape x_shape = {c.batch, inputs}, w_shape = {outputs, c.group_inputs};
  x_shape.insert(x_shape.end(), c.picture.begin(), c.picture.end());
  w_shape.insert(w_shape.end(), c.kernel.begin(), c.kernel.end());
  std::vector<std::pair<Tensor, bool>> operands = {{random_bytes(x_dtype, x_shape, random), false},
                                                   {random_bytes(DType::S8, w_shape, random), true}};
  if (random.below(2) == 0) {
    Tensor bias(DType::S32, {outputs});
    for (std::int32_t& value : bias.mutable_data<std::int32_t>())
      value = static_cast<std::int32_t>(random.below(200001)) - 100000;
    operands.emplace_back(bias, true);
  }
  expect_same_bytes(node, operands);
}

TEST(QConv, EqualsTheReferenceOnRandomShapes) {
  Random random(21);
  for (const RoundingProfile profile : all_profiles) {
    for (int round = 0; round < 12; ++round) {
      const std::int64_t groups = random.below(3) == 0 ? pick(random, 2, 3) : 1;
      check_conv({pick(random, 1, 3),
                  groups,
                  pick(random, 1, 9),
                  pick(random, 1, groups == 1 ? 40 : 9),
                  {pick(random, 1, 9), pick(random, 1, 9)},
                  {pick(random, 1, 3), pick(random, 1, 4)}},
                 profile, random);
    }
  }
}

TEST(QConv, EqualsTheReferenceOnWholeQuadsAndManyColumns) {
  Random random(22);
  for (const RoundingProfile profile : all_profiles) {
    for (const std::int64_t outputs : {1, 16, 17, 48, 64, 65, 112, 130}) {
      check_conv({1, 1, 8, outputs, {7, 8}, {3, 3}}, profile, random);
    }
  }
}

TEST(QConv, EqualsTheReferenceOnSquareDepthwiseFilters) {
  Random random(24);
  for (const RoundingProfile profile : all_profiles) {
    for (const std::int64_t side : {3, 5}) {
      for (const std::int64_t stride : {1, 2}) {
        for (const std::int64_t channels : {1, 5, 16, 17, 24, 32, 40, 64, 72, 96, 130}) {
          check_conv({1, channels, 1, 1, {pick(random, 1, 9), pick(random, 1, 19)}, {side, side}, stride}, profile,
                     random);
        }
      }
    }
  }
}

TEST(QConv, EqualsTheReferenceOnDepthwiseAndOneDimensionalConvolutions) {
  Random random(23);
  for (const RoundingProfile profile : all_profiles) {
    for (const std::int64_t channels : {2, 7, 8, 15, 16, 33, 72}) {
      check_conv({2, channels, 1, 1, {pick(random, 1, 8), pick(random, 1, 8)}, {3, pick(random, 1, 5)}}, profile,
                 random);
    }
    check_conv({2, 1, 5, 11, {13}, {3}}, profile, random);
    check_conv({1, 6, 1, 1, {13}, {4}}, profile, random);
  }
}

/// First convolutions, few pixels that many weights pass, sums of many products, more pixels than a block.
TEST(QConv, EqualsTheReferenceOnShapesOfNetworks) {
  Random random(28);
  for (const RoundingProfile profile : all_profiles) {
    check_conv({1, 1, 3, 64, {19, 21}, {7, 7}}, profile, random);
    check_conv({1, 1, 3, 8, {16, 16}, {3, 3}}, profile, random);
    check_conv({1, 1, 1, 24, {25, 10}, {10, 4}}, profile, random);
    check_conv({1, 1, 200, 196, {3, 3}, {3, 3}}, profile, random);
    check_conv({1, 1, 4099, 3, {2, 1}, {1, 1}}, profile, random);
    check_conv({2, 1, 5, 30, {1, 200}, {1, 1}}, profile, random);
    check_conv({1, 2, 20, 33, {9, 30}, {3, 1}}, profile, random);
  }
}

TEST(QConv, WorksOnOnePixel) {
  Random random(24);
  for (const RoundingProfile profile : all_profiles) check_conv({1, 1, 3, 5, {1, 1}, {1, 1}}, profile, random);
}

TEST(QGemm, EqualsTheReferenceForAnyShape) {
  Random random(25);
  for (const RoundingProfile profile : all_profiles) {
    for (const Shape& shape :
         {Shape{1, 1, 1}, Shape{1, 64, 10}, Shape{5, 13, 33}, Shape{60, 7, 70}, Shape{3, 640, 128}}) {
      for (const bool turned : {false, true}) {
        Node node;
        node.kind = OpKind::QGemm;
        node.set("rounding", std::string(rounding_name(profile)));
        node.set("x_scale", 0.1f);
        node.set("x_zero_point", pick(random, -128, 127));
        node.set("w_scales", std::vector<float>{0.003f});
        node.set("transB", std::int64_t{turned ? 1 : 0});
        set_output(node, DType::S8, 0.3f, random);
        const Tensor w =
            random_bytes(DType::S8, turned ? Shape{shape[2], shape[1]} : Shape{shape[1], shape[2]}, random);
        expect_same_bytes(node, {{random_bytes(DType::S8, {shape[0], shape[1]}, random), false}, {w, true}});
      }
    }
  }
}

/// Numbers that fit 4 or 2 bits, in matrices large enough to be kept so, for few rows and for more.
TEST(QGemm, EqualsTheReferenceWithWeightsOfFewBits) {
  Random random(26);
  for (const RoundingProfile profile : all_profiles) {
    for (const int bits : {2, 4}) {
      for (const Shape& shape : {Shape{1, 700, 611}, Shape{3, 512, 520}, Shape{6, 513, 512}}) {
        const bool turned = shape[0] == 3;
        const DType dtype = bits == 4 ? DType::S8 : DType::U8;
        Node node;
        node.kind = OpKind::QGemm;
        node.set("rounding", std::string(rounding_name(profile)));
        node.set("x_scale", 0.1f);
        node.set("x_zero_point", pick(random, integer_min(dtype), integer_max(dtype)));
        node.set("w_scales", std::vector<float>{0.003f});
        node.set("transB", std::int64_t{turned ? 1 : 0});
        set_output(node, DType::S8, 0.3f, random);
        Tensor w(DType::S8, turned ? Shape{shape[2], shape[1]} : Shape{shape[1], shape[2]});
        for (std::int64_t i = 0; i < w.size(); ++i)
          w.set_int(i, pick(random, -(1 << (bits - 1)), (1 << (bits - 1)) - 1));
        expect_same_bytes(node, {{random_bytes(dtype, {shape[0], shape[1]}, random), false}, {w, true}});
      }
    }
  }
}

/// Tiles of every height and width, rows in fours or anywhere, every form of tail: each kernel against the plain one.
TEST(GemmS8, EqualsThePlainKernelOnEveryTile) {
  Random random(27);
  for (int round = 0; round < 600; ++round) {
    const GemmS8Problem problem(random, 60, 140, 27);
    const auto expected = problem.run(kernels::gemm_s8_kernel(Isa::Ref).run);
    const auto sums = problem.run_sums(kernels::gemm_s8_kernel(Isa::Ref).run);
    for (const kernels::GemmS8Kernel& kernel : kernels::gemm_s8_kernels()) {
      if (!isa_allows(machine_isa(), kernel.isa)) continue;
      ASSERT_EQ(problem.run(kernel.run), expected) << kernel.name << " " << problem.describe();
      ASSERT_EQ(problem.run_sums(kernel.run), sums) << kernel.name << " " << problem.describe();
    }
  }
}

/// Products as large as they can be, one after the other: none may saturate or wrap on its way.
TEST(GemmS8, TakesBytesAtTheEndsOfTheirRange) {
  Random random(29);
  constexpr std::int64_t columns = 16, row_count = 5, quads = 11;
  const std::vector<std::int32_t> bias(columns, 3), multiplier(columns, 1 << 30), shift(columns, 0);
  const std::vector<float> scale(columns, 1e-4f);
  const kernels::OutputStage stage{
      kernels::OutputStage::Onnx, 1, -128, 127, bias.data(), multiplier.data(), shift.data(), scale.data()};
  std::vector<std::int32_t> offsets;
  for (int q = 0; q < quads; ++q) offsets.push_back(4 * q);
  for (const int least : {-127, -128}) {
    for (const std::uint64_t mostly : {1, 2, 50}) {
      std::vector<std::uint8_t> x(row_count * quads * 4);
      std::vector<std::int8_t> w(columns * quads * 4);
      for (std::uint8_t& byte : x) byte = random.below(mostly) == 0 ? 0 : 255;
      for (std::int8_t& byte : w) byte = static_cast<std::int8_t>(random.below(mostly) == 0 ? least : 127);
      std::vector<const std::uint8_t*> rows;
      for (int r = 0; r < row_count; ++r) rows.push_back(x.data() + r * quads * 4);
      std::vector<std::uint8_t> expected, y(row_count * columns);
      for (std::size_t i = kernels::gemm_s8_kernels().size(); i-- > 0;) {  // the plain one is the last
        const kernels::GemmS8Kernel& kernel = kernels::gemm_s8_kernels()[i];
        if (!isa_allows(machine_isa(), kernel.isa)) continue;
        alignas(64) std::uint8_t scratch[2 * 1024];
        kernel.run({rows.data(), row_count, offsets.data(), quads, w.data(), columns, &stage, y.data(), columns, 0, 2,
                    scratch});
        if (expected.empty()) expected = y;
        ASSERT_EQ(y, expected) << kernel.name << " least weight " << least << ", one in " << mostly;
      }
    }
  }
}

/// The tail of every integer kernel, on accumulators and multipliers at the ends of their ranges.
TEST(GemmS8, FinishesExtremeAccumulatorsAsTheSharedHelper) {
  Random random(26);
  const std::int64_t columns = 16;
  for (const RoundingProfile profile : all_profiles) {
    for (int round = 0; round < 200; ++round) {
      std::vector<std::int32_t> bias, multiplier, shift;
      std::vector<float> scale;
      std::vector<RequantizeParameters> by;
      for (std::int64_t j = 0; j < columns; ++j) {
        const auto raw = static_cast<std::int32_t>(random.next());
        bias.push_back(random.below(4) == 0 ? (random.below(2) == 0 ? INT32_MIN : INT32_MAX) : raw >> random.below(31));
        by.push_back(make_requantize(profile, std::exp2(random.uniform(-33.0, 30.0))));
        multiplier.push_back(by.back().fixed.multiplier);
        shift.push_back(by.back().fixed.shift);
        scale.push_back(by.back().scale);
      }
      const auto number = static_cast<std::int32_t>(profile);
      const kernels::OutputStage stage{number,       static_cast<std::int32_t>(pick(random, -128, 127)),
                                       -128,         127,
                                       bias.data(),  multiplier.data(),
                                       shift.data(), scale.data()};
      const std::uint8_t row[4] = {};
      const std::uint8_t* rows[] = {row};
      const std::int32_t offset = 0;
      const std::vector<std::int8_t> weights(64, 1);
      for (const kernels::GemmS8Kernel& kernel : kernels::gemm_s8_kernels()) {
        if (!isa_allows(machine_isa(), kernel.isa)) continue;
        std::uint8_t y[16];
        kernel.run({rows, 1, &offset, 1, weights.data(), columns, &stage, y, columns});
        for (std::size_t j = 0; j < 16; ++j) {
          const std::int32_t expected = requantize_to(bias[j], by[j], {1.0f, stage.zero_point, -128, 127});
          ASSERT_EQ(static_cast<std::int8_t>(y[j]), expected)
              << kernel.name << " " << rounding_name(profile) << " acc " << bias[j] << " multiplier " << multiplier[j]
              << " shift " << shift[j] << " scale " << scale[j];
        }
      }
    }
  }
}

}  // namespace
}  // namespace adze
