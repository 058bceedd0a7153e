#include "adze/quantize/rounding.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/numerics/affine.h"
#include "adze/quantize/adaround.h"
#include "adze/quantize/cholesky.h"
#include "adze/quantize/gptq.h"
#include "adze/quantize/ptq.h"
#include "adze/quantize/quantized_layers.h"
#include "tests/quantize/networks.h"

namespace adze::quantize {
namespace {

using testing::Builder;
using testing::random_batches;

/// Rows whose inputs are correlated, so that rounding errors can make up for each other.
struct Problem {
  LayerRows rows;
  RoundingProblem problem;

  Problem(std::int64_t groups, std::int64_t inputs, std::int64_t outputs, float scale, std::uint64_t seed) {
    Random random(seed);
    rows = {groups, 200, inputs, {}};
    for (std::int64_t row = 0; row < groups * rows.count; ++row) {
      const double common = random.normal();
      for (std::int64_t i = 0; i < inputs; ++i) {
        rows.values.push_back(static_cast<float>(common + 0.3 * random.normal()));
      }
    }
    problem.groups = groups;
    problem.inputs = inputs;
    problem.outputs = outputs;
    for (std::int64_t i = 0; i < groups * inputs * outputs; ++i) {
      problem.weights.push_back(static_cast<float>(random.uniform(-1, 1)));
      problem.scales.push_back(scale);
    }
    problem.low = -7;
    problem.high = 7;
    problem.rows = &rows;
    problem.targets = layer_outputs(rows, problem.weights, outputs, {});
  }
};

/// The least error over all ways of rounding up or down, of one output.
double exhaustive_error(const RoundingProblem& problem) {
  const auto n = static_cast<unsigned>(problem.inputs);
  double least = 1e30;
  for (unsigned choice = 0; choice < (1U << n); ++choice) {
    std::vector<float> codes;
    for (unsigned i = 0; i < n; ++i) {
      codes.push_back(std::floor(problem.weights[i] / problem.scales[i]) + static_cast<float>(choice >> i & 1));
    }
    least = std::min(least, reconstruction_error(problem, codes));
  }
  return least;
}

TEST(AdaRound, ComesNearTheBestOfAllRoundings) {
  double nearest = 0, learned = 0, best = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Problem one(1, 9, 1, 0.25F, seed);
    AdaRoundOptions options;
    options.iterations = 1500;
    options.batch_rows = 32;
    nearest += reconstruction_error(one.problem, nearest_codes(one.problem));
    learned += reconstruction_error(one.problem, adaround_codes(one.problem, options, seed));
    best += exhaustive_error(one.problem);
  }
  EXPECT_LT(learned, 0.7 * nearest);
  EXPECT_LT(learned, 1.5 * best) << nearest;
}

TEST(AdaRound, GivesTheSameCodesForTheSameSeedAndStaysOnTheGrid) {
  const Problem one(3, 9, 2, 0.13F, 5);
  AdaRoundOptions options;
  options.iterations = 200;
  const auto codes = adaround_codes(one.problem, options, 7);
  EXPECT_EQ(codes, adaround_codes(one.problem, options, 7));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    EXPECT_LE(std::abs(codes[i]), 7);
    if (std::abs(one.problem.weights[i] / 0.13F) < 6) {
      EXPECT_LE(std::abs(codes[i] - one.problem.weights[i] / 0.13F), 1.001F);
    }
  }
}

/// GPTQ as its paper derives it: after each column the inverse of what is left of H, by elimination.
std::vector<float> gptq_oracle(const RoundingProblem& problem, double damping) {
  const auto n = static_cast<std::size_t>(problem.inputs);
  std::vector<double> inverse(n * n, 0.0), h = input_hessian(*problem.rows, 0, damping);
  for (std::size_t i = 0; i < n; ++i) inverse[i * n + i] = 1;
  for (std::size_t i = 0; i < n; ++i) {  // Gauss-Jordan
    const double pivot = h[i * n + i];
    for (std::size_t j = 0; j < n; ++j) h[i * n + j] /= pivot, inverse[i * n + j] /= pivot;
    for (std::size_t k = 0; k < n; ++k) {
      if (k == i) continue;
      const double factor = h[k * n + i];
      for (std::size_t j = 0; j < n; ++j) {
        h[k * n + j] -= factor * h[i * n + j];
        inverse[k * n + j] -= factor * inverse[i * n + j];
      }
    }
  }
  std::vector<double> weights(problem.weights.begin(), problem.weights.end());
  std::vector<float> codes(n);
  for (std::size_t q = 0; q < n; ++q) {
    codes[q] =
        std::clamp(std::nearbyintf(static_cast<float>(weights[q] / problem.scales[q])), problem.low, problem.high);
    const double error = (weights[q] - codes[q] * static_cast<double>(problem.scales[q])) / inverse[q * n + q];
    for (std::size_t j = q + 1; j < n; ++j) weights[j] -= error * inverse[q * n + j];
    for (std::size_t i = q + 1; i < n; ++i) {
      for (std::size_t j = q + 1; j < n; ++j) {
        inverse[i * n + j] -= inverse[i * n + q] * inverse[q * n + j] / inverse[q * n + q];
      }
    }
  }
  return codes;
}

TEST(Gptq, EqualsStepByStepElimination) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Problem one(1, 24, 1, 0.2F, seed);
    EXPECT_EQ(gptq_codes(one.problem, {}), gptq_oracle(one.problem, 0.01)) << seed;
  }
}

