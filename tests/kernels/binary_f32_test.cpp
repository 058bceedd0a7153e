#include "adze/engine/kernels/binary_f32/binary_f32.h"

#include <limits>

#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

/// The shape with some dimensions turned into 1, or left out at the front.
Shape broadcastable(const Shape& shape, Random& random) {
  Shape result;
  for (const std::int64_t size : shape) result.push_back(random.below(3) == 0 ? 1 : size);
  if (random.below(4) == 0) result.erase(result.begin());
  return result;
}

TEST(BinaryF32, GivesTheReferencesBitsOnAnyShapes) {
  Random random(71);
  const OpKind kinds[] = {OpKind::Add, OpKind::Sub, OpKind::Mul, OpKind::Div};
  for (int round = 0; round < 60; ++round) {
    Node node;
    node.kind = kinds[round % 4];
    const Shape y = {pick(random, 1, 3), pick(random, 1, 5), pick(random, 1, 70)};
    const Shape a = round % 2 == 0 ? y : broadcastable(y, random), b = broadcastable(y, random);
    expect_close(node, {{random_floats(a, random), false}, {random_floats(b, random), round % 3 == 0}}, 0);
  }
}

TEST(BinaryF32, KeepsResultsWithinBounds) {
  std::vector<float> a(37, 2.0f), b(37), y(37);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i) - 18.0f;
  b[20] = std::numeric_limits<float>::quiet_NaN();
  for (const kernels::BinaryF32Kernel& kernel : kernels::binary_f32_kernels()) {
    if (!isa_allows(machine_isa(), kernel.isa)) continue;
    kernel.run({kernels::BinaryF32Op::Add, a.data(), b.data(), 1, 1, 37, true, 0.0f, 6.0f, y.data()});
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (i == 20) {
        EXPECT_NE(y[i], y[i]) << kernel.name;
      } else {
        EXPECT_EQ(y[i], std::min(std::max(a[i] + b[i], 0.0f), 6.0f)) << kernel.name << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace adze
