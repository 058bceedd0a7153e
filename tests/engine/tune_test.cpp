#include "adze/engine/tune.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "adze/base/files.h"
#include "adze/base/text.h"
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
