#include "adze/prune/masks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "adze/engine/session.h"
#include "adze/prune/criteria.h"
#include "adze/prune/gram.h"
#include "adze/prune/obs.h"
#include "adze/prune/prune.h"
#include "adze/prune/reconstruct.h"
#include "adze/prune/sensitivity.h"
#include "tests/prune/networks.h"

namespace adze::prune {
namespace {

using testing::Builder;

Layer matrix_layer(std::int64_t rows, std::int64_t columns) {
  Layer layer;
  layer.rows = rows;
  layer.columns = columns;
  return layer;
}

TEST(ChooseMask, DropsTheSmallest) {
  const Mask mask = choose_mask(std::vector<double>{4, 1, 3, 2}, matrix_layer(2, 2), {}, 0.5);
  EXPECT_EQ(mask, (Mask{1, 0, 1, 0}));
}

TEST(ChooseMask, KeepsTwoOfEveryFourInARow) {
  const Mask mask =
      choose_mask(std::vector<double>{1, 2, 3, 4, 9, 8, 7, 5, 6, 1, 2, 3}, matrix_layer(2, 6), parse_pattern("2:4"), 0);
  EXPECT_EQ(mask, (Mask{0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 1}));
}

TEST(ChooseMask, DropsWholeRows) {
  const Pattern rows = parse_pattern("rows");
  const Mask mask = choose_mask(std::vector<double>{1, 9, 4, 4, 0, 6, 2, 2}, matrix_layer(4, 2), rows, 0.5);
  EXPECT_EQ(mask, (Mask{1, 1, 1, 1, 0, 0, 0, 0}));
  EXPECT_EQ(pattern_text(rows), "rows");
}

TEST(ChooseMask, DropsWholeBlocksAlsoAtTheEdge) {
  const Mask mask =
      choose_mask(std::vector<double>{1, 1, 9, 1, 1, 9, 5, 5, 0}, matrix_layer(3, 3), parse_pattern("block=2x2"), 0.55);
  EXPECT_EQ(mask, (Mask{0, 0, 1, 0, 0, 1, 1, 1, 0}));
}

TEST(ChooseMasks, RankAllLayersTogetherAndSpareEachShare) {
  const std::vector<Layer> layers = {matrix_layer(1, 4), matrix_layer(1, 4)};
  const auto masks = choose_masks({{1, 2, 3, 4}, {10, 11, 12, 13}}, layers, {}, 0.5, 0.75);
  EXPECT_EQ(masks[0], (Mask{0, 0, 0, 1}));
  EXPECT_EQ(masks[1], (Mask{0, 1, 1, 1}));
}

TEST(ParsePattern, ReadsWhatItPrints) {
  for (const std::string text : {"weights", "2:4", "block=8x1"}) EXPECT_EQ(pattern_text(parse_pattern(text)), text);
  for (const std::string text : {"4:2", "block=8", "block=0x1", "columns", "1:x"}) {
    EXPECT_THROW(parse_pattern(text), UsageError) << text;
  }
}

/// Two products whose inner channels are correlated: 12 inner channels from 5 inputs.
struct Products {
  Graph graph;
  Batches batches;
};

Products products() {
  Builder b(3);
  const ValueId x = b.graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{64, 5}));
  const ValueId inner = b.add(OpKind::Relu, {b.gemm(x, 5, 12)});
  Graph graph = b.finish(b.gemm(inner, 12, 4));
  return {graph, {4, [](std::int64_t batch) {
                    Random random(static_cast<std::uint64_t>(batch) + 1);
                    Tensor tensor(DType::F32, {64, 5});
                    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
                    return std::vector<Tensor>{tensor};
                  }}};
}

double squared_error(const Graph& a, const Graph& b, const Batches& batches) {
  Session first(a), second(b);
  double sum = 0;
  for (std::int64_t i = 0; i < batches.count; ++i) {
    const auto x = to_floats(first.run(batches.batch(i))[0]), y = to_floats(second.run(batches.batch(i))[0]);
    for (std::size_t k = 0; k < x.size(); ++k) sum += (x[k] - y[k]) * (x[k] - y[k]);
  }
  return sum;
}

TEST(ReconstructConsumers, MakesUpForMostOfWhatGoes) {
  const auto [graph, batches] = products();
  const Groups groups = find_groups(graph);
  const std::vector<Layer> layers = weight_layers(graph);
  const auto grams = measure_grams(graph, layers, batches, {.samples = 100});
  const std::vector<Selection> selections = {{0, {1, 4, 6, 9}}};
  Graph changed = graph;
  EXPECT_EQ(reconstruct_consumers(changed, groups, selections, layers, grams), 1);
  const double plain = squared_error(graph, remove_units(graph, groups, selections), batches);
  const double repaired = squared_error(graph, remove_units(changed, groups, selections), batches);
  EXPECT_LT(repaired, 0.5 * plain);
}

TEST(PruneByObs, LosesLessThanMagnitudeAtEqualSparsity) {
  const auto [graph, batches] = products();
  const std::vector<Layer> layers = weight_layers(graph);
  const auto grams = measure_grams(graph, layers, batches, {.samples = 100});
  for (const std::string pattern : {"weights", "2:4"}) {
    Graph by_obs = graph, by_magnitude = graph;
    const Layer& layer = layers.at(1);
    const Mask mask = prune_by_obs(by_obs, layer, grams.at(layer.weight), parse_pattern(pattern), 0.5);
    const auto scores = weight_scores(Criterion::L1, graph, layer, {});
    apply_mask(by_magnitude, layer, choose_mask(scores, layer, parse_pattern(pattern), 0.5));
    EXPECT_EQ(std::count(mask.begin(), mask.end(), 0), 24);
    EXPECT_EQ(zero_share(by_obs, layer), 0.5);
    EXPECT_LT(squared_error(graph, by_obs, batches), 0.9 * squared_error(graph, by_magnitude, batches));
  }
}

