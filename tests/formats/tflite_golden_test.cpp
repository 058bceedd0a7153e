// The int8 MLPerf Tiny models give the same bytes as TFLite-Micro and CMSIS-NN, operator by operator.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/hash.h"
#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/formats/tflite/schema.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/formats/tflite/write.h"
#include "adze/plan/lower_integers.h"

namespace adze {
namespace {

std::vector<std::int8_t> pattern(int number, std::int64_t count) {
  std::vector<std::int8_t> values;
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    switch (number) {
      case 0:
        values.push_back(static_cast<std::int8_t>(i * 37 % 256 - 128));
        break;
      case 1:
        values.push_back(static_cast<std::int8_t>(i * 37 % 64 - 96));
        break;
      case 2:
        values.push_back(static_cast<std::int8_t>(state >> 24));
        break;
      case 3:
        values.push_back(static_cast<std::int8_t>(i / 16 % 256 - 128));
        break;
      default:
        values.push_back(0);
    }
  }
  return values;
}

/// The elements of an NCHW tensor in NHWC order, and the way back.
std::vector<std::int8_t> channels_last(const Tensor& tensor) {
  const auto data = tensor.data<std::int8_t>();
  std::vector<std::int8_t> result(data.begin(), data.end());
  if (tensor.rank() != 4) return result;
  const std::int64_t channels = tensor.dim(1), area = tensor.dim(2) * tensor.dim(3);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const std::int64_t n = i / (channels * area), c = i / area % channels, p = i % area;
    result[static_cast<std::size_t>((n * area + p) * channels + c)] = data[static_cast<std::size_t>(i)];
  }
  return result;
}

Tensor channels_first(const std::vector<std::int8_t>& values, const Shape& nhwc) {
  if (nhwc.size() != 4) return Tensor::from<std::int8_t>(nhwc, values);
  Tensor tensor(DType::S8, {nhwc[0], nhwc[3], nhwc[1], nhwc[2]});
  const std::int64_t area = nhwc[1] * nhwc[2];
  const auto data = tensor.mutable_data<std::int8_t>();
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const std::int64_t p = i / nhwc[3] % area, c = i % nhwc[3], n = i / (nhwc[3] * area);
    data[static_cast<std::size_t>((n * nhwc[3] + c) * area + p)] = values[static_cast<std::size_t>(i)];
  }
  return tensor;
}

std::uint32_t checksum(const std::vector<std::int8_t>& values) {
  return crc32(std::as_bytes(std::span(values)));
}

/// The bytes of every operator's output, as a checksum, against those of the original model's tensors.
void check_graph(const Graph& graph, const std::string& path, const std::string& golden_name,
                 const nlohmann::json& expected) {
  const auto mapped = MappedFile::open(path);
  const tflite::Model model = tflite::parse_model(mapped->bytes(), {});
  for (const NodeId id : graph.node_ids()) {
    const OpKind kind = graph.node(id).kind;
    EXPECT_NE(kind, OpKind::QuantizeLinear) << graph.node(id).name;
    EXPECT_NE(kind, OpKind::DequantizeLinear) << graph.node(id).name;
    EXPECT_NE(kind, OpKind::Transpose) << graph.node(id).name;
  }
  const Shape nhwc = expected["input_shape"].get<Shape>();
  for (const auto& run : expected["runs"]) {
    const auto input = pattern(run["pattern"], num_elements(nhwc));
    EXPECT_EQ(checksum(input), std::stoul(run["input_crc32"].get<std::string>(), nullptr, 16));
    std::map<std::string, std::uint32_t> seen;
    reference::RunOptions options;
    options.observer = [&](NodeId id, std::span<const reference::Datum> outputs) {
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::string& name = graph.value(graph.node(id).outputs[i]).name;
        if (outputs[i].is_tensor() && outputs[i].tensor().dtype() == DType::S8) {
          seen[name] = checksum(channels_last(outputs[i].tensor()));
        }
      }
    };
    const auto results = reference::run(graph, {reference::Datum(channels_first(input, nhwc))}, options);
    for (const auto& op : run["ops"]) {
      const std::string& tensor = model.tensors.at(op[2].get<std::size_t>()).name;
      ASSERT_TRUE(seen.contains(tensor)) << tensor;
      ASSERT_EQ(seen[tensor], std::stoul(op[3].get<std::string>(), nullptr, 16))
          << golden_name << " pattern " << run["pattern"] << " operator " << op[0] << " " << op[1] << " " << tensor;
    }
    const auto bytes = results[0].tensor().data<std::int8_t>();
    std::string hex;
    for (const std::int8_t value : bytes) {
      constexpr char digits[] = "0123456789abcdef";
      hex += digits[(value >> 4) & 15];
      hex += digits[value & 15];
    }
    EXPECT_EQ(hex, run["outputs_hex"][0].get<std::string>());
  }
}

