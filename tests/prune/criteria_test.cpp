#include "adze/prune/criteria.h"

#include <gtest/gtest.h>

#include "adze/prune/posterior.h"
#include "adze/prune/remove.h"
#include "adze/prune/sensitivity.h"
#include "tests/prune/networks.h"

namespace adze::prune {
namespace {

using testing::Builder;

/// Conv 3 → 4, batch norm, Relu, Conv 4 → 2, with two inputs' worth of data.
Graph small_network() {
  Builder b(1);
  const auto first = b.unary(OpKind::Relu, b.batch_norm(b.conv(b.input(3, 4), 4)));
  return b.finish(b.conv(first, 2).value);
}

Batches random_batches(const Graph& graph, std::int64_t count) {
  const Shape shape = concrete(*graph.value(graph.inputs()[0]).type.shape).value();
  return {count, [shape](std::int64_t batch) {
            Random random(static_cast<std::uint64_t>(batch));
            Tensor tensor(DType::F32, shape);
            for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
            return std::vector<Tensor>{tensor};
          }};
}

/// L = ½ Σ h w² over all weights: h is 1 but for the first element of each weight, where it is `first`.
class Bowl final : public GradientSource {
 public:
  Bowl(const Graph& graph, std::span<const Layer> layers, double first) : first_(first) {
    for (const Layer& layer : layers) set_weight(graph.value(layer.weight).name, *graph.constant(layer.weight));
  }
  std::int64_t num_batches() const override { return 4; }
  std::map<std::string, Tensor> gradients(std::int64_t) override {
    std::map<std::string, Tensor> result = weights_;
    for (auto& [name, tensor] : result) tensor.mutable_data<float>()[0] *= static_cast<float>(first_);
    return result;
  }
  void set_weight(const std::string& name, const Tensor& value) override { weights_.insert_or_assign(name, value); }
  const Tensor& weight(const std::string& name) const { return weights_.at(name); }

 private:
  double first_;
  std::map<std::string, Tensor> weights_;
};

struct Everything {
  Graph graph = small_network();
  Groups groups = find_groups(graph);
  std::vector<Layer> layers = weight_layers(graph);
  Statistics statistics;

