#include "adze/prune/zeros.h"

#include <gtest/gtest.h>

#include "adze/graph/facts.h"
#include "adze/graph/infer.h"

namespace adze::prune {
namespace {

constexpr std::int64_t rows = 8, columns = 6;

/// A fully connected layer with these weights behind codes, as quantization writes them, or in float.
Graph layer_with(const std::vector<std::int8_t>& codes, bool quantized) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{1, columns})));
  ValueId weight;
  if (quantized) {
    const ValueId coded = graph.add_constant("codes", Tensor::from<std::int8_t>({rows, columns}, codes));
    const ValueId scale = graph.add_constant("scale", Tensor::from<float>({}, {0.5F}));
    weight = graph.add(OpKind::DequantizeLinear, {coded, scale});
  } else {
    const std::vector<float> values(codes.begin(), codes.end());
    weight = graph.add_constant("weights", Tensor::from<float>({rows, columns}, values));
  }
  graph.set_outputs({graph.add(OpKind::Gemm, {x, weight}, {{"transB", std::int64_t{1}}})});
  infer_types(graph);
  return graph;
}

/// In every four neighbours along a row two are 0; what is left over is not.
std::vector<std::int8_t> two_of_four() {
  std::vector<std::int8_t> codes(rows * columns, 3);
  for (std::size_t row = 0; row < rows; ++row) codes[row * columns + row % 2] = codes[row * columns + 2] = 0;
  return codes;
}

/// Columns 1 and 4 are 0 in all eight rows.
std::vector<std::int8_t> blocks() {
  std::vector<std::int8_t> codes(rows * columns, 3);
  for (std::size_t row = 0; row < rows; ++row) codes[row * columns + 1] = codes[row * columns + 4] = 0;
  return codes;
}

TEST(Zeros, AreCountedInFloatAndBehindCodes) {
  for (const bool quantized : {false, true}) {
    const auto pairs = layer_zeros(layer_with(two_of_four(), quantized));
    ASSERT_EQ(pairs.size(), 1U);
    EXPECT_EQ(pairs[0].weights, rows * columns);
    EXPECT_EQ(pairs[0].zeros, 2 * rows);
    EXPECT_EQ(pairs[0].pattern, "2:4");
    EXPECT_EQ(layer_zeros(layer_with(blocks(), quantized)).at(0).pattern, "8x1");
  }
}

TEST(Zeros, ThatAreGoneAreNoticed) {
  Graph graph = layer_with(two_of_four(), true);
  EXPECT_FALSE(zero_facts(graph, layer_zeros(graph)).recorded);
  note_zeros(graph);
  ZeroFacts facts = zero_facts(graph, layer_zeros(graph));
  EXPECT_TRUE(facts.recorded);
  EXPECT_TRUE(facts.kept());

  std::vector<std::int8_t> more_zeros = two_of_four(), fewer_zeros = two_of_four();
  more_zeros[5] = 0;
  fewer_zeros[2] = 1;
  Graph more = layer_with(more_zeros, true), fewer = layer_with(fewer_zeros, true);
  more.metadata = fewer.metadata = graph.metadata;
  EXPECT_TRUE(zero_facts(more, layer_zeros(more)).kept());
  EXPECT_FALSE(zero_facts(fewer, layer_zeros(fewer)).kept());
}

}  // namespace
}  // namespace adze::prune
