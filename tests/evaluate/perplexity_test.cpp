#include "adze/evaluate/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/error.h"
#include "adze/base/random.h"

namespace adze {
namespace {

constexpr std::int64_t context = 8, vocabulary = 5;

/// Windows of random tokens; the target is the next token.
class RandomText : public Dataset {
 public:
  explicit RandomText(std::int64_t windows) : windows_(windows) {
    Random random(5);
    for (std::int64_t i = 0; i < windows * context + 1; ++i)
      tokens_.push_back(static_cast<std::int64_t>(random.below(5)));
  }
  std::int64_t size() const override { return windows_; }
  Sample get(std::int64_t index) const override {
    const auto row = [&](std::int64_t begin) {
      return Tensor::from<std::int64_t>({1, context}, {tokens_.begin() + begin, tokens_.begin() + begin + context});
    };
    Sample sample;
    sample.input = row(index * context);
    sample.target = row(index * context + 1);
    return sample;
  }
  std::int64_t label(std::int64_t) const override { return -1; }
  std::string name(std::int64_t) const override { return "window"; }
  const std::vector<std::string>& class_names() const override { return none_; }
  std::string description() const override { return "text"; }
  std::map<std::string, std::string> metadata() const override { return {{"adze.vocabulary", "[1,2,3,4,5]"}}; }

 private:
  std::int64_t windows_;
  std::vector<std::int64_t> tokens_;
  std::vector<std::string> none_;
};

/// Logits that depend on the input token alone.
std::vector<Tensor> predict(std::span<const Tensor> inputs, double strength) {
  Tensor logits(DType::F32, {inputs[0].dim(0), context, vocabulary});
  const auto tokens = inputs[0].data<std::int64_t>();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    logits.mutable_data<float>()[i * vocabulary + static_cast<std::size_t>(tokens[i])] = static_cast<float>(strength);
  }
  return {logits};
}

TEST(Perplexity, OfEqualSharesIsTheVocabulary) {
  const RandomText text(40);
  const auto result = evaluate_perplexity([](auto inputs) { return predict(inputs, 0); }, text);
  EXPECT_NEAR(result.perplexity, vocabulary, 1e-6);
  EXPECT_NEAR(result.bits_per_token, std::log2(5), 1e-6);
  EXPECT_NEAR(result.standard_error, 0, 1e-9);
  EXPECT_EQ(result.tokens, 40 * context);
}

TEST(Perplexity, EqualsTheSumByHand) {
  const RandomText text(50);
  const auto result = evaluate_perplexity([](auto inputs) { return predict(inputs, 1.5); }, text, {.batch_size = 7});
  double sum = 0;
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < 50; ++i) {
    const Sample sample = text.get(i);
    for (std::size_t k = 0; k < context; ++k) {
      const bool same = sample.input.data<std::int64_t>()[k] == sample.target->data<std::int64_t>()[k];
      sum -= std::log((same ? std::exp(1.5) : 1.0) / (std::exp(1.5) + 4));
      correct += same;
    }
  }
  EXPECT_NEAR(result.nll, sum / (50 * context), 1e-6);
  EXPECT_NEAR(result.perplexity, std::exp(sum / (50 * context)), 1e-5);
  EXPECT_EQ(result.correct, correct);
  EXPECT_GT(result.standard_error, 0);
  EXPECT_LT(result.interval.low, result.perplexity);
  EXPECT_GT(result.interval.high, result.perplexity);
  EXPECT_NEAR(result.perplexity_error, result.perplexity * result.standard_error, 1e-12);
}

TEST(Perplexity, StaysFiniteForLargeLogits) {
  const RandomText text(4);
  const auto result = evaluate_perplexity([](auto inputs) { return predict(inputs, 1e6); }, text);
  EXPECT_TRUE(std::isfinite(result.nll));
}

TEST(Perplexity, ErrorIsThatOfIndependentBlocks) {
  Random random(3);
  std::vector<double> blocks;
  double sum = 0, squares = 0;
  for (int i = 0; i < 200; ++i) {
    blocks.push_back(2 + 0.3 * random.normal());
    sum += blocks.back();
  }
  for (const double value : blocks) squares += (value - sum / 200) * (value - sum / 200);
  const double expected = std::sqrt(squares / 199 / 200);
  const BlockBootstrap result = block_bootstrap(blocks, 1);
  EXPECT_NEAR(result.mean, sum / 200, 1e-12);
  EXPECT_NEAR(result.standard_error, expected, 0.06 * expected);
  EXPECT_NEAR(result.interval.high - result.interval.low, 2 * 1.96 * expected, 0.15 * expected * 4);
}

/// Windows that come in runs of equal difficulty: an error over windows alone would be far too small.
TEST(Perplexity, BlocksHoldNeighboursTogether) {
  class Runs : public RandomText {
   public:
    Runs() : RandomText(128 * 60) {}
  };
  const Runs text;
  std::int64_t window = 0;
  const auto run = [&](std::span<const Tensor> inputs) {
    Tensor logits(DType::F32, {inputs[0].dim(0), context, vocabulary});
    const double bias = (window / 128) % 2 == 0 ? 0.0 : 3.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(context); ++i) {
      logits.mutable_data<float>()[i * vocabulary] = static_cast<float>(bias);
    }
    ++window;
    return std::vector<Tensor>{logits};
  };
  const auto result = evaluate_perplexity(run, text, {.batch_size = 1, .prefetch = 0});
  EXPECT_EQ(result.blocks, 60);
  const BlockBootstrap naive = block_bootstrap(result.window_nll, 1, 200);
  EXPECT_GT(result.standard_error, 4 * naive.standard_error);
}

TEST(ComparePerplexity, PairsTheWindowsOfTwoNetworks) {
  const RandomText text(300);
  const auto with = [](double strength) {
    return [strength](std::span<const Tensor> inputs) { return predict(inputs, strength); };
  };
  const auto same = compare_perplexity(with(0.5), with(0.5), text, text);
  EXPECT_EQ(same.ratio, 1);
  EXPECT_EQ(same.p_value, 1);
  const auto worse = compare_perplexity(with(0), with(1), text, text);  // the text has no order to be predicted
  EXPECT_NEAR(worse.ratio, worse.b.perplexity / worse.a.perplexity, 1e-9);
  EXPECT_GT(worse.ratio, 1);
  EXPECT_LT(worse.interval.low, worse.ratio);
  EXPECT_GT(worse.interval.high, worse.ratio);
  EXPECT_LT(worse.p_value, 1e-6);
  EXPECT_THROW(compare_perplexity(with(0), with(1), text, RandomText(200)), UsageError);
}

TEST(Perplexity, NamesWhatDoesNotFit) {
  const RandomText text(4);
  EXPECT_TRUE(is_language_data(text));
  EXPECT_THROW(evaluate_perplexity([](auto) { return std::vector{Tensor(DType::F32, {4, 5})}; }, text), ModelError);
  EXPECT_THROW(evaluate_perplexity(
                   [](auto) {
                     return std::vector{Tensor(DType::F32, {4, context, 2})};
                   },
                   text),
               ModelError);
  EXPECT_THROW(evaluate_perplexity([](auto) { return std::vector<Tensor>(); }, text), UsageError);
}

}  // namespace
}  // namespace adze
