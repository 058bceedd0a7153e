#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/compare.h"

namespace adze {
namespace {

const std::filesystem::path corpus = "/usr/share/libonnx-testdata/data";

std::vector<std::filesystem::path> corpus_models() {
  std::vector<std::filesystem::path> models;
  if (!std::filesystem::exists(corpus)) return models;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
    if (entry.path().extension() == ".onnx") models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  return models;
}

TEST(OnnxCorpus, LoadsEveryConformanceModelButGradient) {
  const auto models = corpus_models();
  if (models.empty()) GTEST_SKIP() << "skipped: libonnx-testdata is not installed";
  int refused = 0;
  for (const auto& path : models) {
    try {
      onnx::read(path);
    } catch (const Error& error) {
      if (std::string_view(error.what()).find("Gradient") != std::string_view::npos) continue;
      ++refused;
      ADD_FAILURE() << path << "\n" << error.what();
    }
  }
  EXPECT_EQ(refused, 0);
  EXPECT_GT(models.size(), 1000u);
}

TEST(OnnxCorpus, ReadsEveryInputAndOutputFile) {
  int files = 0;
  for (const auto& model : corpus_models()) {
    onnx::ReadOptions options;
    Graph graph;
    try {
      graph = onnx::read(model);
    } catch (const Error&) {
      continue;  // counted by the test above
    }
    const auto folder = model.parent_path() / "test_data_set_0";
    const auto check = [&](const char* prefix, const std::vector<ValueId>& ids) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto file = folder / (prefix + std::to_string(i) + ".pb");
        if (!std::filesystem::exists(file)) continue;
        const auto mapped = MappedFile::open(file);
        const ValueType& type = graph.value(ids[i]).type;
        ASSERT_NO_THROW(onnx::read_value(mapped->bytes(), mapped, type)) << file;
        ++files;
      }
    };
    check("input_", graph.inputs());
    check("output_", graph.outputs());
  }
  if (files == 0) GTEST_SKIP() << "skipped: libonnx-testdata is not installed";
  EXPECT_GT(files, 2500);
}

TEST(OnnxCorpus, WrittenModelsReadBackToTheSameGraph) {
  const auto models = corpus_models();
  if (models.empty()) GTEST_SKIP() << "skipped: libonnx-testdata is not installed";
  int same = 0;
  for (const auto& path : models) {
    Graph graph;
    try {
      graph = onnx::read(path);
    } catch (const Error&) {
      continue;
    }
    const auto bytes = std::make_shared<const std::string>(onnx::write_bytes(graph));
    const Graph again = onnx::read_bytes(std::as_bytes(std::span(*bytes)), bytes);
    EXPECT_EQ(structural_difference(graph, again).value_or(""), "") << path;
    EXPECT_EQ(onnx::write_bytes(again), *bytes) << path;
    ++same;
  }
  EXPECT_GT(same, 1000);
}

}  // namespace
}  // namespace adze
