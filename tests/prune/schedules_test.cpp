#include "adze/prune/schedules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "adze/prune/lottery.h"
#include "tests/prune/networks.h"

namespace adze::prune {
namespace {

using testing::Builder;

Graph small_network() {
  Builder b(1);
  const auto first = b.unary(OpKind::Relu, b.batch_norm(b.conv(b.input(3, 4), 8)));
  return b.finish(b.conv(first, 4).value);
}

/// Parameters in a map; a step changes nothing but what masks ask for.
class StillLearner final : public train::Learner {
 public:
  explicit StillLearner(Graph network) : graph_(std::move(network)) {
    for (std::int32_t i = 0; i < graph_.num_values(); ++i) {
      const Value& value = std::as_const(graph_).value(static_cast<ValueId>(i));
      if (value.constant && value.constant->dtype() == DType::F32) parameters_[value.name] = *value.constant;
    }
  }
  train::StepResult step(const train::LearnBatch&, double, std::uint64_t) override { return {}; }
  std::vector<Tensor> predict(std::span<const Tensor>) override { return {}; }
  train::StepResult measure(const train::LearnBatch&) override { return {}; }
  std::map<std::string, Tensor> gradients(const train::LearnBatch&, double*) override { return slopes; }
  std::vector<std::string> parameters() const override { return {}; }
  Tensor parameter(const std::string& name) const override { return parameters_.at(name); }
  void set_parameter(const std::string& name, const Tensor& value) override { parameters_.at(name) = value; }
  void set_mask(const std::string& name, const Tensor& mask) override {
    masks[name] = mask;
    auto data = parameters_.at(name).mutable_data<float>();
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (mask.get_int(static_cast<std::int64_t>(i)) == 0) data[i] = 0;
    }
  }
  Graph graph() const override {
    Graph result = graph_;
    for (const auto& [name, tensor] : parameters_) result.value(result.find_value(name)).constant = tensor;
    return result;
  }
  train::State state() const override { return {}; }
  void restore(const train::State&) override {}

  std::map<std::string, Tensor> masks, slopes;

 private:
  Graph graph_;
  std::map<std::string, Tensor> parameters_;
};

double zeros_of(const Graph& graph) {
  double zeros = 0, all = 0;
  for (const Layer& layer : weight_layers(graph)) {
    const auto size = static_cast<double>(layer.rows * layer.columns);
    zeros += size * zero_share(graph, layer);
    all += size;
  }
  return zeros / all;
}

TEST(GradualHook, FollowsTheCubicCurveToItsEnd) {
  const Graph graph = small_network();
  StillLearner learner(graph);
  MaskSchedule schedule;
  schedule.ratio = 0.8;
  schedule.interval = 10;
  const auto hook = gradual_hook(graph, schedule);
  double last = 0;
  for (std::int64_t step = 0; step < 100; ++step) {
    hook(learner, step, 100);
    const double zeros = zeros_of(learner.graph());
    EXPECT_GE(zeros, last);
    if (step == 30) {
      EXPECT_NEAR(zeros, 0.8 * (1 - std::pow(1 - 0.4, 3)), 0.01);
    }
    last = zeros;
  }
  EXPECT_NEAR(last, 0.8, 0.005);
}

TEST(GradualHook, GoesByTheScoresOfTheNetworkAsItIs) {
  const Graph graph = small_network();
  StillLearner learner(graph);
  MaskSchedule schedule;
  schedule.ratio = 0.5;
  schedule.interval = 10;
  std::int64_t asked = 0;
  schedule.scores = [&](const Graph& now, const std::vector<Layer>& layers) {
    ++asked;
    std::vector<std::vector<double>> scores;
    for (const Layer& layer : layers) {
      scores.push_back({});
      for (const float weight : weight_matrix(now, layer))
        scores.back().push_back(weight == 0 ? -1e9 : -std::abs(weight));
    }
    return scores;
  };
  const auto hook = gradual_hook(graph, schedule);
  for (std::int64_t step = 0; step < 100; ++step) hook(learner, step, 100);
  EXPECT_GE(asked, 7);
  EXPECT_NEAR(zeros_of(learner.graph()), 0.5, 0.01);
  // The largest went: all that is left is smaller than all that was taken.
  float largest_kept = 0, smallest_gone = HUGE_VALF;
  for (const Layer& layer : weight_layers(graph)) {
    const auto before = graph.constant(layer.weight)->data<float>();
    const Tensor after = learner.parameter(graph.value(layer.weight).name);
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (after.data<float>()[i] != 0) {
        largest_kept = std::max(largest_kept, std::abs(before[i]));
      } else {
        smallest_gone = std::min(smallest_gone, std::abs(before[i]));
      }
    }
  }
  EXPECT_LE(largest_kept, smallest_gone);
}

TEST(RegrowHook, KeepsTheNumberOfZerosAndGrowsWhereGradientsAreLarge) {
  const Graph graph = small_network();
  StillLearner learner(graph);
  RegrowSchedule schedule;
  schedule.ratio = 0.75;
  schedule.by_layer = true;
  schedule.interval = 10;
  schedule.batch = [](std::int64_t) { return train::LearnBatch{}; };
  const auto hook = regrow_hook(graph, schedule);
  hook(learner, 0, 100);
  EXPECT_NEAR(zeros_of(learner.graph()), 0.75, 0.01);
  const Layer layer = weight_layers(graph).at(0);
  const std::string name = graph.value(layer.weight).name;
  std::size_t zero = 0;  // the first that is masked
  for (const Layer& one : weight_layers(graph)) {
    learner.slopes[graph.value(one.weight).name] = Tensor(DType::F32, graph.constant(one.weight)->shape());
  }
  while (learner.parameter(name).data<float>()[zero] != 0) ++zero;
  learner.slopes[name].mutable_data<float>()[zero] = 5;
  hook(learner, 10, 100);
  EXPECT_EQ(learner.masks.at(name).get_int(static_cast<std::int64_t>(zero)), 1);
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < learner.masks.at(name).size(); ++i) kept += learner.masks.at(name).get_int(i);
  EXPECT_EQ(kept, std::llround(0.25 * static_cast<double>(layer.rows * layer.columns)));
}

