#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/graph.h"

namespace adze::testing {

inline std::string shell_quoted(const std::string& text) {
  return cat("'", text, "'");
}

inline std::string type_name(DType dtype) {
  switch (dtype) {
    case DType::F32:
      return "float32";
    case DType::F16:
      return "float16";
    case DType::S8:
      return "int8";
    case DType::U8:
      return "uint8";
    case DType::S32:
      return "int32";
    case DType::S64:
      return "int64";
    default:
      throw InternalError(cat("no witness for ", dtype_name(dtype)));
  }
}

inline DType dtype_named(const std::string& name) {
  for (const DType dtype : {DType::F32, DType::F16, DType::S8, DType::U8, DType::S32, DType::S64}) {
    if (type_name(dtype) == name) return dtype;
  }
  throw InternalError(cat("no dtype for ", name));
}

/// Runs models in ONNX Runtime; tests are skipped where it is not installed.
class OnnxRuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    witness_ = std::filesystem::path(ADZE_SOURCE_DIR) / "tests" / "witness";
    if (std::system("node --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "skipped: node is not installed";
    if (!std::filesystem::exists(witness_ / "node_modules" / "onnxruntime-node")) {
      GTEST_SKIP() << "skipped: onnxruntime-node is not there (run tests/witness/setup)";
    }
    folder_ = std::filesystem::path(ADZE_BINARY_DIR) / "witness" /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
  }

  /// What ONNX Runtime makes of the model that we write. optimize: all, or disabled to run each operator as written.
  std::vector<Tensor> run_witness(const Graph& graph, const std::vector<Tensor>& inputs,
                                  const std::string& optimize = "all") {
    if (const std::string why = refusal(graph, inputs, optimize); !why.empty()) {
      ADD_FAILURE() << "ONNX Runtime refused the model: " << why;
      return {};
    }
    const std::filesystem::path log = folder_ / "outputs.json";
    std::vector<Tensor> outputs;
    for (const auto& output : nlohmann::json::parse(read_text_file(log))) {
      const auto file = MappedFile::open(output["file"].get<std::string>());
      outputs.push_back(Tensor::view(dtype_named(output["type"]), output["shape"].get<Shape>(), file, file->bytes()));
    }
    return outputs;
  }

  /// Why ONNX Runtime does not run the model; empty when it does, and has written outputs.json.
  std::string refusal(const Graph& graph, const std::vector<Tensor>& inputs, const std::string& optimize) {
    const std::filesystem::path model = folder_ / "model.onnx";
    onnx::write(graph, model);
    nlohmann::json request{{"model", model.string()}, {"output_folder", folder_.string()}, {"optimize", optimize}};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::filesystem::path file = folder_ / cat("input_", i, ".raw");
      write_file(file, inputs[i].bytes());
      request["inputs"].push_back({{"name", graph.value(graph.inputs()[i]).name},
                                   {"type", type_name(inputs[i].dtype())},
                                   {"shape", inputs[i].shape()},
                                   {"file", file.string()}});
    }
    write_file(folder_ / "request.json", request.dump());
    const std::filesystem::path log = folder_ / "outputs.json";
    const std::string command = cat("node ", shell_quoted((witness_ / "run.mjs").string()), " ",
                                    shell_quoted((folder_ / "request.json").string()), " >", shell_quoted(log.string()),
                                    " 2>", shell_quoted((folder_ / "errors.txt").string()));
    return std::system(command.c_str()) == 0 ? std::string() : cat("failed: ", read_text_file(folder_ / "errors.txt"));
  }

  std::filesystem::path witness_, folder_;
};

}  // namespace adze::testing
