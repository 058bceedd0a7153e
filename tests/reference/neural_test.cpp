#include <gtest/gtest.h>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::run_one;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;

Tensor counting(Shape shape) {
  Tensor tensor(DType::F32, std::move(shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_double(i, static_cast<double>(i));
  return tensor;
}

TEST(Conv, SumsWindowsOverChannels) {
  const Tensor x = counting({1, 1, 3, 3});
  const Tensor w = Tensor::from<float>({1, 1, 2, 2}, {1, 1, 1, 1});
  const Tensor y = run_one(OpKind::Conv, {x, w})[0];
  EXPECT_EQ(y.shape(), (Shape{1, 1, 2, 2}));
  EXPECT_EQ(to_floats(y), (Floats{8, 12, 20, 24}));
}

TEST(Conv, UsesStridesDilationsAndAsymmetricPads) {
  const Tensor x = counting({1, 1, 5});
  const Tensor w = Tensor::from<float>({1, 1, 2}, {1, 10});
  const Tensor y =
      run_one(OpKind::Conv, {x, w}, {{"pads", Ints{1, 0}}, {"strides", Ints{2}}, {"dilations", Ints{2}}})[0];
  EXPECT_EQ(to_floats(y), (Floats{10, 31}));  // windows at -1 and 1: elements (-1, 1) and (1, 3)
}

TEST(Conv, SplitsChannelsIntoGroups) {
  const Tensor x = Tensor::from<float>({1, 2, 2}, {1, 2, 3, 4});
  const Tensor w = Tensor::from<float>({2, 1, 1}, {10, 100});
  const Tensor bias = Tensor::from<float>({2}, {1, 2});
  const Tensor y = run_one(OpKind::Conv, {x, w, bias}, {{"group", std::int64_t{2}}})[0];
  EXPECT_EQ(to_floats(y), (Floats{11, 21, 302, 402}));
}

TEST(Conv, PadsSameUpperAtTheEnd) {
  const Tensor x = counting({1, 1, 4});
  const Tensor w = Tensor::from<float>({1, 1, 2}, {1, 1});
  const Tensor upper = run_one(OpKind::Conv, {x, w}, {{"auto_pad", std::string("SAME_UPPER")}})[0];
  EXPECT_EQ(to_floats(upper), (Floats{1, 3, 5, 3}));
  const Tensor lower = run_one(OpKind::Conv, {x, w}, {{"auto_pad", std::string("SAME_LOWER")}})[0];
  EXPECT_EQ(to_floats(lower), (Floats{0, 1, 3, 5}));
}

TEST(Conv, RefusesAttributesOutOfTheirDomain) {
  const Tensor x = counting({1, 2, 4});
  const Tensor w = counting({2, 2, 2});
  EXPECT_THROW(run_one(OpKind::Conv, {x, w}, {{"strides", Ints{0}}}), ModelError);
  EXPECT_THROW(run_one(OpKind::Conv, {x, w}, {{"dilations", Ints{-1}}}), ModelError);
  EXPECT_THROW(run_one(OpKind::Conv, {x, w}, {{"pads", Ints{1}}}), ModelError);
  EXPECT_THROW(run_one(OpKind::Conv, {x, w}, {{"group", std::int64_t{0}}}), ModelError);
  EXPECT_THROW(run_one(OpKind::Conv, {x, w}, {{"group", std::int64_t{2}}}), ModelError);
  EXPECT_THROW(run_one(OpKind::Conv, {x, w}, {{"kernel_shape", Ints{3}}}), ModelError);
  EXPECT_THROW(run_one(OpKind::Conv, {x, w}, {{"dilations", Ints{std::int64_t{1} << 62}}}), ModelError);
  EXPECT_THROW(run_one(OpKind::Conv, {counting({1, 2, 1}), w}), ModelError);
}

TEST(ConvTranspose, SpreadsEachInputOverAWindow) {
  const Tensor x = Tensor::from<float>({1, 1, 2}, {1, 2});
  const Tensor w = Tensor::from<float>({1, 1, 3}, {1, 10, 100});
  const Tensor y = run_one(OpKind::ConvTranspose, {x, w}, {{"strides", Ints{2}}})[0];
  EXPECT_EQ(to_floats(y), (Floats{1, 10, 102, 20, 200}));
  const Tensor same = run_one(OpKind::ConvTranspose, {x, w}, {{"strides", Ints{2}}, {"output_shape", Ints{4}}})[0];
  EXPECT_EQ(to_floats(same), (Floats{10, 102, 20, 200}));
}

TEST(MatMul, BroadcastsBatchesAndVectors) {
  const Tensor a = counting({2, 1, 2});
  const Tensor b = Tensor::from<float>({2, 1}, {1, 10});
  EXPECT_EQ(to_floats(run_one(OpKind::MatMul, {a, b})[0]), (Floats{10, 32}));
  const Tensor v = Tensor::from<float>({2}, {1, 2});
  const Tensor dot = run_one(OpKind::MatMul, {v, v})[0];
  EXPECT_EQ(dot.shape(), Shape{});
  EXPECT_EQ(to_floats(dot), (Floats{5}));
  EXPECT_THROW(run_one(OpKind::MatMul, {a, counting({3, 1})}), ModelError);
}

TEST(MatMul, KeepsLargeIntegersExact) {
  const std::int64_t big = (std::int64_t{1} << 60) + 1;
  const Tensor a = Tensor::from<std::int64_t>({1, 1}, {big});
  const Tensor b = Tensor::from<std::int64_t>({1, 1}, {3});
  EXPECT_EQ(run_one(OpKind::MatMul, {a, b})[0].get_int(0), big * 3);
}

TEST(Gemm, ScalesTransposesAndAdds) {
  const Tensor a = Tensor::from<float>({2, 1}, {1, 2});
  const Tensor b = Tensor::from<float>({2, 2}, {1, 2, 3, 4});
  const Tensor c = Tensor::from<float>({2}, {100, 200});
  const Tensor y =
      run_one(OpKind::Gemm, {a, b, c},
              {{"transA", std::int64_t{1}}, {"transB", std::int64_t{1}}, {"alpha", 2.0F}, {"beta", 0.5F}})[0];
  EXPECT_EQ(to_floats(y), (Floats{60, 122}));
}

TEST(MaxPool, GivesIndicesInBothOrders) {
  const Tensor x = counting({1, 1, 2, 3});
  auto y = run_one(OpKind::MaxPool, {x}, {{"kernel_shape", Ints{2, 2}}}, 2);
  EXPECT_EQ(to_floats(y[0]), (Floats{4, 5}));
  EXPECT_EQ(to_ints(y[1]), (Ints{4, 5}));
  y = run_one(OpKind::MaxPool, {x}, {{"kernel_shape", Ints{2, 2}}, {"storage_order", std::int64_t{1}}}, 2);
  EXPECT_EQ(to_ints(y[1]), (Ints{3, 5}));
}

TEST(AveragePool, CountsPaddingOnlyWhenAsked) {
  const Tensor x = Tensor::from<float>({1, 1, 2}, {2, 4});
  const std::pair<std::string, Attribute> kernel{"kernel_shape", Ints{2}}, pads{"pads", Ints{1, 1}};
  EXPECT_EQ(to_floats(run_one(OpKind::AveragePool, {x}, {kernel, pads})[0]), (Floats{2, 3, 4}));
  EXPECT_EQ(to_floats(run_one(OpKind::AveragePool, {x}, {kernel, pads, {"count_include_pad", std::int64_t{1}}})[0]),
            (Floats{1, 3, 2}));
}

TEST(AveragePool, RoundsUpWithCeilModeButStartsNoWindowInThePadding) {
  const Tensor x = counting({1, 1, 5});
  const std::pair<std::string, Attribute> ceil{"ceil_mode", std::int64_t{1}};
  const Tensor y = run_one(OpKind::AveragePool, {x}, {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}, ceil})[0];
  EXPECT_EQ(to_floats(y), (Floats{0.5F, 2.5F, 4}));
  const Tensor z = run_one(OpKind::AveragePool, {counting({1, 1, 3})},
                           {{"kernel_shape", Ints{1}}, {"strides", Ints{2}}, {"pads", Ints{0, 1}}, ceil})[0];
  EXPECT_EQ(to_floats(z), (Floats{0, 2}));
}

TEST(LpPool, SkipsElementsWithDilations) {
  const Tensor x = Tensor::from<float>({1, 1, 3}, {3, 100, 4});
  EXPECT_EQ(to_floats(run_one(OpKind::LpPool, {x}, {{"kernel_shape", Ints{2}}, {"dilations", Ints{2}}})[0]),
            (Floats{5}));
}

TEST(BatchNormalization, UpdatesStatisticsInTraining) {
  const Tensor x = Tensor::from<float>({2, 1}, {1, 3});
  const Tensor one = Tensor::from<float>({1}, {1}), zero = Tensor::from<float>({1}, {0});
  const auto y = run_one(OpKind::BatchNormalization, {x, one, zero, zero, one},
                         {{"training_mode", std::int64_t{1}}, {"momentum", 0.5F}, {"epsilon", 0.0F}}, 3);
  EXPECT_EQ(to_floats(y[0]), (Floats{-1, 1}));
  EXPECT_EQ(to_floats(y[1]), (Floats{1}));  // 0 · 0.5 + 2 · 0.5
  EXPECT_EQ(to_floats(y[2]), (Floats{1}));  // 1 · 0.5 + 1 · 0.5
}

TEST(GroupNormalization, TakesParametersPerChannel) {
  const Tensor x = Tensor::from<float>({1, 4, 1}, {0, 2, 10, 30});
  const Tensor scale = Tensor::from<float>({4}, {1, 2, 3, 4}), bias = Tensor::from<float>({4}, {0, 0, 0, 1});
  const std::vector<std::pair<std::string, Attribute>> attributes = {{"num_groups", std::int64_t{2}},
                                                                     {"epsilon", 0.0F}};
  EXPECT_EQ(to_floats(run_one(OpKind::GroupNormalization, {x, scale, bias}, attributes)[0]), (Floats{-1, 2, -3, 5}));
  EXPECT_THROW(run_one(OpKind::GroupNormalization, {x, scale, bias}, {{"num_groups", std::int64_t{3}}}), ModelError);
}

TEST(LayerNormalization, GivesMeanAndInverseDeviation) {
  const Tensor x = Tensor::from<float>({2, 2}, {1, 3, 2, 6});
  const Tensor scale = Tensor::from<float>({2}, {1, 1});
  const auto y = run_one(OpKind::LayerNormalization, {x, scale}, {{"epsilon", 0.0F}}, 3);
  EXPECT_EQ(to_floats(y[0]), (Floats{-1, 1, -1, 1}));
  EXPECT_EQ(y[1].shape(), (Shape{2, 1}));
  EXPECT_EQ(to_floats(y[1]), (Floats{2, 4}));
  EXPECT_EQ(to_floats(y[2]), (Floats{1, 0.5F}));
}

TEST(Dropout, CopiesInInferenceAndScalesInTraining) {
  const Tensor x = Tensor::from<float>({1000}, Floats(1000, 1));
  const Tensor ratio = Tensor::scalar(0.25F);
  EXPECT_TRUE(identical(run_one(OpKind::Dropout, {x, ratio})[0], x));
  const auto y = run_one(OpKind::Dropout, {x, ratio, Tensor::scalar(true)}, {}, 2);
  double kept = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    kept += y[1].get_double(i);
    EXPECT_NEAR(y[0].get_double(i), y[1].get_double(i) / 0.75, 1e-6);
  }
  EXPECT_NEAR(kept, 750, 60);
}

TEST(NeuralInference, CarriesSymbolsThrough) {
  Graph graph;
  const ValueId x =
      graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{Dim::named("batch"), 3, Dim::named("h"), 8}));
  const ValueId w = graph.add_constant("w", counting({4, 3, 3, 3}));
  const ValueId y = graph.add(OpKind::Conv, {x, w}, {{"pads", Ints{1, 1, 1, 1}}});
  const ValueId z = graph.add(OpKind::MaxPool, {y}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  graph.set_outputs({z});
  infer_types(graph);
  EXPECT_EQ(type_text(graph.value(y).type), "f32[batch, 4, h, 8]");
  EXPECT_EQ(type_text(graph.value(z).type), "f32[batch, 4, ?, 4]");
}

}  // namespace
}  // namespace adze
