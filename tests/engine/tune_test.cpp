#include "adze/engine/tune.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"

namespace adze {
namespace {

using engine::TuneTable;

Graph graph_of(const std::string& shape, const std::string& attributes) {
  return parse_graph("graph \"g\" {\n  input %x: f32" + shape + "\n  %y = MaxPool(%x) \"p\" { " + attributes +
                     " }\n  output %y\n}");
}

std::string problem(const std::string& shape, const std::string& attributes, int threads = 1) {
  const Graph graph = graph_of(shape, attributes);
  return engine::problem_text(graph, graph.node(graph.node_ids().front()), Isa::Avx2, Compute::F32, threads);
}

TEST(Tune, ProblemsDifferByShapeAttributesAndThreads) {
  const std::string base = problem("[1, 2, 8, 8]", "kernel_shape = [2, 2]");
  EXPECT_EQ(problem("[1, 2, 8, 8]", "kernel_shape = [2, 2]"), base);
  EXPECT_NE(problem("[1, 2, 8, 9]", "kernel_shape = [2, 2]"), base);
  EXPECT_NE(problem("[1, 2, 8, 8]", "kernel_shape = [2, 3]"), base);
  EXPECT_NE(problem("[1, 2, 8, 8]", "kernel_shape = [2, 2]", 2), base);
  EXPECT_EQ(base.find('\t'), std::string::npos);
}

/// A product by 16 x 16 weights; those of outputs below `zero_rows` at even inputs are 0.
std::string product_problem(std::int64_t every, std::int64_t zero_rows) {
  Graph graph;
  Tensor weights(DType::F32, {16, 16});
  for (std::int64_t i = 0; i < 256; ++i) {
    const bool zero = i % 16 % every == 0 && i / 16 % 8 < zero_rows;
    weights.mutable_data<float>()[static_cast<std::size_t>(i)] = zero ? 0.0f : 1.0f;
  }
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{1, 16}));
  graph.add_output(
      graph.add(OpKind::Gemm, {x, graph.add_constant("w", weights)}, {{"transB", std::int64_t{1}}}, "product"));
  infer_types(graph);
  return engine::problem_text(graph, graph.node(graph.node_ids().front()), Isa::Avx2, Compute::F32, 1);
}

TEST(Tune, ProblemsDifferByZerosAndTheirBlocks) {
  EXPECT_EQ(product_problem(2, 0).find("zeros"), std::string::npos);
  EXPECT_NE(product_problem(2, 8).find("blocks=50%"), std::string::npos) << product_problem(2, 8);
  EXPECT_NE(product_problem(1, 7).find("blocks=0%"), std::string::npos) << product_problem(1, 7);
}

TEST(Tune, SaysWhetherACandidateWasTimed) {
  TuneTable table;
  table.set("alone", "own", 0);
  table.set("fastest", "own", 2.5);
  EXPECT_FALSE(table.was_timed("alone"));
  EXPECT_TRUE(table.was_timed("fastest"));
  EXPECT_FALSE(table.was_timed("unknown"));
}

TEST(Tune, TablesAreKeptInFiles) {
  const auto path = std::filesystem::temp_directory_path() / cat("adze-tune-", ::getpid());
  TuneTable table;
  EXPECT_TRUE(table.find("a").empty());
  table.set("a", "own", 12.5);
  table.set("b c", "onednn", 3);
  EXPECT_TRUE(table.changed());
  table.save(path);
  TuneTable again;
  again.load(path);
  EXPECT_EQ(again.find("a"), "own");
  EXPECT_EQ(again.find("b c"), "onednn");
  EXPECT_FALSE(again.changed());
  write_file(path, read_text_file(path) + "junk\nx\ty\tz\n");
  TuneTable damaged;
  damaged.load(path);
  EXPECT_EQ(damaged.find("a"), "own");
  EXPECT_TRUE(damaged.find("x").empty());
  write_file(path, "something else\na\town\t1\n");
  TuneTable other;
  other.load(path);
  EXPECT_TRUE(other.find("a").empty());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace adze
