#include "adze/plan/memory_map.h"

#include <gtest/gtest.h>

#include "adze/graph/infer.h"
#include "adze/graph/text.h"

namespace adze {
namespace {

/// x (8 bytes) → a (8) and b (16), joined to y (24); a view of y is the result.
Graph branches() {
  Graph graph = parse_graph(R"(graph "test" {
    input %x: s8[8]
    constant %twice: s64[1] = [2]
    constant %shape: s64[2] = [4, 6]
    %a = Neg(%x)
    %b = Tile(%x, %twice)
    %y = Concat(%a, %b) "join" { axis = 0 }
    %z = Reshape(%y, %shape)
    output %z
  })");
  infer_types(graph);
  return graph;
}

TEST(MemoryMap, NamesTheStepThatSetsThePeakAndWhoIsAlive) {
  const Graph graph = branches();
  const MemoryMap map = memory_map(graph, make_plan(graph));
  ASSERT_EQ(map.steps.size(), 3u);  // the Reshape runs nothing
  EXPECT_EQ(map.steps[map.peak_step].name, "join");
  EXPECT_EQ(map.steps[map.peak_step].bytes, 48);
  EXPECT_EQ(map.steps[map.peak_step].blocks.size(), 3u);
  EXPECT_EQ(map.lower_bound_bytes, 48);
}

TEST(MemoryMap, CountsBytesThatBlocksShareOnce) {
  const Graph graph = branches();
  PlanOptions options;
  const NodeId join = graph.value(graph.find_value("y")).producer;
  NodeMemory over_b;
  over_b.overlaps = {{1, 8, true}};  // y starts 8 bytes before b, where b belongs
  over_b.scratch_bytes = 4;
  options.memory[join] = over_b;
  const MemoryMap map = memory_map(graph, make_plan(graph, options), options.memory);
  const MemoryStep& step = map.steps.back();
  EXPECT_EQ(step.scratch_bytes, 4);
  EXPECT_EQ(step.bytes, 24 + 8 + 4);
  EXPECT_LE(step.bytes, map.arena_bytes);
}

TEST(MemoryMap, KeepsOutputsToTheEnd) {
  const Graph graph = branches();
  const MemoryMap map = memory_map(graph, make_plan(graph));
  bool found = false;
  for (const MemoryBlock& block : map.blocks) {
    if (block.name != "y") continue;
    found = true;
    EXPECT_EQ(block.first, 2);
    EXPECT_EQ(block.last, 3);
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace adze
