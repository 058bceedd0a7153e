#include <algorithm>
#include <numeric>

#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

void check_transpose(const Shape& shape, const std::vector<std::int64_t>& perm, Random& random) {
  for (const DType dtype : {DType::U8, DType::S8, DType::F16, DType::F32, DType::S64}) {
    Node node;
    node.kind = OpKind::Transpose;
    if (!perm.empty()) node.set("perm", perm);
    Tensor x = dtype == DType::F32 ? random_floats(shape, random) : Tensor(dtype, shape);
    if (dtype != DType::F32) {
      for (std::int64_t i = 0; i < x.size(); ++i) x.set_int(i, static_cast<std::int64_t>(random.below(100)));
    }
    expect_same_bytes(node, {{x, false}});
  }
}

TEST(Transpose, EqualsTheReferenceForEveryPermutationOfFourAxes) {
  Random random(81);
  std::vector<std::int64_t> perm = {0, 1, 2, 3};
  do {
    check_transpose({3, 5, 2, 7}, perm, random);
  } while (std::ranges::next_permutation(perm).found);
}

TEST(Transpose, EqualsTheReferenceOnMatricesOfAnySize) {
  Random random(82);
  for (const std::int64_t rows : {1, 2, 3, 4, 7, 16, 17, 33, 70}) {
    for (const std::int64_t columns : {1, 3, 8, 15, 64, 100}) check_transpose({rows, columns}, {}, random);
  }
}

TEST(Transpose, EqualsTheReferenceOnShapesOfNetworks) {
  Random random(83);
  check_transpose({1, 64, 4, 32}, {0, 2, 3, 1}, random);       // keys of attention
  check_transpose({1, 64, 4, 32}, {0, 2, 1, 3}, random);       // heads
  check_transpose({2, 24, 13, 9}, {0, 2, 3, 1}, random);       // channels last
  check_transpose({2, 13, 9, 24}, {0, 3, 1, 2}, random);       // and first
  check_transpose({1, 2, 40, 5, 5}, {0, 2, 1, 3, 4}, random);  // shuffled channels
}

}  // namespace
}  // namespace adze
