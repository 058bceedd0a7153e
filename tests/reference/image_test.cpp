#include <gtest/gtest.h>

#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::Attributes;
using reference::Datum;
using reference::run_one;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;

Attributes text(std::initializer_list<std::pair<std::string, std::string>> values) {
  Attributes attributes;
  for (const auto& [name, value] : values) attributes.emplace_back(name, value);
  return attributes;
}

Floats resized(const Floats& x, std::int64_t size, Attributes attributes) {
  const Tensor input = Tensor::from<float>({std::ssize(x)}, x);
  return to_floats(run_one(OpKind::Resize, {input, Datum(), Datum(), Tensor::ints({size})}, std::move(attributes))[0]);
}

TEST(Resize, InterpolatesBetweenPixelCenters) {
  EXPECT_EQ(resized({0, 4}, 4, text({{"mode", "linear"}})), (Floats{0, 1, 3, 4}));
  EXPECT_EQ(resized({0, 3}, 4, text({{"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}})),
            (Floats{0, 1, 2, 3}));
  EXPECT_EQ(
      resized({0, 1, 2, 3}, 2, text({{"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}})),
      (Floats{0, 2}));
}

TEST(Resize, AveragesWhatFallsTogetherWithAntialias) {
  Attributes attributes = text({{"mode", "linear"}});
  EXPECT_EQ(resized({0, 0, 8, 0}, 2, attributes), (Floats{0, 4}));
  attributes.emplace_back("antialias", std::int64_t{1});
  EXPECT_EQ(resized({0, 0, 8, 0}, 2, attributes), (Floats{1, 3}));  // weights 1 3 3 1 of 8; the ends repeat
}

TEST(Resize, AntialiasKeepsAConstantConstant) {
  for (const char* mode : {"linear", "cubic"}) {
    Attributes attributes = text({{"mode", mode}});
    attributes.emplace_back("antialias", std::int64_t{1});
    for (const float value : resized(Floats(11, 2), 3, attributes)) EXPECT_NEAR(value, 2, 1e-6);
  }
}

TEST(Resize, KeepsTheAspectRatioOfItsAxes) {
  const Tensor x(DType::F32, {1, 4, 8});
  Attributes attributes = text({{"keep_aspect_ratio_policy", "not_larger"}});
  attributes.emplace_back("axes", Ints{1, 2});
  const std::vector<Datum> inputs = {x, Datum(), Datum(), Tensor::ints({8, 8})};
  EXPECT_EQ(run_one(OpKind::Resize, inputs, attributes)[0].shape(), (Shape{1, 4, 8}));
  attributes[0].second = std::string("not_smaller");
  EXPECT_EQ(run_one(OpKind::Resize, inputs, attributes)[0].shape(), (Shape{1, 8, 16}));
}

TEST(Resize, ExtrapolatesOutsideOfTheCrop) {
  const Tensor x = Tensor::from<float>({3}, {1, 2, 3}), roi = Tensor::from<float>({2}, {0, 2});
  Attributes attributes = text({{"mode", "linear"}, {"coordinate_transformation_mode", "tf_crop_and_resize"}});
  attributes.emplace_back("extrapolation_value", 9.0F);
  EXPECT_EQ(to_floats(run_one(OpKind::Resize, {x, roi, Datum(), Tensor::ints({3})}, attributes)[0]), (Floats{1, 3, 9}));
}

TEST(Resize, RefusesContradictoryInputs) {
  const Tensor x = Tensor::from<float>({2}, {1, 2}), scale = Tensor::from<float>({1}, {2}), none(DType::F32, {0});
  EXPECT_THROW(run_one(OpKind::Resize, {x}), ModelError);
  EXPECT_THROW(run_one(OpKind::Resize, {x, none, scale, Tensor::ints({4})}), ModelError);
  EXPECT_THROW(run_one(OpKind::Resize, {x, none, Tensor::from<float>({1}, {-1})}), ModelError);
  EXPECT_THROW(run_one(OpKind::Resize, {x, none, scale}, text({{"mode", "wrong"}})), ModelError);
  EXPECT_THROW(resized({}, 2, {}), ModelError);
}

TEST(AffineGrid, IsTheIdentityForTheIdentity) {
  const Tensor theta = Tensor::from<float>({1, 2, 3}, {1, 0, 0, 0, 1, 0});
  const Tensor grid = run_one(OpKind::AffineGrid, {theta, Tensor::ints({1, 1, 2, 2})})[0];
  EXPECT_EQ(to_floats(grid), (Floats{-0.5F, -0.5F, 0.5F, -0.5F, -0.5F, 0.5F, 0.5F, 0.5F}));
  const Tensor corners =
      run_one(OpKind::AffineGrid, {theta, Tensor::ints({1, 1, 2, 2})}, {{"align_corners", std::int64_t{1}}})[0];
  EXPECT_EQ(to_floats(corners), (Floats{-1, -1, 1, -1, -1, 1, 1, 1}));
}

TEST(AffineGrid, SamplesAThreeDimensionalImageUnchanged) {
  Tensor x(DType::F32, {1, 1, 2, 3, 2});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set_double(i, static_cast<double>(i * i));
  const Tensor theta = Tensor::from<float>({1, 3, 4}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});
  const Tensor grid = run_one(OpKind::AffineGrid, {theta, Tensor::ints({1, 1, 2, 3, 2})})[0];
  const Tensor y = run_one(OpKind::GridSample, {x, grid}, text({{"mode", "linear"}}))[0];
  for (std::int64_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y.get_double(i), x.get_double(i), 1e-4);
  EXPECT_THROW(run_one(OpKind::AffineGrid, {theta, Tensor::ints({1, 1, 2, 2})}), ModelError);
}

TEST(GridSample, PadsOutsideOfTheImage) {
  const Tensor x = Tensor::from<float>({1, 1, 2}, {4, 8}), grid = Tensor::from<float>({1, 1, 1}, {-1});
  EXPECT_EQ(to_floats(run_one(OpKind::GridSample, {x, grid}, text({{"padding_mode", "zeros"}}))[0]), (Floats{2}));
  EXPECT_EQ(to_floats(run_one(OpKind::GridSample, {x, grid}, text({{"padding_mode", "border"}}))[0]), (Floats{4}));
  const Tensor far = Tensor::from<float>({1, 1, 1}, {-2.5F});  // position -2, mirrored at -0.5 to 1
  EXPECT_EQ(to_floats(run_one(OpKind::GridSample, {x, far}, text({{"padding_mode", "reflection"}}))[0]), (Floats{8}));
}

TEST(Col2Im, AddsOverlappingBlocks) {
  const Tensor x = Tensor::from<float>({1, 2, 2}, {1, 2, 3, 4});  // two blocks of 2 of an image of 3
  const Tensor y = run_one(OpKind::Col2Im, {x, Tensor::ints({3}), Tensor::ints({2})})[0];
  EXPECT_EQ(to_floats(y), (Floats{1, 5, 4}));
  EXPECT_THROW(run_one(OpKind::Col2Im, {x, Tensor::ints({4}), Tensor::ints({2})}), ModelError);
  EXPECT_THROW(run_one(OpKind::Col2Im, {x, Tensor::ints({3}), Tensor::ints({2})}, {{"strides", Ints{0}}}), ModelError);
}

TEST(Col2Im, UsesDilationsPadsAndStrides) {
  const Tensor x = Tensor::from<float>({1, 2, 1}, {1, 2});
  const Attributes dilated = {{"dilations", Ints{2}}};
  EXPECT_EQ(to_floats(run_one(OpKind::Col2Im, {x, Tensor::ints({3}), Tensor::ints({2})}, dilated)[0]),
            (Floats{1, 0, 2}));
  const Attributes padded = {{"pads", Ints{1, 0}}, {"strides", Ints{2}}};
  EXPECT_EQ(to_floats(run_one(OpKind::Col2Im, {x, Tensor::ints({1}), Tensor::ints({2})}, padded)[0]), (Floats{2}));
}

TEST(NonMaxSuppression, DropsWhatOverlapsABetterBox) {
  const Tensor boxes = Tensor::from<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0.1F, 1, 1.1F, 0, 5, 1, 6});
  const Tensor scores = Tensor::from<float>({1, 1, 3}, {0.5F, 0.9F, 0.2F});
  const Tensor most = Tensor::scalar(std::int64_t{9}), overlap = Tensor::scalar(0.5F), least = Tensor::scalar(0.3F);
  EXPECT_EQ(to_ints(run_one(OpKind::NonMaxSuppression, {boxes, scores, most, overlap})[0]), (Ints{0, 0, 1, 0, 0, 2}));
  EXPECT_EQ(to_ints(run_one(OpKind::NonMaxSuppression, {boxes, scores, most, overlap, least})[0]), (Ints{0, 0, 1}));
  EXPECT_EQ(run_one(OpKind::NonMaxSuppression, {boxes, scores})[0].shape(), (Shape{0, 3}));
}

TEST(RoiAlign, RefusesRegionsThatCannotBe) {
  const Tensor x(DType::F32, {1, 1, 2, 2});
  const Tensor region = Tensor::from<float>({1, 4}, {0, 0, 1, 1});
  EXPECT_THROW(run_one(OpKind::RoiAlign, {x, region, Tensor::ints({1})}), ModelError);
  const Tensor huge = Tensor::from<float>({1, 4}, {0, 0, 1e30F, 1});
  EXPECT_THROW(run_one(OpKind::RoiAlign, {x, huge, Tensor::ints({0})}), ModelError);
}

TEST(MaxRoiPool, TakesTheLargestOfEachBin) {
  const Tensor x = Tensor::from<float>({1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor region = Tensor::from<float>({1, 5}, {0, 0, 0, 3, 1});
  EXPECT_EQ(to_floats(run_one(OpKind::MaxRoiPool, {x, region}, {{"pooled_shape", Ints{1, 2}}})[0]), (Floats{6, 8}));
}

TEST(MaxUnpool, RefusesIndicesOutside) {
  const Tensor x = Tensor::from<float>({1, 1, 1}, {5});
  const Attributes attributes = {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}};
  EXPECT_EQ(to_floats(run_one(OpKind::MaxUnpool, {x, Tensor::from<std::int64_t>({1, 1, 1}, {1})}, attributes)[0]),
            (Floats{0, 5}));
  EXPECT_THROW(run_one(OpKind::MaxUnpool, {x, Tensor::from<std::int64_t>({1, 1, 1}, {2})}, attributes), ModelError);
}

}  // namespace
}  // namespace adze
