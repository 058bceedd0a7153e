#include "adze/train/trainer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "adze/base/random.h"
#include "adze/data/batches.h"
#include "adze/graph/facts.h"
#include "adze/graph/infer.h"
#include "adze/train/checkpoint.h"
#include "adze/train/epoch_loader.h"
#include "adze/train/parameters.h"
#include "adze/zoo/zoo.h"
#include "tests/train/plugin.h"

namespace adze::train {
namespace {

namespace fs = std::filesystem;

/// Two classes of 4 × 4 pictures: bright on the left, or on the right.
class Halves : public Dataset {
 public:
  explicit Halves(std::int64_t size, std::uint64_t seed = 1, float poison = 0)
      : size_(size), seed_(seed), poison_(poison) {}
  std::int64_t size() const override { return size_; }
  std::int64_t label(std::int64_t index) const override { return index % 2; }
  std::string name(std::int64_t index) const override { return std::to_string(index); }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::string description() const override { return "halves"; }
  Sample get(std::int64_t index) const override {
    Random random = Random(seed_).split(static_cast<std::uint64_t>(index));
    Sample sample;
    sample.label = label(index);
    sample.input = Tensor(DType::F32, {1, 1, 4, 4});
    for (std::int64_t i = 0; i < 16; ++i) {
      const bool bright = (i % 4 < 2) == (sample.label == 0);
      sample.input.set_double(i, random.normal() + (bright ? 1.5 : 0) + poison_);
    }
    return sample;
  }

 private:
  std::int64_t size_;
  std::uint64_t seed_;
  float poison_;
  std::vector<std::string> names_{"left", "right"};
};

/// Conv, batch norm, Relu, dropout, mean, Gemm.
Graph small_network(float dropped = 0.2F) {
  Random random(3);
  const auto weights = [&](Shape shape) {
    Tensor tensor(DType::F32, std::move(shape));
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(0.3 * random.normal());
    return tensor;
  };
  const auto filled = [](float value) { return Tensor::from<float>({4}, std::vector<float>(4, value)); };
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{1, 1, 4, 4})));
  const ValueId conv = graph.add(OpKind::Conv, {x, graph.add_constant("w", weights({4, 1, 3, 3}))});
  const ValueId norm = graph.add(OpKind::BatchNormalization,
                                 {conv, graph.add_constant("scale", filled(1)), graph.add_constant("shift", filled(0)),
                                  graph.add_constant("mean", filled(0)), graph.add_constant("variance", filled(1))});
  const ValueId relu = graph.add(OpKind::Relu, {norm});
  const ValueId kept = graph.add(OpKind::Dropout, {relu, graph.add_constant("ratio", Tensor::scalar(dropped))});
  const ValueId flat = graph.add(OpKind::Reshape, {kept, graph.add_constant("shape", Tensor::ints({1, 16}))});
  const ValueId y = graph.add(OpKind::Gemm, {flat, graph.add_constant("v", weights({16, 2}))});
  graph.set_outputs({y});
  infer_types(graph);
  return graph;
}

TrainOptions quick_options() {
  TrainOptions options;
  options.epochs = 3;
  options.batch_size = 16;
  options.schedule.learning_rate = 0.05;
  options.learner.threads = 1;
  options.seed = 5;
  return options;
}

struct TrainTest : testing::Test {
  void SetUp() override {
    if (!has_plugin()) GTEST_SKIP() << "skipped: built without libtorch";
    folder = fs::temp_directory_path() / ("adze_train_" + std::to_string(::getpid()));
    fs::create_directories(folder);
  }
  void TearDown() override {
    std::error_code error;
    if (!folder.empty()) fs::remove_all(folder, error);
    cancel_flag() = false;
  }
  fs::path folder;
};

void expect_same_weights(const Graph& a, const Graph& b) {
  for (std::int32_t i = 0; i < a.num_values(); ++i) {
    const Tensor* left = a.constant(static_cast<ValueId>(i));
    const Tensor* right = b.constant(static_cast<ValueId>(i));
    if (left == nullptr) continue;
    EXPECT_TRUE(identical(*left, *right)) << a.value(static_cast<ValueId>(i)).name;
  }
}

TEST_F(TrainTest, LearnsWhatCanBeLearned) {
  TrainOptions options = quick_options();
  options.epochs = 6;
  const auto result = train(small_network(), std::make_shared<Halves>(256), std::make_shared<Halves>(64, 2), options);
  EXPECT_EQ(result.epochs.size(), 6u);
  EXPECT_LT(result.epochs.back().loss, result.epochs.front().loss);
  EXPECT_GT(result.epochs[static_cast<std::size_t>(result.best_epoch - 1)].validation_accuracy, 0.9);
}

