#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"

namespace adze {
namespace {

/// MaxPool → the operator → MaxPool of bytes: pools run with channels last, and what is between should too.
Graph between_pools(const std::string& constants, const std::string& op) {
  Graph graph = parse_graph("graph \"g\" {\n  input %x: u8[2, 5, 9, 8]\n" + constants +
                            "  %p = MaxPool(%x) \"p\" { kernel_shape = [2, 2] }\n  %m = " + op +
                            "\n  %y = MaxPool(%m) \"q\" { kernel_shape = [2, 2] }\n  output %y\n}");
  infer_types(graph);
  return graph;
}

void expect_no_transposes_between(const Graph& graph) {
  Tensor x(DType::U8, {2, 5, 9, 8});
  Random random(5);
  for (std::int64_t i = 0; i < x.size(); ++i) x.set_int(i, static_cast<std::int64_t>(random.below(256)));
  const Tensor expected = reference::run_tensors(graph, {x}).at(0);
  Session session(graph);
  const Tensor found = session.run(std::vector<Tensor>{x}).at(0);
  ASSERT_EQ(found.shape(), expected.shape());
  for (std::int64_t i = 0; i < found.size(); ++i) ASSERT_EQ(found.get_int(i), expected.get_int(i)) << i;
  int transposes = 0;
  for (const StepInfo& step : session.steps()) transposes += step.op == "Transpose" ? 1 : 0;
  EXPECT_EQ(transposes, 2) << "one in, one out";
}

TEST(ChannelsLastMovement, PadSliceAndResizeStayInTheLayout) {
  expect_no_transposes_between(
      between_pools("  constant %s: f32[4] = [1, 1, 2, 1.5]\n",
                    "Resize(%p, _, %s) \"m\" { coordinate_transformation_mode = \"asymmetric\" }"));
  expect_no_transposes_between(between_pools("  constant %s: s64[4] = [2, 5, 4, 13]\n", "Resize(%p, _, _, %s) \"m\""));
  expect_no_transposes_between(
      between_pools("  constant %s: s64[8] = [0, 1, 2, 0, 0, 3, 0, 1]\n", "Pad(%p, %s) \"m\""));
  expect_no_transposes_between(between_pools(
      "  constant %s: s64[4] = [1, 2, 0, 1]\n  constant %f: u8[] = [7]\n  constant %a: s64[2] = [1, -1]\n",
      "Pad(%p, %s, %f, %a) \"m\""));
  expect_no_transposes_between(between_pools("  constant %s: s64[3] = [0, 1, 2]\n  constant %e: s64[3] = [2, 4, 7]\n",
                                             "Slice(%p, %s, %e) \"m\""));
  expect_no_transposes_between(
      between_pools("  constant %s: s64[2] = [1, 0]\n  constant %e: s64[2] = [5, 7]\n  constant %a: s64[2] = [1, 3]\n",
                    "Slice(%p, %s, %e, %a) \"m\""));
}

}  // namespace
}  // namespace adze
