#include "adze/engine/kernels/winograd_f32/winograd_f32.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

double tolerance_of(std::int64_t side) {
  return kernels::winograd_f32_kernel(Isa::Ref, side).tolerance;
}

/// A 3x3 convolution whose kernel's name must hold the text: it is close to the reference, and its bits are the same
/// by any number of threads.
void check(Shape x, std::int64_t outputs, const std::vector<std::int64_t>& pads, const std::string& kernel,
           double tolerance, Random& random) {
  Node node;
  node.kind = OpKind::Conv;
  node.set("pads", pads);
  const std::int64_t inputs = x[1];
  const std::vector<std::pair<Tensor, bool>> operands = {{random_floats(std::move(x), random), false},
                                                         {random_floats({outputs, inputs, 3, 3}, random), true},
                                                         {random_floats({outputs}, random), true}};
  expect_close(node, operands, tolerance);
  const Graph graph = single_node(node, operands);
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    SessionOptions options;
    options.threads = threads;
    Session session(graph, options);
    results.push_back(session.run(variable_inputs(operands)).at(0));
    ASSERT_TRUE(identical(results.front(), results.back())) << threads << " threads";
    bool found = false;
    for (const StepInfo& step : session.steps()) found = found || step.kernel.find(kernel) != std::string::npos;
    ASSERT_TRUE(found) << "not run by " << kernel;
  }
}

TEST(WinogradF32, StaysCloseToTheReferenceInTilesOfFour) {
  Random random(71);
  for (int round = 0; round < 8; ++round) {
    check({pick(random, 1, 2), pick(random, 24, 70), pick(random, 15, 24), pick(random, 15, 24)}, pick(random, 24, 70),
          {1, 1, 1, 1}, "4x4", tolerance_of(4), random);
  }
  check({1, 64, 16, 30}, 64, {0, 2, 1, 0}, "4x4", tolerance_of(4), random);
}

TEST(WinogradF32, StaysCloseToTheReferenceInTilesOfTwo) {
  Random random(72);
  check({1, 200, 14, 14}, 260, {1, 1, 1, 1}, "2x2", tolerance_of(2), random);
  check({2, 250, 9, 13}, 255, {1, 0, 1, 2}, "2x2", tolerance_of(2), random);
}

}  // namespace
}  // namespace adze
