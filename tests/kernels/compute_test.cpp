#include "adze/engine/compute.h"

#include "adze/base/error.h"
#include "adze/numerics/float_formats.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;
using Operands = std::vector<std::pair<Tensor, bool>>;

Tensor rounded(const Tensor& tensor) {
  Tensor result(DType::F32, tensor.shape());
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    result.mutable_data<float>()[at] = static_cast<float>(BFloat16(tensor.data<float>()[at]));
  }
  return result;
}

Tensor absolute(Tensor tensor) {
  for (float& value : tensor.mutable_data<float>()) value = std::abs(value);
  return tensor;
}

/// In bf16: close to the reference on rounded factors (the first two operands), the same bits by any number of threads.
/// Capped below bf16 instructions: the bits of f32.
void check_bf16(const Node& node, const Operands& operands) {
  const Graph graph = single_node(node, operands);
  const std::vector<Tensor> inputs = variable_inputs(operands);
  Operands exact = operands, magnitudes = operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (i < 2) exact[i].first = rounded(operands[i].first);
    magnitudes[i].first = absolute(operands[i].first);
  }
  const Tensor expected = reference::run_tensors(single_node(node, exact), variable_inputs(exact)).at(0);
  const Tensor magnitude = reference::run_tensors(single_node(node, magnitudes), variable_inputs(magnitudes)).at(0);
  SessionOptions options;
  options.compute = Compute::Bf16;
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    if (!isa_allows(machine_isa(), Isa::Avx512Bf16)) break;
    options.threads = threads;
    Session session(graph, options);
    results.push_back(session.run(inputs).at(0));
    ASSERT_TRUE(identical(results.front(), results.back())) << threads << " threads";
    for (const StepInfo& step : session.steps()) {
      ASSERT_TRUE(step.op != op_name(node.kind) || step.kernel.starts_with("dense_bf16")) << step.kernel;
    }
  }
  for (std::int64_t i = 0; !results.empty() && i < expected.size(); ++i) {
    ASSERT_NEAR(results[0].get_double(i), expected.get_double(i), 3e-6 * (1.0 + magnitude.get_double(i)))
        << "element " << i << "\n"
        << print_graph(graph, {false});
  }
  options.isa = "avx512vbmi";
  const Tensor capped = Session(graph, options).run(inputs).at(0);
  options.compute = Compute::F32;
  ASSERT_TRUE(identical(capped, Session(graph, options).run(inputs).at(0)));
}

TEST(ComputeBf16, RoundsTheFactorsOfConvolutions) {
  Random random(71);
  for (int round = 0; round < 14; ++round) {
    const std::int64_t groups = round % 4 == 3 ? 2 : 1, inputs = pick(random, 2, 40), outputs = pick(random, 2, 90);
    const std::int64_t side = pick(random, 1, 3), dilation = round % 5 == 4 ? 2 : 1;
    Node node;
    node.kind = OpKind::Conv;
    node.set("strides", std::vector<std::int64_t>{pick(random, 1, 2), pick(random, 1, 2)});
    node.set("pads", std::vector<std::int64_t>{side - 1, 0, pick(random, 0, 1), side - 1});
    node.set("dilations", std::vector<std::int64_t>{dilation, dilation});
    node.set("group", groups);
    Operands operands = {
        {random_floats({pick(random, 1, 2), groups * inputs, pick(random, 5, 19), pick(random, 5, 40)}, random), false},
        {random_floats({groups * outputs, inputs, side, side}, random), true}};
    if (round % 2 == 0) operands.emplace_back(random_floats({groups * outputs}, random), true);
    check_bf16(node, operands);
  }
}

TEST(ComputeBf16, RoundsTheFactorsOfProducts) {
  Random random(72);
  for (const Shape& shape : {Shape{1, 7, 5}, Shape{1, 640, 130}, Shape{33, 31, 17}, Shape{300, 64, 200}}) {
    for (const bool turned : {false, true}) {
      Node node;
      node.kind = OpKind::Gemm;
      node.set("transB", std::int64_t{turned ? 1 : 0});
      check_bf16(node, {{random_floats({shape[0], shape[1]}, random), false},
                        {random_floats(turned ? Shape{shape[2], shape[1]} : Shape{shape[1], shape[2]}, random), true},
                        {random_floats({shape[2]}, random), true}});
    }
    Node node;
    node.kind = OpKind::MatMul;
    check_bf16(node, {{random_floats({2, shape[0], shape[1]}, random), false},
                      {random_floats({shape[1], shape[2]}, random), true}});
    check_bf16(node, {{random_floats({2, 3, shape[0], shape[1]}, random), false},
                      {random_floats({2, 3, shape[1], shape[2]}, random), false}});
  }
}

TEST(ComputeBf16, IsNamed) {
  EXPECT_EQ(compute_from_name("bf16"), Compute::Bf16);
  EXPECT_EQ(compute_name(Compute::F32), "f32");
  EXPECT_THROW(compute_from_name("fp8"), UsageError);
}

}  // namespace
}  // namespace adze
