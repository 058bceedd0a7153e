// A whole integer network, with what the engine fuses, arranges and shares between its layers.
#include "tests/kernels/support.h"

namespace adze {
namespace {

using namespace kernel_test;

using Attributes = std::vector<std::pair<std::string, Attribute>>;
constexpr float scale = 0.02f;
constexpr std::int64_t zero_point = 3;

/// Inverted residual blocks as in MobileNet V3: every value is s8 with the same scale and zero point.
struct Network {
  Graph graph;
  Random random{71};
  std::string rounding;

  explicit Network(RoundingProfile profile) : rounding(rounding_name(profile)) {
    const ValueId x = graph.add_input("x", ValueType::tensor(DType::S8, symbolic(Shape{2, 3, 17, 19})));
    const ValueId first = table(convolution(x, 3, 24, 3, 2, 1));
    const ValueId wide = convolution(first, 24, 72, 1, 1, 1);
    const ValueId deep = table(convolution(wide, 72, 72, 3, 1, 72));
    const ValueId mean = add(OpKind::QReduceMean, {deep}, {{"axes", std::vector<std::int64_t>{2, 3}}});
    const ValueId gate = table(convolution(table(convolution(mean, 72, 8, 1, 1, 1)), 8, 72, 1, 1, 1));
    const ValueId narrow = convolution(add(OpKind::QMul, {deep, gate}, {}, 0.8f), 72, 24, 1, 1, 1);
    const ValueId sum = add(OpKind::QAdd, {narrow, first});
    const ValueId down = convolution(sum, 24, 24, 5, 2, 24);
    const ValueId pooled = graph.add(OpKind::MaxPool, {down}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}}, "p");
    const ValueId flat = graph.add(OpKind::Flatten, {pooled}, {}, "flat");
    graph.add_output(add(OpKind::QGemm, {flat, weights({24 * 4 * 4, 10})}, {{"w_scales", std::vector<float>{0.001f}}}));
    graph.add_output(sum);
    infer_types(graph);
  }

  ValueId weights(Shape shape) {
    return graph.add_constant("w" + std::to_string(graph.num_values()),
                              random_bytes(DType::S8, std::move(shape), random));
  }

  ValueId add(OpKind kind, std::vector<ValueId> inputs, Attributes attributes = {}, float times = 1.0f) {
    const bool two = kind == OpKind::QAdd || kind == OpKind::QMul;
    attributes.emplace_back(two ? "a_scale" : "x_scale", scale);
    attributes.emplace_back(two ? "a_zero_point" : "x_zero_point", zero_point);
    if (two) {
      attributes.emplace_back("b_scale", scale * times);
      attributes.emplace_back("b_zero_point", zero_point);
    }
    attributes.emplace_back("rounding", rounding);
    attributes.emplace_back("y_dtype", static_cast<std::int64_t>(DType::S8));
    attributes.emplace_back("y_scale", scale);
    attributes.emplace_back("y_zero_point", zero_point);
    attributes.emplace_back("y_min", std::int64_t{-128});
    attributes.emplace_back("y_max", std::int64_t{127});
    return graph.add(kind, std::move(inputs), std::move(attributes), "n" + std::to_string(graph.num_values()));
  }

  ValueId convolution(ValueId x, std::int64_t inputs, std::int64_t outputs, std::int64_t side, std::int64_t stride,
                      std::int64_t groups) {
    const double products = static_cast<double>(inputs / groups * side * side);
    const auto w_scale = static_cast<float>(1.0 / (110.0 * std::sqrt(products)));  // most results within a byte
    const std::int64_t pad = side / 2;
    return add(OpKind::QConv, {x, weights({outputs, inputs / groups, side, side})},
               {{"group", groups},
                {"kernel_shape", std::vector<std::int64_t>{side, side}},
                {"strides", std::vector<std::int64_t>{stride, stride}},
                {"dilations", std::vector<std::int64_t>{1, 1}},
                {"pads", std::vector<std::int64_t>{pad, pad, pad, pad}},
                {"w_scales", std::vector<float>{w_scale}}});
  }

  ValueId table(ValueId x) {
    return graph.add(OpKind::QTable, {x, weights({256})}, {}, "t" + std::to_string(graph.num_values()));
  }
};

TEST(NetworkS8, GivesTheBytesOfTheReferenceOnEveryInstructionSet) {
  for (const RoundingProfile profile : all_profiles) {
    Network network(profile);
    const std::vector<Tensor> inputs = {random_bytes(DType::S8, {2, 3, 17, 19}, network.random)};
    const std::vector<Tensor> expected = reference::run_tensors(network.graph, inputs);
    for (const Isa isa : machine_isas()) {
      for (const int threads : {1, 3}) {
        SessionOptions options;
        options.isa = isa_name(isa);
        options.threads = threads;
        Session session(network.graph, options);
        const std::vector<Tensor> actual = session.run(inputs);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_TRUE(identical(actual[i], expected[i]))
              << "output " << i << ", " << isa_name(isa) << ", " << threads << " threads, " << rounding_name(profile);
        }
        for (const StepInfo& step : session.steps()) EXPECT_NE(step.kernel, "reference") << step.op;
      }
    }
  }
}

}  // namespace
}  // namespace adze
