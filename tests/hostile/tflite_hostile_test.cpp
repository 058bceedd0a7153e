// Damaged and malicious TFLite files: each refused quickly, with a typed error that names the file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "adze/base/files.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/formats/tflite/tflite.h"
#include "tests/formats/tflite_builder.h"
#include "tests/hostile/hostile.h"

namespace adze {
namespace {

using namespace test;

Graph read_text(const std::string& bytes) {
  const auto file = std::make_shared<const std::string>(bytes);
  return tflite::read_bytes(std::as_bytes(std::span(*file)), file, {}, "hostile.tflite");
}

/// Refused in under a second by a ModelError (or one of its kinds) that names the file; needle must be in the message.
void expect_refused(const std::string& bytes, const std::string& needle, const std::string& op = "") {
  const double start = hostile::processor_seconds();
  try {
    read_text(bytes);
    ADD_FAILURE() << "accepted, expected: " << needle;
  } catch (const ModelError& error) {
    EXPECT_EQ(error.place().file, "hostile.tflite") << error.what();
    EXPECT_NE(std::string(error.what()).find(needle), std::string::npos) << error.what();
    if (!op.empty()) {
      EXPECT_EQ(error.place().op, op) << error.what();
    }
  }
  EXPECT_LT(hostile::processor_seconds() - start, 1);
}

/// A small valid model: a 1×1 convolution of a 4×4 picture.
TestModel small() {
  TestModel model;
  model.tensors = {{"x", {1, 4, 4, 2}},
                   {"w", {3, 1, 1, 2}, 0, content<float>({1, 2, 3, 4, 5, 6})},
                   {"b", {3}, 0, content<float>({1, 2, 3})},
                   {"y", {1, 4, 4, 3}}};
  model.operators = {{3, {0, 1, 2}, {3}, conv_options(1, 1)}};
  model.inputs = {0};
  model.outputs = {3};
  return model;
}

std::string changed(const std::function<void(TestModel&)>& change) {
  TestModel model = small();
  change(model);
  return model.serialize();
}

TEST(TfliteHostile, TheUnchangedModelIsAccepted) {
  EXPECT_NO_THROW(read_text(small().serialize()));
}

TEST(TfliteHostile, EveryTruncationIsRefusedOrHarmless) {
  const std::string whole = small().serialize();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    try {
      read_text(whole.substr(0, length));
    } catch (const ModelError&) {
    }
  }
  expect_refused("", "damaged file");
  expect_refused(whole.substr(0, 6), "damaged file");
  expect_refused(whole.substr(0, whole.size() / 2), "");
}

TEST(TfliteHostile, AnotherKindOfFileIsRefused) {
  expect_refused("GIF89a, not a network at all", "not a TFLite file");
}

TEST(TfliteHostile, ARootBeyondTheFileIsRefused) {
  std::string bytes = small().serialize();
  put(bytes, 0, 0xfffffff0u);
  expect_refused(bytes, "leave the file");
}

TEST(TfliteHostile, AVtableBeforeTheFileIsRefused) {
  std::string bytes = small().serialize();
  std::uint32_t root = 0;
  std::memcpy(&root, bytes.data(), 4);
  put(bytes, root, 0x7fffffffu);
  expect_refused(bytes, "vtable");
}

TEST(TfliteHostile, AVtableThatLiesAboutItsSizeIsRefused) {
  for (const std::uint16_t size : {0, 3, 5, 0xffff}) {
    std::string bytes = small().serialize();
    std::memcpy(bytes.data() + 8, &size, 2);  // the root's vtable follows the identifier
    expect_refused(bytes, size == 0xffff ? "damaged" : "vtable");
  }
}

TEST(TfliteHostile, AFieldOutsideItsTableIsRefused) {
  std::string bytes = small().serialize();
  const std::uint16_t far = 0x7000;
  std::memcpy(bytes.data() + 12, &far, 2);
  expect_refused(bytes, "outside the table");
}

TEST(TfliteHostile, AnotherSchemaVersionIsUnsupported) {
  expect_refused(changed([](TestModel& m) { m.version = 99; }), "version 99");
}

TEST(TfliteHostile, AShapeWhoseProductOverflowsIsRefused) {
  expect_refused(changed([](TestModel& m) {
                   m.tensors[0].shape = {2147483647, 2147483647, 2147483647, 2147483647};
                 }),
                 "overflow");
}

TEST(TfliteHostile, ANegativeDimensionIsRefused) {
  expect_refused(changed([](TestModel& m) { m.tensors[0].shape = {1, -4, 4, 2}; }), "dimension");
}

TEST(TfliteHostile, AnEndlessRankIsRefused) {
  expect_refused(changed([](TestModel& m) { m.tensors[0].shape.assign(100'000, 1); }), "rank");
}

TEST(TfliteHostile, ATensorIndexOutOfRangeIsRefused) {
  expect_refused(changed([](TestModel& m) { m.operators[0].inputs[0] = 77; }), "tensor 77");
  expect_refused(changed([](TestModel& m) { m.operators[0].inputs[0] = -5; }), "tensor -5");
  expect_refused(changed([](TestModel& m) { m.operators[0].outputs[0] = -1; }), "tensor -1");
  expect_refused(changed([](TestModel& m) { m.outputs[0] = 1000; }), "tensor 1000");
}

TEST(TfliteHostile, ABufferThatDoesNotFillTheShapeIsRefused) {
  expect_refused(changed([](TestModel& m) { m.tensors[1].data.resize(20); }), "20 bytes");
  expect_refused(changed([](TestModel& m) { m.tensors[1].data.resize(400); }), "400 bytes");
}

TEST(TfliteHostile, AHugeConstantWithoutBytesIsRefused) {
  expect_refused(changed([](TestModel& m) { m.tensors[1].shape = {1 << 20, 1 << 10, 1, 2}; }), "24 bytes");
}

TEST(TfliteHostile, AZeroOrNegativeStrideIsRefused) {
  expect_refused(changed([](TestModel& m) { m.operators[0].options = conv_options(1, 0); }), "stride", "CONV_2D");
  expect_refused(changed([](TestModel& m) { m.operators[0].options = conv_options(0, -2); }), "stride", "CONV_2D");
}

TEST(TfliteHostile, AFilterThatDoesNotFitIsRefused) {
  expect_refused(changed([](TestModel& m) { m.tensors[0].shape[3] = 3; }), "does not fit", "CONV_2D");
  expect_refused(changed([](TestModel& m) {
                   m.tensors[2] = {"b", {2}, 0, content<float>({1, 2})};
                 }),
                 "bias", "CONV_2D");
  expect_refused(changed([](TestModel& m) {
                   m.tensors[1] = {"w", {3, 2}, 0, content<float>({1, 2, 3, 4, 5, 6})};
                 }),
                 "rank 4", "CONV_2D");
}

TEST(TfliteHostile, MissingInputsAndOutputsAreRefused) {
  expect_refused(changed([](TestModel& m) { m.operators[0].inputs.clear(); }), "missing", "CONV_2D");
  expect_refused(changed([](TestModel& m) { m.operators[0].outputs.clear(); }), "missing", "CONV_2D");
  expect_refused(changed([](TestModel& m) { m.outputs.clear(); }), "no output");
}

TEST(TfliteHostile, ACycleIsRefused) {
  expect_refused(changed([](TestModel& m) {
                   m.tensors.push_back({"z", {1, 4, 4, 3}});
                   m.operators = {{0, {4, 4}, {3}, table({})}, {0, {3, 3}, {4}, table({})}};
                 }),
                 "nothing before it computes", "ADD");
}

TEST(TfliteHostile, ATensorComputedTwiceIsRefused) {
  expect_refused(changed([](TestModel& m) { m.operators.push_back(m.operators[0]); }), "computed twice", "CONV_2D");
  expect_refused(changed([](TestModel& m) { m.operators[0].outputs = {1}; }), "computed twice", "CONV_2D");
}

TEST(TfliteHostile, AnOutputThatNothingComputesIsRefused) {
  expect_refused(changed([](TestModel& m) { m.operators.clear(); }), "nothing before it computes");
}

TEST(TfliteHostile, AnAxisOutOfRangeIsRefused) {
  const auto concat = [](std::int32_t axis) {
    return changed([axis](TestModel& m) { m.operators = {{2, {0, 0}, {3}, table({{0, raw(axis)}})}}; });
  };
  expect_refused(concat(9), "axis", "CONCATENATION");
  expect_refused(concat(-9), "axis", "CONCATENATION");
}

TEST(TfliteHostile, AReshapeToAnotherSizeIsRefused) {
  expect_refused(changed([](TestModel& m) { m.operators = {{22, {0}, {3}}}; }), "reshape", "RESHAPE");
}

TEST(TfliteHostile, APermutationThatRepeatsAnAxisIsRefused) {
  expect_refused(changed([](TestModel& m) {
                   m.tensors[1] = {"p", {4}, 2, content<std::int32_t>({0, 1, 1, 3})};
                   m.operators = {{39, {0, 1}, {3}}};
                 }),
                 "permutation", "TRANSPOSE");
}

TEST(TfliteHostile, AScaleOfZeroNanOrTooManyIsRefused) {
  for (const float scale :
       {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    expect_refused(changed([&](TestModel& m) { m.tensors[0] = {"x", {1, 4, 4, 2}, 9, "", {scale}, {0}}; }), "scale 0");
  }
  expect_refused(changed([](TestModel& m) {
                   m.tensors[0] = {"x", {1, 4, 4, 2}, 9, "", {1, 2, 3}, {0, 0, 0}, 3};
                 }),
                 "3 scales");
  expect_refused(changed([](TestModel& m) { m.tensors[0] = {"x", {1, 4, 4, 2}, 9, "", {1, 2}, {0, 0}, 12}; }), "axis");
  expect_refused(changed([](TestModel& m) { m.tensors[0] = {"x", {1, 4, 4, 2}, 9, "", {1}, {300}}; }), "zero point");
}

TEST(TfliteHostile, AnUnknownElementTypeIsUnsupported) {
  expect_refused(changed([](TestModel& m) { m.tensors[0].type = 99; }), "TensorType 99");
}

TEST(TfliteHostile, ASliceBeyondItsAxisIsRefused) {
  expect_refused(changed([](TestModel& m) {
                   m.tensors[1] = {"begin", {4}, 2, content<std::int32_t>({0, 3, 0, 0})};
                   m.tensors[2] = {"size", {4}, 2, content<std::int32_t>({1, 2, 4, 2})};
                   m.operators = {{65, {0, 1, 2}, {3}}};
                 }),
                 "slice", "SLICE");
}

TEST(TfliteHostile, ManyTensorsBeyondTheBudgetAreRefused) {
  const auto file = std::make_shared<const std::string>(small().serialize());
  tflite::ReadOptions options;
  options.max_tensors = 2;
  EXPECT_THROW(tflite::read_bytes(std::as_bytes(std::span(*file)), file, options), LimitError);
}

TEST(TfliteHostile, MutantsOfRealModelsNeitherCrashNorHang) {
  const char* data = std::getenv("ADZE_DATA");
  if (data == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  const char* wanted = std::getenv("ADZE_MUTANTS");
  const int mutants = wanted != nullptr ? std::atoi(wanted) : 300;
  std::vector<std::string> models;
  for (const char* name : {"ic_resnet8", "kws_dscnn", "vww_mobilenetv1", "ad_autoencoder"}) {
    for (const char* kind : {"float32", "int8"}) {
      const auto file = MappedFile::open(cat(data, "/models/", name, "_", kind, ".tflite"));
      models.emplace_back(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
    }
  }
  Random random(2024);
  int refused = 0;
  for (int i = 0; i < mutants; ++i) {
    std::string bytes = models[random.below(models.size())];
    // Structure lies at the ends of these files, weights in between: aim at the ends half of the time.
    for (std::uint64_t change = 1 + random.below(8); change > 0; --change) {
      const std::size_t region = random.below(2) ? bytes.size() : std::min<std::size_t>(bytes.size(), 8192);
      const std::size_t at = random.below(2) ? random.below(region) : bytes.size() - 1 - random.below(region);
      bytes[at] = random.below(2) ? static_cast<char>(random.below(256))
                                  : static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    }
    if (random.below(20) == 0) bytes.resize(random.below(bytes.size()));
    const double start = hostile::processor_seconds();
    try {
      read_text(bytes);
    } catch (const ModelError&) {
      ++refused;
    }
    ASSERT_LT(hostile::processor_seconds() - start, 2) << "mutant " << i;
  }
  RecordProperty("refused", refused);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace adze