  Everything() {
    statistics.activity = measure_activity(graph, observed_axes(graph, groups, layers), random_batches(graph, 3));
    Random random(7);
    for (const Layer& layer : layers) {
      for (int i = 0; i < 2; ++i) {
        Tensor gradient(DType::F32, graph.constant(layer.weight)->shape());
        for (float& value : gradient.mutable_data<float>()) value = static_cast<float>(random.normal());
        statistics.gradients[layer.weight].push_back(gradient);
      }
      statistics.start.emplace(layer.weight, Tensor(DType::F32, graph.constant(layer.weight)->shape()));
    }
    Bowl bowl(graph, layers, 1);
    statistics.dropout_rates = dropout_rates(graph, layers, bowl);
    const auto gates = open_gates(graph, unit_gates(graph, groups, layers), bowl);
    statistics.unit_gates[key_of(groups.groups.at(0))] = gates;
    statistics.left_out = measure_left_out(graph, groups, random_batches(graph, 2));
  }
  std::vector<double> units(Criterion criterion) const {
    return unit_scores(criterion, graph, groups.groups.at(0), layers, statistics);
  }
};

TEST(UnitScores, OfEveryCriterionAreFiniteAndDiffer) {
  const Everything all;
  for (const CriterionInfo& info : criteria()) {
    SCOPED_TRACE(info.name);
    const auto scores = all.units(info.criterion);
    ASSERT_EQ(scores.size(), 4u);
    for (const double score : scores) EXPECT_TRUE(std::isfinite(score));
    EXPECT_NE(scores[0], scores[1]);
  }
}

TEST(UnitScores, OfAnEmptyChannelAreTheSmallest) {
  Everything all;
  const Layer& first = all.layers.at(0);
  auto weights = all.graph.value(first.weight).constant->mutable_data<float>();
  for (std::size_t i = 2 * 27; i < 3 * 27; ++i) weights[i] = 0;
  for (const Criterion criterion : {Criterion::L1, Criterion::L2, Criterion::Lamp, Criterion::Taylor, Criterion::Fisher,
                                    Criterion::Wanda, Criterion::SecondTaylor, Criterion::Movement}) {
    const auto scores = all.units(criterion);
    EXPECT_EQ(std::min_element(scores.begin(), scores.end()) - scores.begin(), 2) << criterion_info(criterion).name;
    EXPECT_EQ(scores[2], 0) << criterion_info(criterion).name;
  }
}

TEST(UnitScores, FpgmDropsTheUnitAmongItsLike) {
  Everything all;
  auto weights = all.graph.value(all.layers.at(0).weight).constant->mutable_data<float>();
  for (std::size_t i = 0; i < 27; ++i) {
    weights[i] = 1;
    weights[27 + i] = 2;
    weights[2 * 27 + i] = 3;
    weights[3 * 27 + i] = 10;
  }
  const auto scores = all.units(Criterion::GeometricMedian);
  const double unit = std::sqrt(27.0);
  EXPECT_NEAR(scores[0], (1 + 2 + 9) * unit, 1e-4);
  EXPECT_NEAR(scores[1], (1 + 1 + 8) * unit, 1e-4);
  EXPECT_NEAR(scores[3], (9 + 8 + 7) * unit, 1e-4);
}

TEST(UnitScores, BatchNormScaleIsItsMagnitude) {
  const Everything all;
  const auto scores = all.units(Criterion::BatchNormScale);
  const Graph& graph = all.graph;
  for (const NodeId id : graph.node_ids()) {
    if (graph.node(id).kind != OpKind::BatchNormalization) continue;
    const auto scale = graph.constant(graph.node(id).input(1))->data<float>();
    for (std::size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(static_cast<float>(scores[i]), std::abs(scale[i]));
  }
}

TEST(WeightScores, WandaMultipliesByTheNormOfTheInput) {
  const Everything all;
  const Layer& layer = all.layers.at(1);
  const auto scores = weight_scores(Criterion::Wanda, all.graph, layer, all.statistics);
  const auto& activity = all.statistics.activity.at({layer.input, 1});
  const auto matrix = weight_matrix(all.graph, layer);
  EXPECT_NEAR(scores[40],  // row 1, column 4: channel 0
              std::abs(matrix[40]) * std::sqrt(activity.sum_square[0]),
              1e-6);  // row 1, column 4: channel 0
}

TEST(WeightScores, LampOfTheLargestIsOneAndOrderIsThatOfMagnitude) {
  const Everything all;
  const Layer& layer = all.layers.at(0);
  const auto lamp = weight_scores(Criterion::Lamp, all.graph, layer, all.statistics);
  const auto magnitude = weight_scores(Criterion::L1, all.graph, layer, all.statistics);
  const auto largest = std::max_element(magnitude.begin(), magnitude.end()) - magnitude.begin();
  EXPECT_DOUBLE_EQ(lamp[static_cast<std::size_t>(largest)], 1.0);
  for (std::size_t i = 1; i < lamp.size(); ++i) {
    if (magnitude[i] < magnitude[i - 1]) {
      EXPECT_LE(lamp[i], lamp[i - 1]);
    }
  }
}

TEST(WeightScores, RefuseCriteriaOfUnits) {
  const Everything all;
  EXPECT_THROW(weight_scores(Criterion::BatchNormScale, all.graph, all.layers[0], all.statistics), UsageError);
  EXPECT_THROW(weight_scores(Criterion::Taylor, all.graph, all.layers[0], {}), UsageError);
}

TEST(DropoutRates, AreSmallerWhereTheLossIsSteeper) {
  const Everything all;
  Bowl flat(all.graph, all.layers, 1), steep(all.graph, all.layers, 100);
  const ValueId weight = all.layers[0].weight;
  const auto usual = dropout_rates(all.graph, all.layers, flat).at(weight);
  const auto less = dropout_rates(all.graph, all.layers, steep).at(weight);
  EXPECT_LT(less[0], usual[0] - 2);
  EXPECT_NEAR(less[1], usual[1], 1);
  EXPECT_TRUE(identical(flat.weight(all.graph.value(weight).name), *all.graph.constant(weight)));
}

TEST(OpenGates, StayOpenWhereTheLossNeedsThem) {
  // The bowl's lowest point is where all weights are 0: every gate wants to close, so the price is beside the point.
  // Turned round (negative steepness) the first element's gate wants to be open.
  const Everything all;
  Bowl bowl(all.graph, all.layers, -1000);
  PosteriorOptions options;
  options.passes = 30;
  const auto open = open_gates(all.graph, weight_gates(all.layers), bowl, options);
  EXPECT_GT(open[0], 0);
  EXPECT_LT(open[1], 0);
}

TEST(LeavingOut, SeesTheUnitThatNothingReads) {
  Everything all;
  const Layer& reader = all.layers.at(1);
  auto weights = weight_matrix(all.graph, reader);
  for (std::int64_t row = 0; row < reader.rows; ++row) {
    for (std::int64_t k = 0; k < 9; ++k) weights[static_cast<std::size_t>(row * reader.columns + 2 * 9 + k)] = 0;
  }
  set_weight_matrix(all.graph, reader, weights);
  const auto errors = measure_left_out(all.graph, all.groups, random_batches(all.graph, 2)).begin()->second;
  EXPECT_EQ(errors.at(2), 0);
  EXPECT_GT(errors.at(0), 0);
}

TEST(Normalize, StandardScoresHaveMeanZeroAndRanksGoFromZeroToOne) {
  std::vector<double> scores = {1, 2, 3, 10};
  normalize(scores, Normalization::Standard);
  EXPECT_NEAR(scores[0] + scores[1] + scores[2] + scores[3], 0, 1e-12);
  normalize(scores, Normalization::Rank);
  EXPECT_EQ(scores, (std::vector<double>{0, 1.0 / 3, 2.0 / 3, 1}));
}

TEST(ParseCriteria, ReadsWeightedSums) {
  const CriterionSum sum = parse_criteria("0.5*taylor+bn-scale");
  ASSERT_EQ(sum.terms.size(), 2u);
  EXPECT_EQ(sum.terms[0], std::pair(0.5, Criterion::Taylor));
  EXPECT_EQ(sum.terms[1], std::pair(1.0, Criterion::BatchNormScale));
  EXPECT_EQ(needs_of(sum), std::vector{Needs::Gradients});
  EXPECT_THROW(parse_criteria("l3"), UsageError);
  EXPECT_THROW(parse_criteria("-1*l1"), UsageError);
}

TEST(ParseCriteria, SumsAreOfNormalizedScores) {
  const Everything all;
  const auto scores = unit_scores(parse_criteria("l1+2*bn-scale"), Normalization::Mean, all.graph,
                                  all.groups.groups.at(0), all.layers, all.statistics);
  double sum = 0;
  for (const double score : scores) sum += score;
  EXPECT_NEAR(sum / 4, 3, 1e-9);
}

}  // namespace
}  // namespace adze::prune
