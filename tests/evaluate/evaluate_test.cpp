#include "adze/evaluate/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/evaluate/compare.h"

namespace adze {
namespace {

/// Rows of one number, whose class is the number modulo the classes; sample 5 can be made unreadable.
class Counting : public Dataset {
 public:
  Counting(std::int64_t size, std::int64_t classes, bool one_bad = false) : size_(size), one_bad_(one_bad) {
    for (std::int64_t c = 0; c < classes; ++c) names_.push_back("class" + std::to_string(c));
  }
  std::int64_t size() const override { return size_; }
  Sample get(std::int64_t i) const override {
    if (one_bad_ && i == 5) throw ModelError("broken on purpose");
    return {Tensor::from<float>({1, 1}, {static_cast<float>(i)}), label(i), std::nullopt, name(i)};
  }
  std::int64_t label(std::int64_t i) const override {
    return names_.empty() ? -1 : i % static_cast<std::int64_t>(names_.size());
  }
  std::string name(std::int64_t i) const override { return "row" + std::to_string(i); }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::string description() const override { return "counting"; }

 private:
  std::int64_t size_;
  bool one_bad_;
  std::vector<std::string> names_;
};

/// Scores `classes` classes; right but for rows divisible by wrong_every.
RunFunction network(std::int64_t classes, std::int64_t wrong_every) {
  return [=](std::span<const Tensor> inputs) {
    const auto in = inputs[0].data<float>();
    Tensor out(DType::F32, {inputs[0].dim(0), classes});
    for (std::size_t i = 0; i < in.size(); ++i) {
      const auto row = static_cast<std::int64_t>(in[i]);
      const std::int64_t chosen = (row + (row % wrong_every == 0 ? 1 : 0)) % classes;
      out.mutable_data<float>()[i * classes + chosen] = 4.0F;
      out.mutable_data<float>()[i * classes + (chosen + 1) % classes] = 1.0F;
    }
    return std::vector<Tensor>{out};
  };
}

TEST(Evaluate, CountsRightAnswersOverUnevenBatches) {
  const EvaluateResult result = evaluate(network(10, 4), Counting(101, 10), {.batch_size = 8});
  EXPECT_EQ(result.samples, 101);
  EXPECT_EQ(result.correct, 101 - 26);
  EXPECT_DOUBLE_EQ(result.top1, 75.0 / 101.0);
  EXPECT_EQ(result.interval.low, wilson_interval(75, 101).low);
  EXPECT_EQ(result.classes.size(), 10U);
  EXPECT_EQ(result.classes[1].correct, 10);
  EXPECT_EQ(result.confusion.at(0, 1), 6);
}

TEST(Evaluate, NamesASampleThatCannotBeReadAndGoesOn) {
  const EvaluateResult result = evaluate(network(10, 1000), Counting(20, 10, true), {.batch_size = 4, .prefetch = 0});
  EXPECT_EQ(result.samples, 19);
  ASSERT_EQ(result.skipped.size(), 1U);
  EXPECT_EQ(result.skipped[0].name, "row5");
  EXPECT_EQ(result.skipped[0].reason, "broken on purpose");
}

TEST(Evaluate, IsFatalOnAnUnreadableSampleWhenStrict) {
  Counting data(20, 10, true);
  data.set_strict(true);
  EXPECT_THROW(evaluate(network(10, 1000), data), ModelError);
}

TEST(Evaluate, RefusesAClassCountThatDoesNotMatch) {
  try {
    evaluate(network(12, 4), Counting(20, 10));
    FAIL() << "accepted";
  } catch (const ModelError& error) {
    EXPECT_NE(error.message().find("10 classes"), std::string::npos) << error.what();
    EXPECT_NE(error.message().find("12 outputs"), std::string::npos) << error.what();
  }
}

TEST(Evaluate, JudgesASingleScoreAsTwoClasses) {
  const RunFunction run = [](std::span<const Tensor> inputs) {
    Tensor out(DType::F32, {inputs[0].dim(0), 1});
    for (std::int64_t i = 0; i < out.size(); ++i) {
      out.mutable_data<float>()[i] = static_cast<std::int64_t>(inputs[0].data<float>()[i]) % 2 == 1 ? 0.9F : 0.1F;
    }
    return std::vector<Tensor>{out};
  };
  const EvaluateResult result = evaluate(run, Counting(10, 2));
  EXPECT_EQ(result.correct, 10);
  EXPECT_DOUBLE_EQ(result.auc.value(), 1.0);
  EXPECT_DOUBLE_EQ(result.classes[0].auc.value(), 1.0);
}

TEST(Evaluate, JudgesAnAutoencoderByItsError) {
  const RunFunction run = [](std::span<const Tensor> inputs) {
    Tensor out = inputs[0];
    for (float& value : out.mutable_data<float>()) value += 2.0F;
    return std::vector<Tensor>{out};
  };
  const EvaluateResult result = evaluate(run, Counting(10, 0));
  EXPECT_EQ(result.task, Task::Reconstruction);
  EXPECT_DOUBLE_EQ(result.mse.value(), 4.0);
}

TEST(Evaluate, StopsWhenCancelled) {
  cancel_flag() = true;
  EXPECT_THROW(evaluate(network(10, 4), Counting(20, 10)), Interrupted);
  cancel_flag() = false;
}

TEST(Compare, PairsTheTwoNetworksSampleBySample) {
  const Counting data(100, 10);
  const CompareResult result = compare(network(10, 10), network(10, 5), data, data, {});
  EXPECT_EQ(result.samples, 100);
  EXPECT_EQ(result.both, 80);
  EXPECT_EQ(result.only_a, 10);
  EXPECT_EQ(result.only_b, 0);
  EXPECT_EQ(result.agreements, 90);
  EXPECT_NEAR(result.difference, -0.1, 1e-12);
  EXPECT_LT(result.difference_interval.high, 0.0);
  EXPECT_NEAR(result.mcnemar.exact_p, 2.0 / 1024.0, 1e-12);
  EXPECT_GT(result.output_kl, 0.0);
}

TEST(Compare, FindsNoDifferenceInANetworkAndItself) {
  const Counting data(30, 10);
  const CompareResult result = compare(network(10, 7), network(10, 7), data, data, {});
  EXPECT_EQ(result.agreement, 1.0);
  EXPECT_EQ(result.p_value, 1.0);
  EXPECT_EQ(result.output_kl, 0.0);
  EXPECT_TRUE(std::isinf(result.output_sqnr_db));
}

TEST(CompareLayers, MeasuresSignalToNoiseByName) {
  const Counting data(100, 10);
  const auto observed = [](float factor, bool extra) -> ObservedRunFunction {
    return [=](std::span<const Tensor> inputs, const ObserveFunction& observe) {
      Tensor value = inputs[0];
      for (float& x : value.mutable_data<float>()) x *= factor;
      observe("hidden", value);
      if (extra) observe("only_b", value);
      return std::vector<Tensor>{value};
    };
  };
  const auto layers = compare_layers(observed(1.0F, false), observed(1.1F, true), data, data, {});
  ASSERT_EQ(layers.size(), 1U);
  EXPECT_EQ(layers[0].name, "hidden");
  EXPECT_NEAR(layers[0].sqnr_db, 20.0, 1e-3);
  EXPECT_EQ(layers[0].elements, 64);
}

}  // namespace
}  // namespace adze
