#include "adze/base/text.h"
#include "adze/plan/coded_weights.h"
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

/// x → MatMul, Gemm or Conv with weights that a DequantizeLinear makes of codes, then what networks put behind it.
struct Network {
  Graph graph;
  Shape x;
  std::int64_t depth = 0, columns = 0;
};

Tensor random_codes(DType dtype, Shape shape, int bits, Random& random) {
  Tensor tensor(dtype, std::move(shape));
  const std::int64_t low = is_signed_integer(dtype) ? -(1 << (bits - 1)) : 0;
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, low + pick(random, 0, (1 << bits) - 1));
  return tensor;
}

Tensor random_scales(Shape shape, Random& random) {
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(0.01 + 0.1 * random.uniform());
  return tensor;
}

Network random_network(Random& random) {
  Network result;
  Graph& graph = result.graph;
  const OpKind kinds[] = {OpKind::MatMul, OpKind::Gemm, OpKind::Conv};
  const OpKind kind = kinds[random.below(3)];
  const DType dtypes[] = {DType::S4, DType::U4, DType::S8, DType::U8};
  const DType dtype = dtypes[random.below(4)];
  const std::int64_t depth = result.depth = pick(random, 1, 150), columns = result.columns = pick(random, 1, 90);
  const bool turned = kind == OpKind::Conv || (kind == OpKind::Gemm && random.below(2) == 0);
  const bool blocked = dtype_bits(dtype) == 8 || random.below(2) == 0;
  const std::int64_t block = pick(random, 1, 6) * 8, blocks = (depth + block - 1) / block;
  Shape codes = turned ? Shape{columns, depth} : Shape{depth, columns};
  Shape scales = !blocked ? Shape{columns} : turned ? Shape{columns, blocks} : Shape{blocks, columns};
  if (kind == OpKind::Conv) {
    codes.insert(codes.end(), {1, 1});
    if (blocked) scales.insert(scales.end(), {1, 1});
  }
  const int bits = dtype_bits(dtype) == 4 ? static_cast<int>(pick(random, 1, 4)) : 8;
  std::vector<ValueId> inputs = {graph.add_constant("codes", random_codes(dtype, codes, bits, random)),
                                 graph.add_constant("scales", random_scales(scales, random))};
  if (random.below(2) == 0) inputs.push_back(graph.add_constant("zeros", random_codes(dtype, scales, bits, random)));
  result.x = kind == OpKind::Conv   ? Shape{2, depth, 5, 3}
             : kind == OpKind::Gemm ? Shape{pick(random, 1, 20), depth}
             : random.below(2) == 0 ? Shape{2, 3, depth}
                                    : Shape{1, depth};
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(result.x)));
  const std::int64_t axis = blocked ? (turned ? 1 : 0) : (turned ? 0 : 1);
  const ValueId w = graph.add(OpKind::DequantizeLinear, inputs,
                              {{"axis", axis}, {"block_size", blocked ? block : std::int64_t{0}}}, "w");
  std::vector<ValueId> operands = {x, w};
  const ValueId bias = graph.add_constant("bias", random_floats({columns}, random));
  const bool has_bias = random.below(2) == 0;
  if (has_bias && kind != OpKind::MatMul) operands.push_back(bias);
  ValueId y = graph.add(kind, operands, {}, "product");
  if (kind == OpKind::Gemm && turned) graph.node(graph.value(y).producer).set("transB", std::int64_t{1});
  if (has_bias && kind == OpKind::MatMul) y = graph.add(OpKind::Add, {bias, y}, {}, "sum");
  if (random.below(2) == 0) y = graph.add(random.below(2) == 0 ? OpKind::Relu : OpKind::Gelu, {y}, {}, "act");
  graph.add_output(y);
  infer_types(graph);
  return result;
}

TEST(CodedProduct, GivesWhatTheExpandedWeightsGiveOnEveryInstructionSet) {
  Random random(91);
  for (int round = 0; round < 40; ++round) {
    const Network network = random_network(random);
    const std::vector<Tensor> x = {random_floats(network.x, random)};
    const Tensor expected = reference::run_tensors(network.graph, x).at(0);
    std::optional<Tensor> first;
    for (const Isa isa : machine_isas()) {
      for (const int threads : {1, 2}) {
        SessionOptions options;
        options.isa = isa_name(isa);
        options.threads = threads;
        Session session(network.graph, options);
        const Tensor y = session.run(x).at(0);
        ASSERT_EQ(y.shape(), expected.shape());
        for (std::int64_t i = 0; i < y.size(); ++i) {
          ASSERT_NEAR(y.get_double(i), expected.get_double(i), 3e-5 * (1.0 + std::abs(expected.get_double(i))))
              << isa_name(isa) << " at element " << i << "\n"
              << print_graph(network.graph, {false});
        }
        bool coded = false;
        for (const StepInfo& step : session.steps()) coded = coded || step.op == "QGemm";
        ASSERT_TRUE(coded) << print_graph(network.graph, {false});
      }
    }
  }
}

Graph matrix_product(const Tensor& codes, const Tensor& scales, std::int64_t block) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{1, codes.dim(0)})));
  const ValueId w =
      graph.add(OpKind::DequantizeLinear, {graph.add_constant("codes", codes), graph.add_constant("scales", scales)},
                {{"axis", std::int64_t{block > 0 ? 0 : 1}}, {"block_size", block}}, "w");
  graph.add_output(graph.add(OpKind::MatMul, {x, w}, {}, "y"));
  infer_types(graph);
  return graph;
}

