#include "adze/engine/fuse_tables.h"

#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"

namespace adze {
namespace {

int count(const Graph& graph, OpKind kind) {
  int found = 0;
  for (const NodeId id : graph.node_ids()) found += graph.node(id).kind == kind ? 1 : 0;
  return found;
}

/// x · f(x), then g of it, with random tables; also_read makes f(x) an output.
Graph gated(const std::string& dtype, const std::string& rounding, bool also_read, std::uint64_t seed) {
  Random random(seed);
  const int lowest = dtype == "s8" ? -128 : 0;
  const auto table = [&] {
    std::string text = "[";
    for (int i = 0; i < 256; ++i)
      text += (i > 0 ? ", " : "") + std::to_string(lowest + static_cast<int>(random.below(256)));
    return text + "]";
  };
  const int y_dtype = dtype == "s8" ? 3 : 2;
  return parse_graph(
      "graph \"g\" {\n  input %x: " + dtype + "[1, 3, 5, 7]\n  constant %f: " + dtype + "[256] = " + table() +
      "\n  constant %g: " + dtype + "[256] = " + table() +
      "\n  %s = adze.QTable(%x, %f) \"f\"\n  %m = adze.QMul(%x, %s) \"m\" { a_scale = 0.02, a_zero_point = 3, "
      "b_scale = 0.004, b_zero_point = " +
      std::to_string(lowest) + ", rounding = \"" + rounding + "\", y_dtype = " + std::to_string(y_dtype) +
      ", y_max = " + std::to_string(lowest + 255) + ", y_min = " + std::to_string(lowest) +
      ", y_scale = 0.01, y_zero_point = 7 }\n  %y = adze.QTable(%m, %g) \"g\"\n  output %y\n" +
      (also_read ? "  output %s\n" : "") + "}");
}

TEST(FuseTables, GivesTheBytesOfTheSeparateOperators) {
  std::uint64_t seed = 1;
  for (const char* dtype : {"u8", "s8"}) {
    for (const char* rounding : {"tflm", "litert", "onnx"}) {
      for (const bool also_read : {false, true}) {
        Graph graph = gated(dtype, rounding, also_read, ++seed);
        infer_types(graph);
        const Graph fused = engine::fuse_tables(graph);
        EXPECT_EQ(count(fused, OpKind::QMul), 0);
        EXPECT_EQ(count(fused, OpKind::QTable), also_read ? 2 : 1);
        Tensor x(graph.value(graph.inputs()[0]).type.dtype, {1, 3, 5, 7});
        Random random(seed);
        for (std::int64_t i = 0; i < x.size(); ++i) {
          x.set_int(i, integer_min(x.dtype()) + static_cast<std::int64_t>(random.below(256)));
        }
        const auto expected = reference::run(graph, {x}), got = reference::run(fused, {x});
        for (std::size_t i = 0; i < expected.size(); ++i) {
          for (std::int64_t j = 0; j < x.size(); ++j) {
            ASSERT_EQ(got[i].tensor().get_int(j), expected[i].tensor().get_int(j)) << dtype << " " << rounding;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace adze
