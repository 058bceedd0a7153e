#include <gtest/gtest.h>

#include <cmath>

#include "adze/engine/reference/text.h"
#include "tests/reference/one_node.h"

namespace adze {
namespace {

using reference::Attributes;
using reference::Datum;
using reference::run_one;
using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;
using Strings = std::vector<std::string>;

Tensor words(const Strings& values) {
  return Tensor::from<std::string>({std::ssize(values)}, values);
}

Strings strings_of(const Tensor& tensor) {
  const auto data = tensor.data<std::string>();
  return {data.begin(), data.end()};
}

TEST(Dft, TransformsAlongTheAxisInput) {
  const Tensor x = Tensor::from<float>({1, 4, 1}, {1, 0, 0, 0});
  const Tensor y = run_one(OpKind::DFT, {x, Datum(), Tensor::scalar(std::int64_t{1})})[0];
  EXPECT_EQ(to_floats(y), (Floats{1, 0, 1, 0, 1, 0, 1, 0}));
  const Tensor last = run_one(OpKind::DFT, {x, Datum(), Tensor::scalar(std::int64_t{-2})})[0];
  EXPECT_TRUE(identical(y, last));
  EXPECT_THROW(run_one(OpKind::DFT, {x, Datum(), Tensor::scalar(std::int64_t{2})}), ModelError);
}

TEST(Dft, InvertsItself) {
  Tensor x(DType::F64, {3, 5, 2});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set_double(i, std::sin(static_cast<double>(i * i)));
  for (const std::int64_t axis : {0, 1}) {
    const Tensor at = Tensor::scalar(axis);
    const Tensor y = run_one(OpKind::DFT, {x, Datum(), at})[0];
    const Tensor back = run_one(OpKind::DFT, {y, Datum(), at}, {{"inverse", std::int64_t{1}}})[0];
    for (std::int64_t i = 0; i < x.size(); ++i) EXPECT_NEAR(back.get_double(i), x.get_double(i), 1e-12);
  }
}

TEST(Dft, CutsOrFillsToItsLengthAndKeepsOneSide) {
  const Tensor x = Tensor::from<float>({1, 2, 1}, {1, 2}), length = Tensor::scalar(std::int64_t{4});
  const Tensor y = run_one(OpKind::DFT, {x, length}, {{"onesided", std::int64_t{1}}})[0];
  EXPECT_EQ(y.shape(), (Shape{1, 3, 2}));
  const Floats expected = {3, 0, 1, -2, -1, 0};
  for (std::int64_t i = 0; i < 6; ++i) EXPECT_NEAR(y.get_double(i), expected[static_cast<std::size_t>(i)], 1e-6);
  EXPECT_THROW(run_one(OpKind::DFT, {x, Tensor::scalar(std::int64_t{0})}), ModelError);
}

TEST(Stft, TransformsEachFrame) {
  const Tensor x = Tensor::from<float>({1, 4, 1}, {1, 2, 3, 4}), two = Tensor::scalar(std::int64_t{2});
  const Tensor y = run_one(OpKind::STFT, {x, two, Datum(), two})[0];
  EXPECT_EQ(y.shape(), (Shape{1, 2, 2, 2}));
  const Floats expected = {3, 0, -1, 0, 7, 0, -1, 0};
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_NEAR(y.get_double(i), expected[static_cast<std::size_t>(i)], 1e-6);
  EXPECT_THROW(run_one(OpKind::STFT, {x, two}), ModelError);
  EXPECT_THROW(run_one(OpKind::STFT, {x, two, Datum(), Tensor::scalar(std::int64_t{5})}), ModelError);
  EXPECT_THROW(run_one(OpKind::STFT, {x, Tensor::scalar(std::int64_t{0}), Datum(), two}), ModelError);
}

TEST(Windows, AreSymmetricWhenNotPeriodic) {
  const Tensor size = Tensor::scalar(std::int64_t{3});
  const Tensor hann = run_one(OpKind::HannWindow, {size}, {{"periodic", std::int64_t{0}}})[0];
  EXPECT_NEAR(hann.get_double(1), 1, 1e-6);
  EXPECT_NEAR(hann.get_double(2), 0, 1e-6);
  EXPECT_THROW(run_one(OpKind::HannWindow, {Tensor::scalar(std::int64_t{-1})}), ModelError);
}

TEST(StringSplit, FillsRowsWithEmptyStrings) {
  const auto y = run_one(OpKind::StringSplit, {words({"a,b,c", "", "d"})}, {{"delimiter", std::string(",")}}, 2);
  EXPECT_EQ(y[0].shape(), (Shape{3, 3}));
  EXPECT_EQ(strings_of(y[0]), (Strings{"a", "b", "c", "", "", "", "d", "", ""}));
  EXPECT_EQ(to_ints(y[1]), (Ints{3, 1, 1}));
}

TEST(StringSplit, SplitsAtRunsOfWhiteSpaceAndAtMostMaxsplitTimes) {
  const auto y = run_one(OpKind::StringSplit, {words({"  a  b c ", ""})}, {}, 2);
  EXPECT_EQ(strings_of(y[0]), (Strings{"a", "b", "c", "", "", ""}));
  EXPECT_EQ(to_ints(y[1]), (Ints{3, 0}));
  const auto one = run_one(OpKind::StringSplit, {words({"a  b c"})}, {{"maxsplit", std::int64_t{1}}}, 2);
  EXPECT_EQ(strings_of(one[0]), (Strings{"a", "b c"}));
}

TEST(StringSplit, GivesAnEmptyDimensionForNoPieces) {
  const auto y = run_one(OpKind::StringSplit, {words({"", " "})}, {}, 2);
  EXPECT_EQ(y[0].shape(), (Shape{2, 0}));
}

TEST(StringConcat, Broadcasts) {
  const Tensor left = Tensor::from<std::string>({2, 1}, {"a", "b"});
  const Tensor y = run_one(OpKind::StringConcat, {left, words({"x", "y"})})[0];
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
  EXPECT_EQ(strings_of(y), (Strings{"ax", "ay", "bx", "by"}));
  EXPECT_THROW(run_one(OpKind::StringConcat, {words({"a", "b"}), words({"x", "y", "z"})}), ModelError);
}

TEST(RegexFullMatch, MatchesWholeStringsOnly) {
  const Attributes pattern = {{"pattern", std::string("[a-z]+@[a-z]+\\.com")}};
  EXPECT_EQ(to_ints(run_one(OpKind::RegexFullMatch, {words({"a@b.com", "x a@b.com", ""})}, pattern)[0]),
            (Ints{1, 0, 0}));
}

TEST(RegexFullMatch, RefusesBadPatternsAndBoundsItsWork) {
  EXPECT_THROW(run_one(OpKind::RegexFullMatch, {words({"a"})}, {{"pattern", std::string("(")}}), ModelError);
  EXPECT_THROW(run_one(OpKind::RegexFullMatch, {words({"a"})}, {{"pattern", std::string(5000, 'a')}}), LimitError);
  const Attributes nasty = {{"pattern", std::string("(a+)+b")}};  // exponential for backtracking matchers
  EXPECT_EQ(to_ints(run_one(OpKind::RegexFullMatch, {words({std::string(2000, 'a')})}, nasty)[0]), (Ints{0}));
}

TEST(StringNormalizer, ChangesCaseWithoutALocale) {
  using reference::text::with_case;
  EXPECT_EQ(with_case("Straße Ä Ω Жук", true), "STRAßE Ä Ω ЖУК");
  EXPECT_EQ(with_case("STRASSE Ä Ω ЖУК", false), "strasse ä ω жук");
  const Attributes attributes = {{"case_change_action", std::string("UPPER")}, {"stopwords", Strings{"MONDAY"}}};
  EXPECT_EQ(strings_of(run_one(OpKind::StringNormalizer, {words({"monday", "été"})}, attributes)[0]), (Strings{"ÉTÉ"}));
  EXPECT_EQ(strings_of(run_one(OpKind::StringNormalizer, {words({"monday"})}, attributes)[0]), (Strings{""}));
}

TEST(TfIdfVectorizer, CountsGramsAndChecksItsPool) {
  Attributes attributes = {{"max_gram_length", std::int64_t{2}}, {"max_skip_count", std::int64_t{1}},
                           {"min_gram_length", std::int64_t{1}}, {"mode", std::string("TF")},
                           {"ngram_counts", Ints{0, 1}},         {"ngram_indexes", Ints{0, 1}},
                           {"pool_int64s", Ints{5, 5, 7}}};
  const Tensor x = Tensor::ints({5, 6, 7, 5, 7});  // 5 twice; (5, 7) once adjoining, once over a gap
  EXPECT_EQ(to_floats(run_one(OpKind::TfIdfVectorizer, {x}, attributes)[0]), (Floats{2, 2}));
  attributes[4].second = Ints{0, 2};
  EXPECT_THROW(run_one(OpKind::TfIdfVectorizer, {x}, attributes), ModelError);
}

TEST(RandomOperators, RepeatWithTheSameSeed) {
  const Attributes attributes = {{"shape", Ints{1000}}, {"seed", 3.0F}};
  const Tensor a = run_one(OpKind::RandomNormal, {}, attributes)[0];
  EXPECT_TRUE(identical(a, run_one(OpKind::RandomNormal, {}, attributes)[0]));
  reference::RunOptions other;
  other.seed = 1;
  EXPECT_FALSE(identical(a, run_one(OpKind::RandomNormal, {}, attributes, 1, other)[0]));
  double sum = 0;
  for (const float value : to_floats(a)) sum += value;
  EXPECT_NEAR(sum / 1000, 0, 0.15);
  EXPECT_THROW(run_one(OpKind::RandomUniform, {}, {{"shape", Ints{-1}}}), ModelError);
}

TEST(RandomOperators, KeepTheirRangeAndDtype) {
  const Attributes attributes = {{"low", 2.0F}, {"high", 3.0F}, {"dtype", std::int64_t{11}}};
  const Tensor y = run_one(OpKind::RandomUniformLike, {Tensor(DType::S8, {50})}, attributes)[0];
  EXPECT_EQ(y.dtype(), DType::F64);
  for (std::int64_t i = 0; i < 50; ++i) EXPECT_TRUE(y.get_double(i) >= 2 && y.get_double(i) < 3);
  const Tensor never = run_one(OpKind::Bernoulli, {Tensor(DType::F32, {20})})[0];
  for (const float value : to_floats(never)) EXPECT_EQ(value, 0);
  EXPECT_THROW(run_one(OpKind::Bernoulli, {Tensor::from<float>({1}, {2})}), ModelError);
}

TEST(Multinomial, DrawsByLogProbability) {
  const Tensor x = Tensor::from<float>({1, 3}, {-100, std::log(1.0F), std::log(3.0F)});
  const Tensor y = run_one(OpKind::Multinomial, {x}, {{"sample_size", std::int64_t{1000}}})[0];
  double ones = 0;
  for (const std::int64_t label : to_ints(y)) {
    EXPECT_TRUE(label == 1 || label == 2);
    ones += label == 1 ? 1 : 0;
  }
  EXPECT_NEAR(ones, 250, 60);
}

TEST(Losses, WeighAndIgnoreTargets) {
  const Tensor p = Tensor::from<float>({3, 2}, {-1, -2, -3, -4, -5, -6});
  const Tensor targets = Tensor::from<std::int64_t>({3}, {0, 1, -7}), weights = Tensor::from<float>({2}, {1, 3});
  Attributes attributes = {{"ignore_index", std::int64_t{-7}}};
  EXPECT_EQ(to_floats(run_one(OpKind::NegativeLogLikelihoodLoss, {p, targets, weights}, attributes)[0]),
            (Floats{13.0F / 4}));
  EXPECT_THROW(run_one(OpKind::NegativeLogLikelihoodLoss, {p, targets}), ModelError);
  attributes.emplace_back("reduction", std::string("median"));
  EXPECT_THROW(run_one(OpKind::NegativeLogLikelihoodLoss, {p, targets}, attributes), ModelError);
}

TEST(Losses, GiveLogProbabilitiesThatSumToOne) {
  const Tensor x = Tensor::from<float>({1, 3, 2}, {1000, 1, 1001, 2, 999, 3});
  const auto y = run_one(OpKind::SoftmaxCrossEntropyLoss, {x, Tensor::from<std::int64_t>({1, 2}, {1, 0})}, {}, 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    double sum = 0;
    for (std::int64_t c = 0; c < 3; ++c) sum += std::exp(y[1].get_double(c * 2 + i));
    EXPECT_NEAR(sum, 1, 1e-4);
  }
  EXPECT_NEAR(y[0].get_double(0), -(y[1].get_double(2) + y[1].get_double(1)) / 2, 1e-5);
}

TEST(Optimizers, TakeAStep) {
  const Tensor rate = Tensor::scalar(0.5F), count = Tensor::scalar(std::int64_t{0});
  const Tensor x = Tensor::from<float>({1}, {1}), g = Tensor::from<float>({1}, {2}), v = Tensor::from<float>({1}, {4});
  const Attributes attributes = {
      {"alpha", 0.5F}, {"beta", 0.1F}, {"norm_coefficient", 0.0F}, {"mode", std::string("standard")}};
  const auto y = run_one(OpKind::Momentum, {rate, count, x, g, v}, attributes, 2);
  EXPECT_EQ(to_floats(y[1]), (Floats{4}));   // 0.5 · 4 + 2
  EXPECT_EQ(to_floats(y[0]), (Floats{-1}));  // 1 − 0.5 · 4
  EXPECT_THROW(run_one(OpKind::Momentum, {rate, count, x, g}, attributes, 2), ModelError);
}

}  // namespace
}  // namespace adze