TEST_F(TrainTest, EveryOptimizerLowersTheLoss) {
  for (const OptimizerKind kind : {OptimizerKind::Sgd, OptimizerKind::Adam, OptimizerKind::AdamW}) {
    TrainOptions options = quick_options();
    options.learner.optimizer.kind = kind;
    options.schedule.learning_rate = kind == OptimizerKind::Sgd ? 0.05 : 0.01;
    const auto result = train(small_network(), std::make_shared<Halves>(256), nullptr, options);
    EXPECT_LT(result.epochs.back().loss, result.epochs.front().loss) << optimizer_name(kind);
  }
}

/// Facts that a graph carries, without an option that asks for them.
TEST_F(TrainTest, KeepsTheFactsOfTheWeights) {
  for (const OptimizerKind kind : {OptimizerKind::Sgd, OptimizerKind::AdamW}) {
    Graph graph = small_network();
    Tensor& weights = *graph.value(graph.find_value("v")).constant;
    for (std::int64_t i = 0; i < weights.size(); ++i) weights.set_double(i, i % 4 == 0 ? 0 : 0.1 * (i % 5));
    set_weight_facts(graph, {true, true});
    TrainOptions options = quick_options();
    options.learner.optimizer.kind = kind;
    options.learner.ema_decay = 0.5;
    const Graph trained = train(graph, std::make_shared<Halves>(100), nullptr, options).graph;
    EXPECT_NO_THROW(check_weight_facts(graph, trained, {true, true}));
    EXPECT_FALSE(identical(weights, *trained.constant(trained.find_value("v"))));
    set_weight_facts(graph, {});
    EXPECT_THROW(
        check_weight_facts(graph, train(graph, std::make_shared<Halves>(100), nullptr, options).graph, {true, true}),
        InternalError);
  }
}

/// The mean of many roundings is the gradient, and each is a whole number of steps.
TEST_F(TrainTest, RoundedGradientsAreRightOnTheAverage) {
  LearnBatch batch;
  const Halves halves(16);
  batch.inputs.emplace_back(DType::F32, Shape{16, 1, 4, 4});
  batch.labels = Tensor(DType::S64, {16});
  for (std::int64_t i = 0; i < 16; ++i) {
    const Sample sample = halves.get(i);
    for (std::int64_t k = 0; k < 16; ++k) batch.inputs[0].set_double(i * 16 + k, sample.input.get_double(k));
    batch.labels.set_double(i, static_cast<double>(sample.label));
  }
  LearnerOptions exact, rounded;
  rounded.gradient_bits = 4;
  exact.optimizer.momentum = rounded.optimizer.momentum = 0;
  exact.optimizer.weight_decay = rounded.optimizer.weight_decay = 0;
  const Tensor start = *small_network().constant(small_network().find_value("v"));
  const auto moved = [&](const LearnerOptions& options, std::uint64_t seed) {
    const auto learner = plugin().make_learner(with_open_batch(small_network(0)), options);
    learner->step(batch, 1, seed);
    return learner->parameter("v");
  };
  const Tensor wanted = moved(exact, 0);
  std::vector<double> mean(static_cast<std::size_t>(start.size()));
  constexpr int runs = 300;
  for (int run = 0; run < runs; ++run) {
    const Tensor got = moved(rounded, static_cast<std::uint64_t>(run));
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += got.get_double(static_cast<std::int64_t>(i)) / runs;
  }
  double largest = 0, error = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    largest = std::max(largest, std::abs(wanted.get_double(at) - start.get_double(at)));
    error = std::max(error, std::abs(mean[i] - wanted.get_double(at)));
  }
  EXPECT_GT(largest, 0);
  EXPECT_LT(error, 0.05 * largest);
  EXPECT_FALSE(identical(wanted, moved(rounded, 1)));
  EXPECT_TRUE(identical(moved(rounded, 1), moved(rounded, 1)));
}

TEST_F(TrainTest, TheSameSeedGivesTheSameBytes) {
  const auto data = std::make_shared<Halves>(100);
  TrainOptions options = quick_options();
  options.augment = parse_augment("crop=1 flip mixup=0.3");
  const Graph first = train(small_network(), data, nullptr, options).graph;
  expect_same_weights(first, train(small_network(), data, nullptr, options).graph);
}

