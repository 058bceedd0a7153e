#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/random.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "tests/hostile/hostile.h"

namespace adze {
namespace {

constexpr int default_mutants = 500;
constexpr double max_seconds = 2;

int num_mutants() {
  const char* wanted = std::getenv("ADZE_MUTANTS");
  return wanted == nullptr ? default_mutants : std::atoi(wanted);
}

/// A small network that we write ourselves, so that there is something to mutate everywhere.
std::string own_model() {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic({1, 3, 8, 8})));
  const ValueId w = graph.add_constant("w", Tensor(DType::F32, {4, 3, 3, 3}));
  const ValueId conv = graph.add(OpKind::Conv, {x, w}, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}, "conv");
  const ValueId relu = graph.add(OpKind::Relu, {conv}, {}, "relu");
  const ValueId shape = graph.add_constant("shape", Tensor::ints({1, -1}));
  graph.add_output(graph.add(OpKind::Reshape, {relu, shape}, {}, "flatten"));
  return onnx::write_bytes(graph);
}

std::vector<std::string> seeds() {
  std::vector<std::string> models = {own_model()};
  std::vector<std::filesystem::path> paths;
  const std::filesystem::path corpus = "/usr/share/libonnx-testdata/data";
  if (std::filesystem::exists(corpus)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
      if (entry.path().extension() == ".onnx" && entry.file_size() < 100'000) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    const auto file = MappedFile::open(path);
    models.emplace_back(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  }
  return models;
}

/// A copy with one to four bytes flipped, set, inserted, removed or cut off behind.
std::string mutant(std::string bytes, Random& random) {
  static constexpr char interesting[] = {'\x00', '\x01', '\x7f', '\x80', '\xff'};
  const int changes = 1 + static_cast<int>(random.below(4));
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = random.below(bytes.size());
    switch (random.below(6)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random.below(256));
        break;
      case 2:
        bytes[at] = interesting[random.below(sizeof interesting)];
        break;
      case 3:
        bytes.insert(at, 1, static_cast<char>(random.below(256)));
        break;
      case 4:
        bytes.erase(at, 1 + random.below(4));
        break;
      default:
        bytes[at] = static_cast<char>(bytes[at] + 1);
        break;
    }
  }
  if (random.below(20) == 0) bytes.resize(random.below(bytes.size() + 1));
  return bytes;
}

TEST(OnnxMutants, EndInTimeWithAnErrorOrAModelThatCanBeWritten) {
  const auto models = seeds();
  Random random(20261120);
  int read = 0, refused = 0;
  for (int i = 0; i < num_mutants(); ++i) {
    const std::size_t seed = random.below(models.size());
    const auto bytes = std::make_shared<const std::string>(mutant(models[seed], random));
    const double start = hostile::processor_seconds();
    try {
      const Graph graph = onnx::read_bytes(std::as_bytes(std::span(*bytes)), bytes);
      onnx::write_bytes(graph);
      ++read;
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ExitCode::InternalFault) << "mutant " << i << ": " << error.what();
      ++refused;
    }
    const double seconds = hostile::processor_seconds() - start;
    EXPECT_LT(seconds, max_seconds) << "mutant " << i;
  }
  EXPECT_GT(refused, num_mutants() / 4);
  EXPECT_EQ(read + refused, num_mutants());
}

}  // namespace
}  // namespace adze
