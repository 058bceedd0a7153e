#include "adze/engine/kernels/unary_f32/unary_f32.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace adze {
namespace {

using kernels::UnaryF32Call;

struct Truth {
  const char* name;
  UnaryF32Call::Function function;
  float a, b;
  std::function<double(double)> value;
};

double gelu(double x) {
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}
double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

const Truth truths[] = {
    {"Clamp", UnaryF32Call::Clamp, -1.5f, 6.0f, [](double x) { return std::fmin(6.0, std::fmax(-1.5, x)); }},
    {"LeakyRelu", UnaryF32Call::LeakyRelu, 0.1f, 0, [](double x) { return x < 0 ? double{0.1f} * x : x; }},
    {"HardSigmoid", UnaryF32Call::HardSigmoid, 0.2f, 0.5f,
     [](double x) { return std::fmin(1.0, std::fmax(0.0, double{0.2f} * x + 0.5)); }},
    {"HardSwish", UnaryF32Call::HardSwish, 0, 0,
     [](double x) { return x * std::fmin(1.0, std::fmax(0.0, x / 6 + 0.5)); }},
    {"Exp", UnaryF32Call::Exp, 0, 0, [](double x) { return std::exp(x); }},
    {"Sigmoid", UnaryF32Call::Sigmoid, 0, 0, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"Silu", UnaryF32Call::Silu, 0, 0, [](double x) { return x / (1 + std::exp(-x)); }},
    {"Tanh", UnaryF32Call::Tanh, 0, 0, [](double x) { return std::tanh(x); }},
    {"Erf", UnaryF32Call::Erf, 0, 0, [](double x) { return std::erf(x); }},
    {"Gelu", UnaryF32Call::Gelu, 0, 0, gelu},
    {"GeluTanh", UnaryF32Call::GeluTanh, 0, 0, gelu_tanh},
    {"Neg", UnaryF32Call::Neg, 0, 0, [](double x) { return -x; }},
};

/// Numbers of every size up to 100, both signs, densest around 1.
std::vector<float> numbers() {
  std::vector<float> x = {0.0f, -0.0f};
  for (double size = 1e-8; size < 100; size *= 1.0007) {
    x.push_back(static_cast<float>(size));
    x.push_back(static_cast<float>(-size));
  }
  return x;
}

TEST(UnaryF32, KeepsToItsToleranceEverywhere) {
  const std::vector<float> x = numbers();
  std::vector<float> y(x.size());
  for (const kernels::UnaryF32Kernel& kernel : kernels::unary_f32_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa)) continue;
    for (const Truth& truth : truths) {
      kernel.run({truth.function, truth.a, truth.b, static_cast<std::int64_t>(x.size()), x.data(), y.data()});
      double worst = 0;
      float at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = truth.value(x[i]);
        if (std::abs(expected) > 3e38) continue;
        const double error = std::abs(y[i] - expected) / std::fmax(1.0, std::abs(expected));
        if (error > worst) worst = error, at = x[i];
      }
      EXPECT_LE(worst, kernel.tolerance) << kernel.name << " " << truth.name << " at " << at;
    }
  }
}

TEST(UnaryF32, TakesInfinitiesNotANumberAndAnyCount) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const kernels::UnaryF32Kernel& kernel : kernels::unary_f32_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa)) continue;
    const auto run = [&](UnaryF32Call::Function function, float x) {
      float y = 7;
      kernel.run({function, 0, infinity, 1, &x, &y});
      return y;
    };
    EXPECT_EQ(run(UnaryF32Call::Exp, infinity), infinity) << kernel.name;
    EXPECT_EQ(run(UnaryF32Call::Exp, -infinity), 0.0f) << kernel.name;
    EXPECT_FLOAT_EQ(run(UnaryF32Call::Sigmoid, infinity), 1.0f) << kernel.name;
    EXPECT_NEAR(run(UnaryF32Call::Sigmoid, -infinity), 0.0f, 1e-30) << kernel.name;
    EXPECT_FLOAT_EQ(run(UnaryF32Call::Tanh, -infinity), -1.0f) << kernel.name;
    EXPECT_FLOAT_EQ(run(UnaryF32Call::Erf, infinity), 1.0f) << kernel.name;
    for (const Truth& truth : truths) {
      EXPECT_TRUE(std::isnan(run(truth.function, std::nanf("")))) << kernel.name << " " << truth.name;
    }
    std::vector<float> x(40, 4.0f), y(40, -1.0f);
    for (std::int64_t count = 0; count < 40; ++count) {
      std::fill(y.begin(), y.end(), -1.0f);
      kernel.run({UnaryF32Call::Sqrt, 0, 0, count, x.data(), y.data()});
      for (std::int64_t i = 0; i < 40; ++i) ASSERT_EQ(y[static_cast<std::size_t>(i)], i < count ? 2.0f : -1.0f);
    }
  }
}

}  // namespace
}  // namespace adze