/// Interrupts after some steps and goes on, until the training ends.
TEST_F(TrainTest, KilledAnywhereAndResumedItEndsInTheSameBytes) {
  const auto data = std::make_shared<Halves>(100);
  const auto judge = std::make_shared<Halves>(20, 9);
  for (const OptimizerKind kind : {OptimizerKind::Sgd, OptimizerKind::AdamW}) {
    TrainOptions options = quick_options();
    options.learner.optimizer.kind = kind;
    options.learner.ema_decay = 0.9;
    options.learner.precision = kind == OptimizerKind::Sgd ? Precision::F32 : Precision::F16;
    const TrainResult whole = train(small_network(), data, judge, options);
    options.checkpoint = folder / ("run" + std::string(optimizer_name(kind)));
    options.resume = true;
    int interruptions = 0;
    for (;;) {
      std::int64_t left = 4 + interruptions;
      try {
        const TrainResult resumed = train(small_network(), data, judge, options, silent_progress(),
                                          [&](Learner&, std::int64_t, std::int64_t) { cancel_flag() = --left == 0; });
        expect_same_weights(whole.graph, resumed.graph);
        ASSERT_EQ(resumed.epochs.size(), whole.epochs.size());
        EXPECT_EQ(resumed.epochs.back().loss, whole.epochs.back().loss);
        EXPECT_EQ(resumed.best_epoch, whole.best_epoch);
        break;
      } catch (const Interrupted&) {
        cancel_flag() = false;
        ++interruptions;
      }
    }
    EXPECT_GE(interruptions, 3);
  }
}

TEST_F(TrainTest, ACheckpointOfAnotherJobIsRefused) {
  const auto data = std::make_shared<Halves>(64);
  TrainOptions options = quick_options();
  options.checkpoint = folder / "job";
  train(small_network(), data, nullptr, options);
  options.resume = true;
  options.schedule.learning_rate = 0.01;
  try {
    train(small_network(), data, nullptr, options);
    FAIL() << "was not refused";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("learning_rate"), std::string::npos) << error.what();
  }
}

TEST_F(TrainTest, DamagedCheckpointsAreRefused) {
  const auto data = std::make_shared<Halves>(64);
  TrainOptions options = quick_options();
  options.checkpoint = folder / "whole";
  train(small_network(), data, nullptr, options);
  std::ifstream in(options.checkpoint, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  for (const std::size_t keep :
       {std::size_t{0}, std::size_t{10}, std::size_t{30}, bytes.size() / 2, bytes.size() - 1}) {
    std::ofstream(folder / "cut", std::ios::binary) << bytes.substr(0, keep);
    EXPECT_THROW(read_checkpoint(folder / "cut"), ModelError) << keep;
  }
  std::string flipped = bytes;
  flipped[bytes.size() - 3] ^= 1;
  std::ofstream(folder / "flipped", std::ios::binary) << flipped;
  EXPECT_THROW(read_checkpoint(folder / "flipped"), ModelError);
  EXPECT_NO_THROW(read_checkpoint(options.checkpoint));
}

TEST_F(TrainTest, DivergenceIsNamed) {
  TrainOptions options = quick_options();
  options.schedule.learning_rate = 1e30;
  options.schedule.kind = ScheduleKind::Constant;
  try {
    train(small_network(), std::make_shared<Halves>(256), nullptr, options);
    FAIL() << "did not diverge";
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("diverged"), std::string::npos) << error.what();
  }
}

TEST_F(TrainTest, NotANumberInTheDataIsNamed) {
  try {
    train(small_network(), std::make_shared<Halves>(64, 1, std::nanf("")), nullptr, quick_options());
    FAIL() << "was accepted";
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("data holds NaN"), std::string::npos) << error.what();
  }
}

TEST_F(TrainTest, ZerosStayZeros) {
  Graph graph = small_network();
  Tensor& weights = *graph.value(graph.find_value("w")).constant;
  for (std::int64_t i = 0; i < weights.size(); i += 2) weights.set_double(i, 0);
  TrainOptions options = quick_options();
  options.learner.keep_zeros = true;
  const Graph trained = train(graph, std::make_shared<Halves>(128), nullptr, options).graph;
  const Tensor& now = *trained.constant(trained.find_value("w"));
  for (std::int64_t i = 0; i < now.size(); ++i) {
    if (i % 2 == 0) {
      EXPECT_EQ(now.get_double(i), 0) << i;
    } else {
      EXPECT_NE(now.get_double(i), weights.get_double(i)) << i;
    }
  }
}

TEST_F(TrainTest, FrozenParametersStay) {
  const Graph graph = small_network();
  TrainOptions options = quick_options();
  options.learner.freeze = {"w"};
  const Graph trained = train(graph, std::make_shared<Halves>(64), nullptr, options).graph;
  EXPECT_TRUE(identical(*graph.constant(graph.find_value("w")), *trained.constant(trained.find_value("w"))));
  EXPECT_FALSE(identical(*graph.constant(graph.find_value("v")), *trained.constant(trained.find_value("v"))));
  options.learner.freeze = {"nothing*"};
  EXPECT_THROW(train(graph, std::make_shared<Halves>(64), nullptr, options), UsageError);
}

