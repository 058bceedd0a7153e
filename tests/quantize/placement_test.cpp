#include "adze/quantize/placement.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "adze/graph/infer.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::Builder;

NodeId node_named(const Graph& graph, std::string_view name) {
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).name == name) return id;
  }
  ADD_FAILURE() << "no node " << name;
  return NodeId::None;
}

struct Placed {
  Graph graph;
  Placement placement;

  explicit Placed(Graph source, const PtqOptions& options = {}) : graph(std::move(source)) {
    infer_types(graph);
    placement = place_quantizers(graph, options);
  }
  bool is_integer(std::string_view node) const { return placement.is_integer(node_named(graph, node)); }
  /// The quantizer after a node's first output, or null.
  const Quantizer* after(std::string_view node) const { return of(graph.node(node_named(graph, node)).output()); }
  const Quantizer* of(ValueId value) const {
    for (const Quantizer& quantizer : placement.quantizers) {
      if (quantizer.value == value) return &quantizer;
    }
    return nullptr;
  }
};

TEST(PlaceQuantizers, LeavesNoQuantizerBetweenLayerAndActivation) {
  const Placed placed(testing::residual_network());
  EXPECT_EQ(placed.after("stem"), nullptr);
  EXPECT_NE(placed.after("stem_relu"), nullptr);
  EXPECT_EQ(placed.after("sum"), nullptr);
  EXPECT_NE(placed.after("sum_relu"), nullptr);
  EXPECT_NE(placed.after("block_b"), nullptr);
  EXPECT_NE(placed.of(placed.graph.inputs()[0]), nullptr);
  EXPECT_FALSE(placed.of(placed.graph.inputs()[0])->for_all_readers);
}

TEST(PlaceQuantizers, QuantizesAllButTheLastSoftmax) {
  const Placed placed(testing::residual_network());
  for (const char* name : {"stem", "block_a", "block_b", "sum", "pool", "flatten", "head"}) {
    EXPECT_TRUE(placed.is_integer(name)) << name;
  }
  EXPECT_FALSE(placed.is_integer("softmax"));
  PtqOptions options;
  options.final_activation = FinalActivation::Integer;
  const Placed all(testing::residual_network(), options);
  EXPECT_TRUE(all.is_integer("softmax"));
  ASSERT_NE(all.after("softmax"), nullptr);
  const auto& range = all.placement.groups[all.after("softmax")->group].known_range;
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->second, 255.0 / 256);
}

TEST(PlaceQuantizers, GivesMovedValuesOneScale) {
  const Placed placed(testing::residual_network());
  ASSERT_NE(placed.after("pool"), nullptr);
  ASSERT_NE(placed.after("flatten"), nullptr);
  EXPECT_EQ(placed.after("pool")->group, placed.after("flatten")->group);
  EXPECT_EQ(placed.placement.groups[placed.after("pool")->group].sources.size(), 1U);
  EXPECT_NE(placed.after("sum_relu")->group, placed.after("pool")->group);
}

TEST(PlaceQuantizers, GivesConcatOneScaleOverAllItsInputs) {
  Builder b;
  const ValueId x = b.input({1, 4, 8, 8});
  const ValueId left = b.add(OpKind::Relu, {b.conv(x, 4, 4, "left")}, "left_relu");
  const ValueId right = b.conv(x, 4, 4, "right");
  const ValueId both = b.add(OpKind::Concat, {left, right}, "concat", {{"axis", std::int64_t{1}}});
  b.graph.add_output(b.conv(both, 8, 4, "after"));
  const Placed placed(b.graph);
  const std::size_t group = placed.after("concat")->group;
  EXPECT_EQ(placed.after("left_relu")->group, group);
  EXPECT_EQ(placed.after("right")->group, group);
  EXPECT_EQ(placed.placement.groups[group].sources.size(), 2U);
}

TEST(PlaceQuantizers, KeepsAKnownRangeOutOfAMixedConcat) {
  Builder b;
  const ValueId x = b.input({1, 4, 8, 8});
  const ValueId left = b.add(OpKind::Sigmoid, {b.conv(x, 4, 4, "left")}, "gate");
  const ValueId both = b.add(OpKind::Concat, {left, b.conv(x, 4, 4, "right")}, "concat", {{"axis", std::int64_t{1}}});
  b.graph.add_output(b.conv(both, 8, 4, "after"));
  const Placed placed(b.graph);
  EXPECT_TRUE(placed.is_integer("gate"));
  EXPECT_FALSE(placed.placement.groups[placed.after("gate")->group].known_range.has_value());
}

