#include "adze/base/text.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

/// Values of which a share is zero.
Tensor with_zeros(Shape shape, double zeros, Random& random) {
  Tensor tensor = random_floats(std::move(shape), random);
  for (float& value : tensor.mutable_data<float>()) value = random.uniform() < zeros ? 0.0f : value;
  return tensor;
}

/// -a, a and, when ternary, 0, with one a for each output.
Tensor sign_weights(Shape shape, bool ternary, Random& random) {
  Tensor tensor(DType::F32, shape);
  const std::int64_t each = tensor.size() / shape[0];
  const auto data = tensor.mutable_data<float>();
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    const auto scale = static_cast<float>(0.1 + random.uniform());
    for (std::int64_t i = 0; i < each; ++i) {
      const bool zero = ternary && random.below(3) == 0;
      data[static_cast<std::size_t>(o * each + i)] = zero ? 0.0f : random.below(2) == 0 ? scale : -scale;
    }
  }
  return tensor;
}

/// Every instruction set gives the reference's numbers within rounding, and all the same bits.
void expect_counted(const Graph& graph, const Tensor& x, std::string_view kind) {
  const Tensor expected = reference::run_tensors(graph, std::vector<Tensor>{x}).at(0);
  std::optional<Tensor> first;
  for (const Isa isa : machine_isas()) {
    for (const int threads : {1, 2}) {
      SessionOptions options;
      options.isa = isa_name(isa);
      options.threads = threads;
      Session session(graph, options);
      const Tensor y = session.run(std::vector<Tensor>{x}).at(0);
      ASSERT_EQ(y.shape(), expected.shape());
      for (std::int64_t i = 0; i < y.size(); ++i) {
        ASSERT_NEAR(y.get_double(i), expected.get_double(i), 1e-5 * (1.0 + std::abs(expected.get_double(i))))
            << isa_name(isa) << " at element " << i << "\n"
            << print_graph(graph, {false});
      }
      if (!first) first = y;
      ASSERT_TRUE(identical(*first, y)) << isa_name(isa);
      bool counted = false;
      for (const StepInfo& step : session.steps()) {
        counted = counted || (step.kernel.starts_with("sign_sums") && step.kernel.find(kind) != std::string::npos);
      }
      ASSERT_TRUE(counted) << isa_name(isa) << "\n" << print_graph(graph, {false});
    }
  }
}

TEST(SignSums, ConvolutionsOfSignsCountBits) {
  Random random(97);
  for (int round = 0; round < 30; ++round) {
    const bool ternary = random.below(2) == 0;
    const std::int64_t channels = pick(random, 1, 140), outputs = pick(random, 2, 40), side = pick(random, 4, 9);
    const std::int64_t kernel = pick(random, 1, 3), pad = pick(random, 0, kernel - 1), stride = pick(random, 1, 2);
    Graph graph;
    const Shape shape = {2, channels, side, side + 1};
    const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(shape)));
    const ValueId sign = graph.add(OpKind::Sign, {x}, {}, "sign");
    std::vector<ValueId> inputs = {
        sign, graph.add_constant("w", sign_weights({outputs, channels, kernel, kernel}, ternary, random))};
    if (random.below(2) == 0) inputs.push_back(graph.add_constant("b", random_floats({outputs}, random)));
    graph.add_output(graph.add(
        OpKind::Conv, inputs,
        {{"pads", std::vector<std::int64_t>(4, pad)}, {"strides", std::vector<std::int64_t>(2, stride)}}, "y"));
    infer_types(graph);
    expect_counted(graph, with_zeros(shape, random.below(2) == 0 ? 0.0 : 0.2, random), "");
  }
}

TEST(SignSums, ProductsOfSignsWithStoredCodesCountBits) {
  Random random(98);
  for (const bool ternary : {false, true}) {
    constexpr std::int64_t depth = 100, columns = 37;
    Tensor codes(DType::S4, {depth, columns}), scales(DType::F32, {columns});
    for (std::int64_t i = 0; i < codes.size(); ++i) {
      codes.set_int(i, ternary ? pick(random, -1, 1) : 2 * pick(random, 0, 1) - 1);
    }
    for (float& scale : scales.mutable_data<float>()) scale = static_cast<float>(0.1 + random.uniform());
    Graph graph;
    const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{5, depth})));
    const ValueId w =
        graph.add(OpKind::DequantizeLinear, {graph.add_constant("codes", codes), graph.add_constant("scales", scales)},
                  {{"axis", std::int64_t{1}}}, "w");
    const ValueId sign = graph.add(OpKind::Sign, {x}, {}, "sign");
    const ValueId product = graph.add(OpKind::MatMul, {sign, w}, {}, "product");
    const ValueId bias = graph.add_constant("b", random_floats({columns}, random));
    graph.add_output(graph.add(OpKind::Add, {product, bias}, {}, "y"));
    infer_types(graph);
    expect_counted(graph, with_zeros({5, depth}, 0.1, random), ternary ? "ternary" : "binary");
  }
}

}  // namespace
}  // namespace adze