TEST(ErdosRenyiRatios, HaveTheWantedTotalAndSpareSmallLayers) {
  Layer large, small;
  large.rows = 512, large.columns = 512 * 9, large.kernel = 9;
  small.rows = 16, small.columns = 3 * 9, small.kernel = 9;
  const std::vector<Layer> layers = {large, small};
  const auto ratios = erdos_renyi_ratios(layers, 0.9);
  const double all = 512.0 * 512 * 9 + 16 * 27;
  EXPECT_NEAR((ratios[0] * 512 * 512 * 9 + ratios[1] * 16 * 27) / all, 0.9, 1e-6);
  EXPECT_GT(ratios[0], ratios[1]);
}

TEST(PenaltyHook, PullsScalesToZeroAndLeavesTheRest) {
  const Graph graph = small_network();
  StillLearner learner(graph);
  Penalty penalty;
  penalty.strength = 1;
  const auto hook = penalty_hook(graph, penalty, [](std::int64_t, std::int64_t) { return 0.1; });
  for (std::int64_t step = 0; step < 100; ++step) hook(learner, step, 100);
  const Graph after = learner.graph();
  for (const NodeId id : after.node_ids()) {
    const Node& node = after.node(id);
    if (node.kind == OpKind::BatchNormalization) {
      for (const float scale : after.constant(node.input(1))->data<float>()) EXPECT_EQ(scale, 0);
    } else if (node.kind == OpKind::Conv) {
      EXPECT_TRUE(identical(*after.constant(node.input(1)), *graph.constant(node.input(1))));
    }
  }
}

TEST(PenaltyHook, GrowsOnTheChannelsThatAreToGo) {
  const Graph graph = small_network();
  StillLearner learner(graph);
  Penalty penalty;
  penalty.kind = Penalty::Kind::Growing;
  penalty.strength = 5;
  penalty.ratio = 0.25;
  const auto hook = penalty_hook(graph, penalty, [](std::int64_t, std::int64_t) { return 0.1; });
  for (std::int64_t step = 0; step < 100; ++step) hook(learner, step, 100);
  const Layer layer = weight_layers(graph).at(0);
  const auto before = weight_matrix(graph, layer), after = weight_matrix(learner.graph(), layer);
  int pulled = 0;
  for (std::int64_t row = 0; row < layer.rows; ++row) {
    const auto at = static_cast<std::size_t>(row * layer.columns);
    if (std::abs(after[at]) < 0.01 * std::abs(before[at])) ++pulled;
  }
  EXPECT_EQ(pulled, 2);
}

train::TrainResult pretend(const Graph& start, const train::StepHook& hook, int* trained) {
  ++*trained;
  StillLearner learner(start);
  for (std::int64_t step = 0; step < 10; ++step) {
    hook(learner, step, 10);
    if (step == 3) learner.set_parameter("bias_1", Tensor(DType::F32, learner.parameter("bias_1").shape()));
  }
  train::TrainResult result;
  result.graph = learner.graph();
  result.epochs.push_back({.epoch = 1, .validation_accuracy = 0.5});
  return result;
}

TEST(FindTicket, GoesBackToTheFirstWeightsAndResumes) {
  const Graph graph = small_network();
  const auto folder = std::filesystem::temp_directory_path() / "adze_lottery_test";
  std::filesystem::remove_all(folder);
  LotteryOptions options;
  options.ratio = 0.5;
  options.rounds = 2;
  options.folder = folder;
  options.control = true;
  int trained = 0;
  const LotteryTrainer trainer = [&](const Graph& start, const train::StepHook& hook, std::int64_t, bool) {
    return pretend(start, hook, &trained);
  };
  const LotteryOutcome first = find_ticket(graph, options, trainer);
  EXPECT_EQ(trained, 5);  // dense, two tickets, two controls
  ASSERT_EQ(first.rounds.size(), 5u);
  EXPECT_NEAR(first.rounds.back().left, 0.25, 0.01);
  const Layer layer = weight_layers(graph).at(0);
  const auto start = weight_matrix(graph, layer), ticket = weight_matrix(first.ticket, layer);
  for (std::size_t i = 0; i < start.size(); ++i) {
    if (ticket[i] != 0) {
      EXPECT_EQ(ticket[i], start[i]);
    }
  }
  const LotteryOutcome again = find_ticket(graph, options, trainer);
  EXPECT_EQ(trained, 5);
  EXPECT_EQ(weight_matrix(again.ticket, layer), ticket);
  options.ratio = 0.3;
  EXPECT_THROW(find_ticket(graph, options, trainer), UsageError);
  std::filesystem::remove_all(folder);
}

TEST(FindTicket, RewindsToTheWeightsOfAnEarlierStep) {
  const Graph graph = small_network();
  LotteryOptions options;
  options.rounds = 1;
  options.rewind = 0.5;
  int trained = 0;
  const LotteryOutcome outcome =
      find_ticket(graph, options, [&](const Graph& start, const train::StepHook& hook, std::int64_t, bool) {
        return pretend(start, hook, &trained);
      });
  const Tensor* bias = std::as_const(outcome.ticket).constant(outcome.ticket.find_value("bias_1"));
  ASSERT_NE(bias, nullptr);
  EXPECT_EQ(bias->data<float>()[0], 0);
}

}  // namespace
}  // namespace adze::prune
