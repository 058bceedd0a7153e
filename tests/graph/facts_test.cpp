#include "adze/graph/facts.h"

#include <gtest/gtest.h>

#include "adze/base/error.h"

namespace adze {
namespace {

Graph with_weights(const std::vector<float>& weights) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{1, 4})));
  const ValueId w = graph.add_constant("w", Tensor::from<float>({4, 2}, weights));
  graph.set_outputs({graph.add(OpKind::MatMul, {x, w})});
  return graph;
}

TEST(WeightFacts, AreKeptInTheMetadata) {
  Graph graph = with_weights({1, 0, 1, 0, 1, 0, 1, 0});
  EXPECT_EQ(weight_facts(graph), WeightFacts{});
  set_weight_facts(graph, {true, true});
  EXPECT_EQ(graph.metadata.at("adze.keep"), "zeros shared_values");
  EXPECT_EQ(weight_facts(graph), (WeightFacts{true, true}));
  set_weight_facts(graph, {true, false, 4, 8});
  EXPECT_EQ(graph.metadata.at("adze.keep"), "zeros=4/8");
  EXPECT_EQ(weight_facts(graph), (WeightFacts{true, false, 4, 8}));
  for (const char* broken : {"zeros=", "zeros=4", "zeros=9/8", "zeros=-1/8", "zeros=4/99999999999999999999"}) {
    graph.metadata["adze.keep"] = broken;
    EXPECT_EQ(weight_facts(graph), (WeightFacts{true, false})) << broken;
  }
  set_weight_facts(graph, {});
  EXPECT_FALSE(graph.metadata.contains("adze.keep"));
}

TEST(WeightFacts, AreCheckedByName) {
  const Graph before = with_weights({1, 0, 1, 0, 1, 0, 1, 0});
  EXPECT_NO_THROW(check_weight_facts(before, with_weights({3, 0, 3, 0, 3, 0, 3, 0}), {true, true}));
  EXPECT_THROW(check_weight_facts(before, with_weights({1, 2, 1, 2, 1, 2, 1, 2}), {true, false}), InternalError);
  EXPECT_NO_THROW(check_weight_facts(before, with_weights({1, 2, 1, 2, 1, 2, 1, 2}), {false, true}));
  EXPECT_THROW(check_weight_facts(before, with_weights({1, 0, 3, 0, 1, 0, 1, 0}), {true, true}), InternalError);
  EXPECT_NO_THROW(check_weight_facts(before, with_weights({1, 0, 3, 0, 1, 0, 1, 0}), {true, false}));
}

TEST(WeightFacts, FewValuesForManyElementsAreShared) {
  EXPECT_TRUE(shares_values(Tensor::from<float>({4, 2}, {1, 2, 1, 2, 1, 2, 1, 2})));
  EXPECT_FALSE(shares_values(Tensor::from<float>({4, 2}, {1, 2, 3, 2, 1, 2, 1, 2})));
  EXPECT_FALSE(shares_values(Tensor::from<float>({4}, {1, 1, 1, 1})));  // a bias
  EXPECT_FALSE(shares_values(Tensor::from<std::int64_t>({4, 2}, {1, 1, 1, 1, 1, 1, 1, 1})));
}

}  // namespace
}  // namespace adze