TEST(PlaceQuantizers, KeepsAttentionScoresFloat) {
  Builder b;
  const ValueId x = b.input({1, 6, 16});
  const ValueId wq = b.constant("wq", b.normal({16, 16}, 0.3));
  const ValueId wk = b.constant("wk", b.normal({16, 16}, 0.3));
  const ValueId q = b.add(OpKind::MatMul, {x, wq}, "q");
  const ValueId k = b.add(OpKind::Transpose, {b.add(OpKind::MatMul, {x, wk}, "k")}, "k_t",
                          {{"perm", std::vector<std::int64_t>{0, 2, 1}}});
  const ValueId scores = b.add(OpKind::MatMul, {q, k}, "scores");
  const ValueId mask = b.constant("mask", Tensor::from<float>({1, 1, 6}, {0, 0, 0, 0, -1e4F, -1e4F}));
  const ValueId masked = b.add(OpKind::Add, {scores, mask}, "masked");
  const ValueId weights = b.add(OpKind::Softmax, {masked}, "weights");
  b.graph.add_output(b.add(OpKind::MatMul, {weights, x}, "mixed"));
  const Placed placed(b.graph);
  EXPECT_TRUE(placed.is_integer("scores"));
  EXPECT_FALSE(placed.is_integer("masked"));
  EXPECT_FALSE(placed.is_integer("weights"));
  ASSERT_NE(placed.after("weights"), nullptr);
  EXPECT_TRUE(placed.placement.groups[placed.after("weights")->group].known_range.has_value());
  EXPECT_EQ(placed.after("masked"), nullptr);
  EXPECT_TRUE(placed.placement.constants.empty());
}

TEST(PlaceQuantizers, LeavesElementwiseAloneBesideFloatNodes) {
  Builder b;
  const ValueId x = b.input({1, 6, 16});
  const ValueId gain = b.constant("gain", b.normal({16}, 1));
  const ValueId normed = b.add(OpKind::LayerNormalization, {x, gain}, "norm");
  const ValueId y = b.add(OpKind::MatMul, {normed, b.constant("w", b.normal({16, 16}, 0.3))}, "layer");
  const ValueId sum = b.add(OpKind::Add, {y, x}, "residual");
  b.graph.add_output(b.add(OpKind::LayerNormalization, {sum, gain}, "norm_2"));
  const Placed placed(b.graph);
  EXPECT_TRUE(placed.is_integer("layer"));
  EXPECT_FALSE(placed.is_integer("residual"));
  ASSERT_NE(placed.after("norm"), nullptr);
  EXPECT_FALSE(placed.after("norm")->for_all_readers);
}

TEST(PlaceQuantizers, SkipsByNameWildcardAndOperator) {
  PtqOptions options;
  options.skip = {"block_*"};
  const Placed by_name(testing::residual_network(), options);
  EXPECT_FALSE(by_name.is_integer("block_a"));
  EXPECT_FALSE(by_name.is_integer("block_b"));
  EXPECT_TRUE(by_name.is_integer("stem"));
  options.skip = {"Gemm"};
  const Placed by_operator(testing::residual_network(), options);
  EXPECT_FALSE(by_operator.is_integer("head"));
  EXPECT_FALSE(by_operator.is_integer("flatten"));
  EXPECT_TRUE(by_operator.is_integer("block_b"));
}

TEST(PlaceQuantizers, LeavesFirstAndLastLayerFloatWhenAsked) {
  PtqOptions options;
  options.first_layer_float = true;
  options.last_layer_float = true;
  const Placed placed(testing::residual_network(), options);
  EXPECT_FALSE(placed.is_integer("stem"));
  EXPECT_FALSE(placed.is_integer("head"));
  EXPECT_TRUE(placed.is_integer("block_a"));
  EXPECT_TRUE(placed.is_integer("block_b"));
}

TEST(PlaceQuantizers, FindsTheChannelAxisOfEachLayer) {
  Builder b;
  const ValueId x = b.input({1, 4, 8, 8});
  const ValueId up = b.add(OpKind::ConvTranspose, {x, b.constant("wt", b.normal({4, 6, 2, 2}, 0.3))}, "up");
  const ValueId conv = b.conv(up, 6, 8, "conv");
  const ValueId flat = b.add(OpKind::Flatten, {b.add(OpKind::GlobalAveragePool, {conv}, "pool")}, "flatten");
  const ValueId hidden = b.gemm(flat, 8, 16, "gemm");
  b.graph.add_output(b.add(OpKind::MatMul, {hidden, b.constant("wm", b.normal({16, 3}, 0.3))}, "matmul"));
  const Placed placed(b.graph);
  ASSERT_EQ(placed.placement.weights.size(), 4U);
  const std::vector<std::optional<std::int64_t>> axes{1, 0, 0, 1};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(placed.placement.weights[i].axis, axes[i]) << i;
}

}  // namespace
}  // namespace adze::quantize