TEST_F(TrainTest, HalfPrecisionLearnsToo) {
  for (const Precision precision : {Precision::BF16, Precision::F16}) {
    TrainOptions options = quick_options();
    options.learner.precision = precision;
    const auto result = train(small_network(), std::make_shared<Halves>(256), nullptr, options);
    EXPECT_LT(result.epochs.back().loss, result.epochs.front().loss) << precision_name(precision);
  }
}

TEST_F(TrainTest, AStudentLearnsFromItsTeacherWithoutLabels) {
  TrainOptions options = quick_options();
  options.epochs = 6;
  const auto data = std::make_shared<Halves>(256);
  const auto judge = std::make_shared<Halves>(64, 2);
  const Graph teacher = train(small_network(), data, judge, options).graph;
  options.learner.distill.teachers = {with_open_batch(teacher)};
  options.learner.distill.terms = {DistillTerm{}};
  options.learner.distill.task_weight = 0;
  const auto result = train(small_network(), data, judge, options);
  EXPECT_GT(result.epochs.back().validation_accuracy, 0.9);
}

TEST_F(TrainTest, FeaturesAndAttentionOfATeacherAreFollowed) {
  const auto data = std::make_shared<Halves>(128);
  const Graph teacher = with_open_batch(small_network());
  const std::string inner = teacher.value(teacher.node(teacher.node_ids()[2]).output()).name;
  for (const auto kind : {DistillTerm::Kind::Feature, DistillTerm::Kind::Attention}) {
    TrainOptions options = quick_options();
    options.learner.distill.teachers = {teacher};
    DistillTerm term;
    term.kind = kind;
    term.student_value = term.teacher_value = inner;
    options.learner.distill.terms = {term};
    options.learner.distill.task_weight = 0;
    Graph student = small_network();
    for (float& value : student.value(student.find_value("w")).constant->mutable_data<float>()) value *= -0.5F;
    const auto result = train(student, data, nullptr, options);
    EXPECT_LT(result.epochs.back().loss, result.epochs.front().loss);
  }
}

TEST_F(TrainTest, BlocksLearnTheTeachersBlocksWithoutPassingGradientsOn) {
  const Graph teacher = with_open_batch(small_network());
  const std::string middle = teacher.value(teacher.node(teacher.node_ids()[2]).output()).name;
  LearnerOptions options;
  options.distill.teachers = {teacher};
  options.distill.task_weight = 0;
  DistillTerm term;
  term.kind = DistillTerm::Kind::Block;
  term.student_value = term.teacher_value = middle;
  options.distill.terms = {term};
  options.freeze_statistics = true;
  Graph student = teacher;
  for (float& value : student.value(student.find_value("w")).constant->mutable_data<float>()) value *= 0.5F;
  LearnBatch batch;
  const Halves data(8);
  std::vector<Tensor> inputs;
  for (std::int64_t i = 0; i < 8; ++i) inputs.push_back(data.get(i).input);
  batch.inputs = {stack(inputs)};
  batch.labels = Tensor::from<std::int64_t>({8}, {0, 1, 0, 1, 0, 1, 0, 1});
  const auto first = plugin().make_learner(student, options)->gradients(batch, nullptr);
  EXPECT_NE(first.at("w").get_double(0), 0);
  EXPECT_EQ(first.at("v").get_double(0), 0) << "the block behind has no error of its own";
  // With a second block at the end, the first one's gradient is the same: nothing comes back through the second.
  term.student_value = term.teacher_value = teacher.value(teacher.outputs()[0]).name;
  options.distill.terms.push_back(term);
  for (float& value : student.value(student.find_value("v")).constant->mutable_data<float>()) value *= 0.5F;
  const auto both = plugin().make_learner(student, options)->gradients(batch, nullptr);
  EXPECT_TRUE(identical(first.at("w"), both.at("w")));
  EXPECT_NE(both.at("v").get_double(0), 0);
}

TEST_F(TrainTest, EpochsVisitEverySampleOnce) {
  std::vector<std::int64_t> samples{3, 5, 8, 9, 12};
  auto order = epoch_order(samples, 1, 0);
  EXPECT_NE(order, epoch_order(samples, 1, 1));
  EXPECT_EQ(order, epoch_order(samples, 1, 0));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, samples);
}

}  // namespace
}  // namespace adze::train
