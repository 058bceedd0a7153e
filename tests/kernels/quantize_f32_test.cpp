#include "adze/engine/kernels/quantize_f32/quantize_f32.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "adze/base/random.h"

namespace adze {
namespace {

using kernels::QuantizeF32Call;

/// Numbers at, just below and just above every half step, and ones that no byte holds.
std::vector<float> hard_numbers(float scale, Random& random) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> x = {0.0f, -0.0f, infinity, -infinity, std::nanf(""), 3e38f, -3e38f, 1e-40f};
  for (int i = -300; i < 300; ++i) {
    const float half = (static_cast<float>(i) + 0.5f) * scale;
    for (const float value : {half, std::nextafter(half, infinity), std::nextafter(half, -infinity)})
      x.push_back(value);
  }
  for (int i = 0; i < 1000; ++i) x.push_back(static_cast<float>(random.normal()) * 100.0f * scale);
  return x;
}

TEST(QuantizeF32, GivesTheSameBytesOnEveryInstructionSet) {
  Random random(5);
  const auto& lines = kernels::quantize_f32_kernels();
  for (int round = 0; round < 60; ++round) {
    const float scale = static_cast<float>(std::exp(random.uniform(-40.0, 40.0)));
    const std::vector<float> x = hard_numbers(scale, random);
    const QuantizeF32Call call{static_cast<std::int64_t>(x.size()),
                               scale,
                               static_cast<std::int32_t>(random.below(256)),
                               0,
                               255,
                               static_cast<std::uint8_t>(random.below(2) == 0 ? 0 : 0x80)};
    std::vector<std::uint8_t> expected(x.size()), got(x.size());
    lines.back().run(call, x.data(), expected.data());
    for (const auto& line : lines) {
      if (!isa_allows(machine_isa(), line.isa)) continue;
      line.run(call, x.data(), got.data());
      for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(got[i], expected[i]) << line.name << " " << x[i] / scale;
    }
  }
}

TEST(QuantizeF32, GivesTheSameFloatsOnEveryInstructionSet) {
  std::vector<std::uint8_t> x;
  for (int i = 0; i < 300; ++i) x.push_back(static_cast<std::uint8_t>(i));
  const QuantizeF32Call call{300, 0.037f, 77, 0, 255, 0x80};
  const auto& lines = kernels::dequantize_f32_kernels();
  std::vector<float> expected(x.size()), got(x.size());
  lines.back().run(call, x.data(), expected.data());
  for (const auto& line : lines) {
    if (!isa_allows(machine_isa(), line.isa)) continue;
    line.run(call, x.data(), got.data());
    EXPECT_EQ(got, expected) << line.name;
  }
}

}  // namespace
}  // namespace adze
