#include "adze/engine/stored_model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "adze/base/files.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/graph_codec.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/text.h"
#include "adze/zoo/zoo.h"

namespace adze {
namespace {

/// A model's file and its weight file, for one test.
struct StoredModelTest : testing::Test {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / cat("adze-stored-", ::getpid());
  std::filesystem::path model = folder / "model.onnx", weights = folder / "model.weights";
  int reads = 0;

  StoredModelTest() {
    std::filesystem::create_directories(folder);
    onnx::write(zoo::build("resnet8,int8"), model);
  }
  ~StoredModelTest() override { std::filesystem::remove_all(folder); }

  Session open(const std::string& isa = "") {
    SessionOptions options;
    options.isa = isa;
    options.weight_file = weights.string();
    return Session::open(
        model,
        [this] {
          ++reads;
          return onnx::read(model);
        },
        options);
  }
};

TEST(GraphCodec, GivesTheSameGraphBack) {
  Graph graph = zoo::build("mobilenetv3s,int8");
  graph.metadata["adze.rounding"] = "tflm";
  graph.remove_node(graph.node_ids().back());
  engine::ByteWriter writer;
  std::vector<Tensor> tensors;
  engine::encode_graph(writer, graph, [&](engine::ByteWriter&, const Tensor& tensor) { tensors.push_back(tensor); });
  std::size_t next = 0;
  engine::ByteReader reader(std::as_bytes(std::span(writer.bytes())));
  const Graph back =
      engine::decode_graph(reader, [&](engine::ByteReader&, DType, const Shape&) { return tensors.at(next++); });
  EXPECT_TRUE(print_graph(back) == print_graph(graph));
  EXPECT_EQ(back.num_nodes(), graph.num_nodes());
  EXPECT_EQ(back.num_values(), graph.num_values());
}

TEST(GraphCodec, RefusesBytesThatEndTooEarly) {
  engine::ByteWriter writer;
  engine::encode_graph(writer, zoo::build("dscnn"), [](engine::ByteWriter&, const Tensor&) {});
  const auto bytes = std::as_bytes(std::span(writer.bytes()));
  const engine::TensorSource none = [](engine::ByteReader&, DType dtype, const Shape&) { return Tensor(dtype, {0}); };
  for (std::size_t length = 0; length < bytes.size(); length += 97) {
    engine::ByteReader reader(bytes.first(length));
    EXPECT_THROW(engine::decode_graph(reader, none), ModelError) << length;
  }
}

TEST_F(StoredModelTest, StartsFromTheWeightFileWithoutReadingTheModel) {
  const auto inputs = random_inputs(zoo::build("resnet8,int8"), 5);
  const auto expected = open().run(inputs);
  EXPECT_EQ(reads, 1);
  Session session = open();
  EXPECT_EQ(reads, 1);
  EXPECT_TRUE(identical(session.run(inputs)[0], expected[0]));
  ASSERT_EQ(session.inputs().size(), 1U);
  EXPECT_EQ(type_text(session.inputs()[0].type), "f32[1, 3, 32, 32]");
  std::int64_t macs = 0;
  for (const StepInfo& step : session.steps()) macs += step.macs;
  EXPECT_GT(macs, 12'000'000);
}

TEST_F(StoredModelTest, ReadsTheModelAgainForAnObserver) {
  const auto inputs = random_inputs(zoo::build("resnet8,int8"), 5);
  open();
  Session session = open();
  const auto expected = session.run(inputs);
  int seen = 0;
  session.observe([&](std::string_view, const Tensor&) { ++seen; });
  EXPECT_TRUE(identical(session.run(inputs)[0], expected[0]));
  EXPECT_EQ(reads, 2);
  EXPECT_GT(seen, 10);
}

TEST_F(StoredModelTest, ReadsTheModelWhenItHasChangedOrSettingsDiffer) {
  open();
  open("ref");
  EXPECT_EQ(reads, 2);
  open("ref");
  EXPECT_EQ(reads, 2);
  onnx::write(zoo::build("resnet8,int8,seed=9"), model);
  open("ref");
  EXPECT_EQ(reads, 3);
}

TEST_F(StoredModelTest, MakesADamagedFileAnew) {
  const auto inputs = random_inputs(zoo::build("resnet8,int8"), 5);
  const auto expected = open().run(inputs);
  const std::string whole = read_text_file(weights);
  const std::size_t middle = whole.find("channels_last");  // of the stored graph
  ASSERT_NE(middle, std::string::npos);
  std::string damaged = whole;
  damaged[middle] = 'C';
  write_file(weights, damaged);
  EXPECT_TRUE(identical(open().run(inputs)[0], expected[0]));
  EXPECT_EQ(reads, 2);
  EXPECT_TRUE(read_text_file(weights) == whole);
}

TEST_F(StoredModelTest, FileIdentityFollowsContent) {
  const std::string before = engine::file_identity(model);
  const auto time = std::filesystem::last_write_time(model);
  std::string bytes = read_text_file(model);
  EXPECT_EQ(engine::file_identity(model), before);
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + bytes.size() / 32; ++i) bytes[i] ^= 1;
  write_file(model, bytes);
  std::filesystem::last_write_time(model, time);
  EXPECT_NE(engine::file_identity(model), before);
  EXPECT_EQ(engine::file_identity(folder / "missing"), "");
}

}  // namespace
}  // namespace adze