TEST(MeasureGrams, OfAConvolutionAreThoseOfItsPatches) {
  Builder b(1);
  const Graph graph = b.finish(b.conv(b.input(2, 3), 4).value);
  const std::vector<Layer> layers = weight_layers(graph);
  const Batches batches{1, [](std::int64_t) {
                          Tensor ones(DType::F32, {2, 2, 3, 3});
                          for (float& value : ones.mutable_data<float>()) value = 1;
                          return std::vector<Tensor>{ones};
                        }};
  const auto grams = measure_grams(graph, layers, batches, {.samples = 300});
  const Gram& gram = grams.at(layers[0].weight);
  EXPECT_EQ(gram.columns, 18);
  EXPECT_EQ(gram.sums[4 * 18 + 4], static_cast<double>(gram.count));           // the middle is always inside
  EXPECT_NEAR(gram.sums[0] / static_cast<double>(gram.count), 4.0 / 9, 0.03);  // the corner in 4 of 9 places
  EXPECT_NEAR(gram.sums[8] / static_cast<double>(gram.count), 1.0 / 9, 0.03);  // both corners: in the middle
  EXPECT_EQ(gram.sums[13], gram.sums[13 * 18]);
}

TEST(EstimateBatchNorms, TakesMeanAndVarianceOfWhatComesIn) {
  Builder b(1);
  Graph graph = b.finish(b.batch_norm(b.input(3, 2)).value);
  const Batches batches{2, [](std::int64_t batch) {
                          Tensor tensor(DType::F32, {2, 3, 2, 2});
                          for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(3 + 2 * batch);
                          return std::vector<Tensor>{tensor};
                        }};
  EXPECT_EQ(estimate_batch_norms(graph, batches), 1);
  const Node& node = graph.node(graph.node_ids()[0]);
  EXPECT_EQ(to_floats(*graph.constant(node.input(3))), (std::vector<float>{4, 4, 4}));
  EXPECT_EQ(to_floats(*graph.constant(node.input(4))), (std::vector<float>{1, 1, 1}));
}

/// Three layers of which the second adds next to nothing beside a residual.
Graph network_with_a_weak_layer() {
  Builder b(11);
  auto x = b.conv(b.input(3, 4), 8);
  auto weak = b.conv(x, 8);
  for (float& w : b.graph.value(b.graph.producer_of(weak.value)->input(1)).constant->mutable_data<float>()) w *= 1e-3F;
  x = {b.add(OpKind::Add, {x.value, weak.value}), 8};
  return b.finish(b.conv(x, 8).value);
}

Batches one_batch() {
  return {1, [](std::int64_t) {
            Random random(3);
            Tensor tensor(DType::F32, {2, 3, 4, 4});
            for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
            return std::vector<Tensor>{tensor};
          }};
}

TEST(WeightSensitivity, TakesMoreFromLayersThatMatterLess) {
  const Graph graph = network_with_a_weak_layer();
  PruneOptions options;
  options.channels = false;
  options.spread = Spread::Sensitivity;
  options.ratio = 0.5;
  PruneInputs inputs;
  EXPECT_THROW(prune(graph, options, inputs), UsageError);  // nothing to measure it on
  inputs.batches = one_batch();
  const PruneOutcome outcome = prune(graph, options, inputs);
  std::int64_t zeros = 0, weights = 0;
  for (const LayerOutcome& layer : outcome.layers) {
    zeros += layer.zeros;
    weights += layer.weights;
  }
  EXPECT_NEAR(static_cast<double>(zeros) / static_cast<double>(weights), 0.5, 0.01);
  ASSERT_EQ(outcome.layers.size(), 3u);
  EXPECT_NEAR(static_cast<double>(outcome.layers[1].zeros), 0.9 * static_cast<double>(outcome.layers[1].weights), 1.0);
  EXPECT_LT(outcome.layers[0].zeros * 2, outcome.layers[0].weights);
  options.pattern = parse_pattern("2:4");
  EXPECT_THROW(prune(graph, options, inputs), UsageError);
}

TEST(WeightSensitivity, TakesTheShareThatIsAskedForWhateverTheErrorsAre) {
  std::vector<Layer> layers(2);
  layers[0].rows = layers[1].rows = 10;
  layers[0].columns = 10;
  layers[1].columns = 90;
  const std::vector<double> ratios = {0.3, 0.6, 0.9};
  const std::vector<GroupSensitivity> measured = {{0, {1e-9, 1e-9, 1e-9}}, {1, {0.5, 50, 5000}}};
  for (const double wanted : {0.0, 0.2, 0.5, 0.8}) {
    const auto shares = weight_ratios_by_error(measured, layers, ratios, wanted, 0.9);
    EXPECT_NEAR(0.1 * shares[0] + 0.9 * shares[1], wanted, 1e-3) << wanted;
  }
  EXPECT_NEAR(weight_ratios_by_error(measured, layers, ratios, 0.99, 0.9)[1], 0.9, 1e-9);
}

}  // namespace
}  // namespace adze::prune