void check_model(const std::string& golden_name, const std::string& model_name) {
  const char* data = std::getenv("ADZE_DATA");
  const char* golden = std::getenv("ADZE_GOLDEN");
  if (data == nullptr || golden == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA or ADZE_GOLDEN";
  std::ifstream file(cat(golden, "/", golden_name, ".json"));
  const nlohmann::json expected = nlohmann::json::parse(file);
  const std::string path = cat(data, "/models/", model_name);
  check_graph(lower_integers(tflite::read(path)), path, golden_name, expected);
}

TEST(TfliteGolden, ImageClassificationGivesTheBytesOfTfliteMicro) {
  check_model("ic", "ic_resnet8_int8.tflite");
}
TEST(TfliteGolden, KeywordSpottingGivesTheBytesOfTfliteMicro) {
  check_model("kws", "kws_dscnn_int8.tflite");
}
TEST(TfliteGolden, VisualWakeWordsGivesTheBytesOfTfliteMicro) {
  check_model("vww", "vww_mobilenetv1_int8.tflite");
}
TEST(TfliteGolden, AnomalyDetectionGivesTheBytesOfTfliteMicro) {
  check_model("ad", "ad_autoencoder_int8.tflite");
}

/// Reads the model, writes it, and reads what was written.
void check_rewritten_model(const std::string& golden_name, const std::string& model_name) {
  const char* data = std::getenv("ADZE_DATA");
  const char* golden = std::getenv("ADZE_GOLDEN");
  if (data == nullptr || golden == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA or ADZE_GOLDEN";
  std::ifstream file(cat(golden, "/", golden_name, ".json"));
  const nlohmann::json expected = nlohmann::json::parse(file);
  const std::string path = cat(data, "/models/", model_name);
  const auto bytes = std::make_shared<const std::string>(tflite::write_bytes(tflite::read(path)));
  const auto wire = std::as_bytes(std::span(*bytes));
  const auto before = tflite::parse_model(MappedFile::open(path)->bytes(), {});
  EXPECT_EQ(tflite::parse_model(wire, {}).operators.size(), before.operators.size());
  check_graph(lower_integers(tflite::read_bytes(wire, bytes)), path, golden_name, expected);
}

TEST(TfliteGolden, WrittenImageClassificationGivesTheSameBytes) {
  check_rewritten_model("ic", "ic_resnet8_int8.tflite");
}
TEST(TfliteGolden, WrittenKeywordSpottingGivesTheSameBytes) {
  check_rewritten_model("kws", "kws_dscnn_int8.tflite");
}
TEST(TfliteGolden, WrittenVisualWakeWordsGivesTheSameBytes) {
  check_rewritten_model("vww", "vww_mobilenetv1_int8.tflite");
}
TEST(TfliteGolden, WrittenAnomalyDetectionGivesTheSameBytes) {
  check_rewritten_model("ad", "ad_autoencoder_int8.tflite");
}

}  // namespace
}  // namespace adze
