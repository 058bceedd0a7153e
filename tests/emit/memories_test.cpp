// The arena over several memories: what holds nothing is not declared, and offsets count from where an array begins.
#include <gtest/gtest.h>

#include "adze/engine/reference/reference.h"
#include "tests/emit/compile.h"
#include "tests/emit/random_network.h"

namespace adze {
namespace {

TEST(Memories, ThatHoldNothingGetNoArray) {
  const Graph graph = testing::random_integer_network(3);
  Tensor input(DType::S8, *concrete(*graph.value(graph.inputs()[0]).type.shape));
  for (std::int64_t i = 0; i < input.size(); ++i) input.set_int(i, i * 7 % 256 - 128);
  emit::EmitOptions options;
  options.golden.push_back({{input}, reference::run_tensors(graph, {input})});
  options.memories = {{"tiny", 8}, {"large", 1 << 20}};
  const emit::Emission emission = emit::emit_c(graph, options);
  ASSERT_EQ(emission.arrays.size(), 1u);
  EXPECT_EQ(emission.arrays[0].memory, "large");
  EXPECT_GT(emission.arrays[0].begin, 0);
  const auto ran = testing::compile_and_run(emission, "net", "cc -std=c99 -O0 -Wall -Wextra -Wconversion -Werror");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
}

}  // namespace
}  // namespace adze
