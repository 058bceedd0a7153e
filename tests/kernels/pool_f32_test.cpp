#include "adze/engine/kernels/pool_f32/pool_f32.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

TEST(PoolF32, TakesWindowsOfAnyKind) {
  Random random(61);
  constexpr double tolerance = 1e-6;
  for (int round = 0; round < 40; ++round) {
    const std::int64_t kh = pick(random, 1, 4), kw = pick(random, 1, 4);
    Node node;
    node.kind = round % 2 == 0 ? OpKind::MaxPool : OpKind::AveragePool;
    node.set("kernel_shape", std::vector<std::int64_t>{kh, kw});
    node.set("strides", std::vector<std::int64_t>{pick(random, 1, 3), pick(random, 1, 3)});
    node.set("dilations", std::vector<std::int64_t>{1, round % 5 == 0 ? 2 : 1});
    node.set("pads", std::vector<std::int64_t>{pick(random, 0, kh - 1), pick(random, 0, kw - 1),
                                               pick(random, 0, kh - 1), pick(random, 0, kw - 1)});
    if (node.kind == OpKind::AveragePool) node.set("count_include_pad", pick(random, 0, 1));
    const Shape x = {pick(random, 1, 2), pick(random, 1, 150), pick(random, kh, 9), pick(random, 2 * kw, 11)};
    expect_close(node, {{random_floats(x, random), false}}, tolerance);
  }
}

TEST(PoolF32, TakesMeansOfWholePictures) {
  Random random(62);
  for (const std::int64_t channels : {1, 8, 20, 64, 133}) {
    Node node;
    node.kind = OpKind::GlobalAveragePool;
    expect_close(node, {{random_floats({2, channels, 7, 5}, random), false}}, 1e-6);
  }
}

}  // namespace
}  // namespace adze
