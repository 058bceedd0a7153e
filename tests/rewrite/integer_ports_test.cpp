#include "adze/rewrite/integer_ports.h"

#include <gtest/gtest.h>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"
#include "adze/graph/verify.h"

namespace adze {
namespace {

constexpr const char* network = R"(graph "small" {
  input %x: f32[1, 4]
  constant %s: f32[] = [0.5]
  constant %z: s8[] = [3]
  constant %t: f32[] = [0.25]
  %q = QuantizeLinear(%x, %s, %z) "in"
  %d = DequantizeLinear(%q, %s, %z) "in_real"
  %r = Relu(%d) "relu"
  %p = QuantizeLinear(%r, %t, %z) "out"
  %y = DequantizeLinear(%p, %t, %z) "out_real"
  output %y
}
)";

TEST(UseIntegerPorts, LeavesTheBytesBetween) {
  Graph before = parse_graph(network);
  infer_types(before);
  Graph after = before;
  EXPECT_EQ(rewrite::use_integer_ports(after), 2);
  verify(after);
  EXPECT_EQ(after.value(after.inputs()[0]).name, "x");
  EXPECT_EQ(after.value(after.outputs()[0]).name, "y");
  EXPECT_EQ(after.value(after.inputs()[0]).type.dtype, DType::S8);
  EXPECT_EQ(after.node_ids().size(), 3u);
  const Tensor real = Tensor::from<float>({1, 4}, {-1.0f, 0.0f, 2.0f, 30.0f});
  Tensor codes(DType::S8, {1, 4});
  for (std::int64_t i = 0; i < 4; ++i) codes.set_int(i, static_cast<std::int64_t>(2.0 * real.get_double(i)) + 3);
  const Tensor expected = reference::run_tensors(before, {real})[0];
  const Tensor got = reference::run_tensors(after, {codes})[0];
  for (std::int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(0.25 * static_cast<double>(got.get_int(i) - 3), expected.get_double(i));
  }
  EXPECT_EQ(rewrite::use_integer_ports(after), 0);
}

TEST(UseIntegerPorts, KeepsAnInputThatIsReadAsItIs) {
  Graph graph = parse_graph(R"(graph "both" {
  input %x: f32[4]
  constant %s: f32[] = [0.5]
  constant %z: s8[] = [3]
  %q = QuantizeLinear(%x, %s, %z) "in"
  %d = DequantizeLinear(%q, %s, %z) "in_real"
  %y = Add(%d, %x) "sum"
  output %y
}
)");
  infer_types(graph);
  EXPECT_EQ(rewrite::use_integer_ports(graph), 0);
  EXPECT_EQ(graph.value(graph.inputs()[0]).type.dtype, DType::F32);
}

}  // namespace
}  // namespace adze
