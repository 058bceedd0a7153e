#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

struct Operands {
  DType a, b;
  double a_scale, b_scale;
};

Node node_of(OpKind kind, RoundingProfile profile, const Operands& operands, Random& random) {
  Node node;
  node.kind = kind;
  node.set("rounding", std::string(rounding_name(profile)));
  node.set("a_scale", static_cast<float>(operands.a_scale));
  node.set("b_scale", static_cast<float>(operands.b_scale));
  node.set("a_zero_point", pick(random, integer_min(operands.a), integer_max(operands.a)));
  node.set("b_zero_point", pick(random, integer_min(operands.b), integer_max(operands.b)));
  set_output(node, operands.a, kind == OpKind::QMul ? 0.03f : 0.04f, random);
  return node;
}

DType random_dtype(Random& random) {
  return random.below(2) == 0 ? DType::S8 : DType::U8;
}

/// Every byte of a against every byte of b, given whole and as one row.
TEST(BinaryS8, EqualsTheReferenceForEveryPairOfBytes) {
  Random random(61);
  for (const RoundingProfile profile : all_profiles) {
    for (const OpKind kind : {OpKind::QAdd, OpKind::QSub, OpKind::QMul}) {
      // Drawn scales, equal ones, and ones with many ties.
      for (const auto& [left, right] : {std::pair{0.02 * std::exp(random.uniform(-2.0, 2.0)), 0.011},
                                        std::pair{0.04, 0.04}, std::pair{0.02, 0.01}, std::pair{0.03, 0.5}}) {
        const Operands operands{random_dtype(random), random_dtype(random), left, right};
        Tensor a(operands.a, {256, 256}), b(operands.b, {256, 256}), row(operands.b, {1, 256});
        for (std::int64_t i = 0; i < 65536; ++i) {
          a.set_int(i, integer_min(operands.a) + i / 256);
          b.set_int(i, integer_min(operands.b) + i % 256);
          if (i < 256) row.set_int(i, integer_min(operands.b) + i);
        }
        const Node node = node_of(kind, profile, operands, random);
        expect_same_bytes(node, {{a, false}, {b, false}});
        expect_same_bytes(node, {{a, false}, {row, false}});
      }
    }
  }
}

TEST(BinaryS8, EqualsTheReferenceForGatesOfAnyWidth) {
  Random random(62);
  for (const std::int64_t channels : {1, 3, 16, 24, 63, 64, 72, 96, 130, 1152, 2100}) {
    for (const RoundingProfile profile : all_profiles) {
      for (const std::int64_t pictures : {1, 2}) {
        const Operands operands{random_dtype(random), random_dtype(random), 0.03, 1.0 / 255};
        const Node node = node_of(random.below(2) == 0 ? OpKind::QMul : OpKind::QAdd, profile, operands, random);
        const Tensor a = random_bytes(operands.a, {pictures, 7, 3, channels}, random);
        const Tensor b = random_bytes(operands.b, {pictures, 1, 1, channels}, random);
        expect_same_bytes(node, {{a, false}, {b, false}});
        expect_same_bytes(node, {{a, false}, {random_bytes(operands.b, {1}, random), false}});
      }
    }
  }
}

}  // namespace
}  // namespace adze
