#include "adze/data/preprocessing.h"

#include <gtest/gtest.h>

#include "tests/data/data_files.h"

namespace adze {
namespace {

using test::ramp;

TEST(Preprocessing, LeavesPixelsUnscaledByDefault) {
  const Tensor tensor = preprocess({2, 1, 3, {1, 2, 3, 4, 5, 255}}, {});
  EXPECT_TRUE(identical(tensor, Tensor::from<float>({1, 3, 1, 2}, {1, 4, 2, 5, 3, 255})));
}

TEST(Preprocessing, ScalesAndNormalizesByChannelInTheChosenOrder) {
  const Preprocessing how = parse_preprocessing_flags("layout=nhwc order=bgr scale=1/255 mean=0.5,0.25,0 std=0.5,1,2");
  const Tensor tensor = preprocess({1, 1, 3, {255, 51, 0}}, how);
  ASSERT_EQ(tensor.shape(), (Shape{1, 1, 1, 3}));
  EXPECT_FLOAT_EQ(tensor.data<float>()[0], -1.0F);
  EXPECT_FLOAT_EQ(tensor.data<float>()[1], -0.05F);
  EXPECT_FLOAT_EQ(tensor.data<float>()[2], 0.5F);
}

TEST(Preprocessing, QuantizesForIntegerInputsAndSaturates) {
  Preprocessing how;
  how.dtype = DType::S8;
  how.quantization_scale = 1.0;
  how.zero_point = -128;
  const Tensor tensor = preprocess({3, 1, 1, {0, 128, 255}}, how);
  EXPECT_TRUE(identical(tensor, Tensor::from<std::int8_t>({1, 1, 1, 3}, {-128, 0, 127})));
  how.zero_point = 0;
  EXPECT_EQ(preprocess({1, 1, 1, {200}}, how).data<std::int8_t>()[0], 127);
}

TEST(Preprocessing, TurnsColourToGrayAndBack) {
  Preprocessing gray;
  gray.channels = 1;
  EXPECT_EQ(preprocess({1, 1, 3, {255, 0, 0}}, gray).data<float>()[0], 76.0F);  // 0.299 · 255
  Preprocessing colour;
  colour.channels = 3;
  EXPECT_TRUE(identical(preprocess({1, 1, 1, {9}}, colour), Tensor::from<float>({1, 3, 1, 1}, {9, 9, 9})));
}

TEST(Preprocessing, RoundTripsThroughJson) {
  const Preprocessing how = parse_preprocessing_flags(
      "size=96x64; channels=3; layout=nhwc; order=bgr; resize=area; fit=center-crop; resize_side=110; scale=0.5; "
      "mean=1,2,3; std=4");
  const std::string json = preprocessing_json(how);
  EXPECT_EQ(preprocessing_json(parse_preprocessing_json(json)), json);
  EXPECT_EQ(how.height, 96);
  EXPECT_EQ(how.width, 64);
}

TEST(Preprocessing, OffersTheNearestKey) {
  try {
    parse_preprocessing_flags("sclae=2");
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'scale'"), std::string::npos) << error.what();
  }
}

TEST(Preprocessing, RefusesNonsense) {
  for (const char* text :
       {"size=0x5", "size=1e9x4", "std=0", "scale=1/0", "mean=nan", "layout=chw", "loose", "channels=1.5"}) {
    EXPECT_THROW(parse_preprocessing_flags(text), UsageError) << text;
  }
  for (const char* text :
       {"[]", "{", "{\"mean\": \"x\"}", "{\"layout\": 3}", "{\"what\": 1}", "{\"size\": [1, 2, 3]}"}) {
    EXPECT_THROW(parse_preprocessing_json(text), ModelError) << text;
  }
}

TEST(Preprocessing, ReadsTheModelsInputAndMetadata) {
  Graph graph;
  const SymbolicShape shape = {Dim::named("n"), 49, 10, 1};
  const ValueId input = graph.add_input("x", ValueType::tensor(DType::S8, shape));
  const ValueId scale = graph.add_constant("scale", Tensor::scalar(0.5F));
  const ValueId zero = graph.add_constant("zero", Tensor::scalar(std::int8_t{83}));
  graph.add_output(graph.add(OpKind::DequantizeLinear, {input, scale, zero}));
  graph.metadata["adze.preprocessing"] = R"({"scale": 0.25})";
  const Preprocessing how = preprocessing_of(graph);
  EXPECT_EQ(how.layout, PixelLayout::Nhwc);
  EXPECT_EQ(how.height, 49);
  EXPECT_EQ(how.width, 10);
  EXPECT_EQ(how.channels, 1);
  EXPECT_EQ(how.dtype, DType::S8);
  EXPECT_EQ(how.quantization_scale, 0.5);
  EXPECT_EQ(how.zero_point, 83);
  EXPECT_EQ(how.scale, 0.25);
}

TEST(Resize, KeepsConstantsAndAveragesAreas) {
  const Picture flat{5, 7, 1, std::vector<std::uint8_t>(35, 93)};
  for (const ResizeMethod method : {ResizeMethod::Bilinear, ResizeMethod::Area, ResizeMethod::Nearest}) {
    for (const std::uint8_t pixel : resized(flat, 11, 3, method).pixels) EXPECT_EQ(pixel, 93);
  }
  EXPECT_EQ(resized({2, 2, 1, {0, 100, 100, 200}}, 1, 1, ResizeMethod::Area).pixels, (std::vector<std::uint8_t>{100}));
  EXPECT_EQ(resized({2, 1, 1, {0, 200}}, 4, 1, ResizeMethod::Bilinear).pixels,
            (std::vector<std::uint8_t>{0, 50, 150, 200}));
  EXPECT_EQ(resized({2, 1, 1, {0, 200}}, 4, 1, ResizeMethod::Nearest).pixels,
            (std::vector<std::uint8_t>{0, 0, 200, 200}));
}

TEST(Resize, CutsTheMiddle) {
  Preprocessing how = parse_preprocessing_flags("size=2x2 fit=center-crop");
  const Tensor tensor = preprocess({4, 2, 1, {1, 2, 3, 4, 5, 6, 7, 8}}, how);
  EXPECT_TRUE(identical(tensor, Tensor::from<float>({1, 1, 2, 2}, {2, 3, 6, 7})));
}

TEST(PictureFiles, DecodeWhatWasEncoded) {
  for (const std::int64_t channels : {1, 3}) {
    const Picture picture = ramp(17, 9, channels);
    EXPECT_EQ(decode_picture(encode_png(picture), "p").pixels, picture.pixels);
    const Picture lossy =
        decode_picture(encode_jpeg({17, 9, channels, std::vector<std::uint8_t>(17 * 9 * channels, 120)}, 90), "j");
    EXPECT_EQ(lossy.channels, channels);
    for (const std::uint8_t pixel : lossy.pixels) EXPECT_NEAR(pixel, 120, 2);
  }
}

}  // namespace
}  // namespace adze