TEST(Gptq, LowersTheErrorInEitherOrder) {
  const Problem one(2, 32, 8, 0.2F, 9);
  const double nearest = reconstruction_error(one.problem, nearest_codes(one.problem));
  EXPECT_LT(reconstruction_error(one.problem, gptq_codes(one.problem, {})), 0.5 * nearest);
  EXPECT_LT(reconstruction_error(one.problem, gptq_codes(one.problem, {0.01, true})), 0.5 * nearest);
}

TEST(Rounding, LeavesWeightsThatWerePrunedAtZero) {
  Problem one(2, 32, 8, 0.2F, 5);
  for (std::size_t i = 0; i < one.problem.weights.size(); i += 3) one.problem.weights[i] = 0;
  AdaRoundOptions options;
  options.iterations = 60;
  for (const auto& codes : {gptq_codes(one.problem, {}), adaround_codes(one.problem, options, 3)}) {
    for (std::size_t i = 0; i < codes.size(); i += 3) ASSERT_EQ(codes[i], 0) << i;
    EXPECT_GT(std::count_if(codes.begin(), codes.end(), [](float code) { return code != 0; }), 100);
  }
}

TEST(InverseUpperFactor, SquaresToTheInverse) {
  const Problem one(1, 12, 1, 0.2F, 3);
  const std::vector<double> h = input_hessian(one.rows, 0, 0.01);
  std::vector<double> u = h;
  ASSERT_TRUE(inverse_upper_factor(u, 12));
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t j = 0; j < 12; ++j) {
      double entry = 0;  // of Uᵀ·U·H
      for (std::size_t k = 0; k < 12; ++k) {
        for (std::size_t l = 0; l < 12; ++l) entry += u[k * 12 + i] * u[k * 12 + l] * h[l * 12 + j];
      }
      EXPECT_NEAR(entry, i == j ? 1 : 0, 1e-8);
    }
  }
  std::vector<double> bad{1, 2, 2, 1};
  EXPECT_FALSE(inverse_upper_factor(bad, 2));
}

TEST(GatherRows, TakesTheWindowsThatAConvolutionMultiplies) {
  Builder b(2);
  const ValueId x = b.input({2, 4, 7, 6});
  const ValueId weight = b.constant("w", b.normal({6, 2, 3, 2}, 1));
  b.graph.add_output(b.add(OpKind::Conv, {x, weight}, "conv",
                           {{"group", std::int64_t{2}},
                            {"pads", std::vector<std::int64_t>{1, 0, 2, 1}},
                            {"strides", std::vector<std::int64_t>{2, 1}},
                            {"dilations", std::vector<std::int64_t>{1, 2}},
                            {"kernel_shape", std::vector<std::int64_t>{3, 2}}}));
  infer_types(b.graph);
  const std::vector<Tensor> inputs{b.normal({2, 4, 7, 6}, 1)};
  const Tensor exact = reference::run_tensors(b.graph, inputs)[0];
  const NodeId conv = find_node(b.graph, "conv");
  const Shape shape{6, 2, 3, 2};
  const WeightLayout layout = *weight_layout(b.graph.node(conv), shape);
  RowOptions options;
  options.rows = 1000000;
  const LayerRows rows = gather_rows(b.graph, conv, layout, shape, calibration_from({inputs}), options);
  const std::int64_t positions = exact.dim(2) * exact.dim(3);
  ASSERT_EQ(rows.count, 2 * positions);
  const auto weights = b.graph.constant(weight)->data<float>();
  for (std::int64_t row = 0; row < rows.count; ++row) {
    for (std::int64_t channel = 0; channel < 6; ++channel) {
      double sum = 0;
      for (std::int64_t i = 0; i < rows.inputs; ++i) {
        sum += static_cast<double>(rows.row(channel / 3, row)[i]) * weights[layout.index(channel / 3, channel % 3, i)];
      }
      const std::int64_t at = (row / positions * 6 + channel) * positions + row % positions;
      EXPECT_NEAR(sum, exact.data<float>()[static_cast<std::size_t>(at)], 1e-4);
    }
  }
}

TEST(RoundWeights, ImprovesAQuantizedNetworkWithEitherMethod) {
  const Graph graph = testing::residual_network();
  const CalibrationData data = calibration_from(random_batches(2, {16, 3, 8, 8}));
  PtqOptions options;
  options.bits = {3, 8};
  options.end_bits = 3;
  const auto error_of = [&](const Graph& quantized) {
    double least = 1e9;
    for (const auto& inputs : random_batches(2, {32, 3, 8, 8}, 77)) {
      const auto a = reference::run_tensors(graph, inputs), b = reference::run_tensors(quantized, inputs);
      least = std::min(least, sqnr_db(a[0].data<float>(), b[0].data<float>()));
    }
    return least;
  };
  const double nearest = error_of(quantize(graph, data, options).graph);
  options.methods.adaround.iterations = 1000;
  options.methods.adaround.batch_rows = 64;
  for (const Rounding rounding : {Rounding::AdaRound, Rounding::Gptq}) {
    options.methods.rounding = rounding;
    EXPECT_GT(error_of(quantize(graph, data, options).graph), nearest + 2) << rounding_name(rounding);
  }
}

}  // namespace
}  // namespace adze::quantize