TEST(CodedProduct, PacksAsFewBitsAsCodesNeed) {
  Random random(92);
  constexpr std::int64_t side = 256;
  const std::pair<std::vector<int>, double> cases[] = {
      {{-1, 1}, 1}, {{0, 1}, 1}, {{-1, 0, 1}, 2}, {{-8, 7}, 4}, {{-127, 127}, 8}};
  for (const auto& [values, bits] : cases) {
    Tensor codes(DType::S8, {side, side});
    for (std::int64_t i = 0; i < codes.size(); ++i) codes.set_int(i, values[random.below(values.size())]);
    const Graph graph = matrix_product(codes, random_scales({side / 128, side}, random), 128);
    Session session(graph);
    const std::vector<Tensor> x = {random_floats({1, side}, random)};
    const Tensor y = session.run(x).at(0), expected = reference::run_tensors(graph, x).at(0);
    for (std::int64_t i = 0; i < y.size(); ++i) {
      ASSERT_NEAR(y.get_double(i), expected.get_double(i), 2e-5 * (1.0 + std::abs(expected.get_double(i))));
    }
    const double expected_bytes = side * side / 8.0 * bits + side * 2 * 4;
    EXPECT_NEAR(static_cast<double>(session.packed_weight_bytes()), expected_bytes, 0.02 * expected_bytes + 256)
        << bits << " bits";
  }
}

/// Weights that a node of this kind makes of the constants.
Graph product_of_made(OpKind kind, const std::vector<Tensor>& constants, std::int64_t depth, std::int64_t rows) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{rows, depth})));
  std::vector<ValueId> inputs;
  for (const Tensor& tensor : constants) inputs.push_back(graph.add_constant(cat("c", inputs.size()), tensor));
  ValueId w = ValueId::None;
  if (kind == OpKind::Gather) {
    const ValueId indices = graph.add(OpKind::Cast, {inputs[1]}, {{"to", std::int64_t{7}}}, "indices");
    w = graph.add(kind, {inputs[0], indices}, {}, "values");
    if (inputs.size() > 2) w = graph.add(OpKind::Mul, {w, inputs[2]}, {}, "w");
  } else if (kind == OpKind::Cast) {
    w = graph.add(kind, inputs, {{"to", std::int64_t{1}}}, "w");
  } else {
    w = graph.add(kind, inputs, {{"axis", std::int64_t{1}}}, "w");
  }
  graph.add_output(graph.add(OpKind::MatMul, {x, w}, {}, "y"));
  infer_types(graph);
  return graph;
}

TEST(CodedProduct, DecodesHalvesSmallFloatsAndCodebooks) {
  Random random(94);
  constexpr std::int64_t depth = 200, columns = 70;
  const auto stored = [&](DType dtype) {
    Tensor tensor(dtype, {depth, columns});
    for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_double(i, random.normal());
    return tensor;
  };
  const auto indices = [&](DType dtype, std::uint64_t count) {
    Tensor tensor(dtype, {depth, columns});
    for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, static_cast<std::int64_t>(random.below(count)));
    return tensor;
  };
  const Tensor scales = random_scales({columns}, random), scale_row = random_scales({1, columns}, random);
  const struct {
    OpKind kind;
    std::vector<Tensor> constants;
    double bits;
  } cases[] = {{OpKind::Cast, {stored(DType::F16)}, 16},
               {OpKind::Cast, {stored(DType::BF16)}, 16},
               {OpKind::DequantizeLinear, {stored(DType::F8E4M3), scales}, 8},
               {OpKind::DequantizeLinear, {stored(DType::F8E5M2), scales}, 8},
               {OpKind::Gather, {random_floats({16}, random), indices(DType::U4, 16)}, 4},
               {OpKind::Gather, {random_floats({200}, random), indices(DType::U8, 200), scale_row}, 8}};
  for (const auto& test : cases) {
    for (const std::int64_t rows : {1, 7}) {
      const Graph graph = product_of_made(test.kind, test.constants, depth, rows);
      const std::vector<Tensor> x = {random_floats({rows, depth}, random)};
      const Tensor expected = reference::run_tensors(graph, x).at(0);
      for (const Isa isa : machine_isas()) {
        SessionOptions options;
        options.isa = isa_name(isa);
        Session session(graph, options);
        const Tensor y = session.run(x).at(0);
        for (std::int64_t i = 0; i < y.size(); ++i) {
          ASSERT_NEAR(y.get_double(i), expected.get_double(i), 1e-4) << isa_name(isa) << ", " << test.bits << " bits";
        }
        const double bytes = depth * 80 / 8.0 * test.bits;
        EXPECT_NEAR(static_cast<double>(session.packed_weight_bytes()), bytes, 0.05 * bytes + 512)
            << test.bits << " bits";
      }
    }
  }
}

TEST(CodedProduct, RoundsItsInputsOnlyWhenAsked) {
  Random random(93);
  const Graph graph = matrix_product(random_codes(DType::S4, {128, 64}, 4, random), random_scales({4, 64}, random), 32);
  const std::vector<Tensor> x = {random_floats({1, 128}, random)};
  const Tensor expected = reference::run_tensors(graph, x).at(0);
  SessionOptions options;
  options.low_bit_inputs = LowBitInputs::Int8;
  Session rounding(graph, options);
  const Tensor y = rounding.run(x).at(0);
  double error = 0, largest = 0;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    error = std::max(error, std::abs(y.get_double(i) - expected.get_double(i)));
    largest = std::max(largest, std::abs(expected.get_double(i)));
  }
  EXPECT_GT(error, 1e-5 * largest);
  EXPECT_LT(error, 2e-2 * largest);
  options.isa = "ref";
  EXPECT_TRUE(identical(Session(graph, options).run(x).at(0), y));
}

}  // namespace
}  // namespace adze
