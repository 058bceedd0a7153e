#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"

namespace adze {
namespace {

Tensor normal(Shape shape, Random& random) {
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
  return tensor;
}

/// Convolutions of every kind, each followed by what it can take: functions, sums with and without a clamp.
struct Net {
  Net(std::int64_t batch, std::int64_t channels, std::int64_t side) {
    const std::vector<std::int64_t> same = {1, 1, 1, 1};
    const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{batch, channels, side, side})));
    const auto weights = [&](Shape shape) {
      return graph.add_constant("w" + std::to_string(graph.num_values()), normal(std::move(shape), random));
    };
    const ValueId c1 = graph.add(OpKind::Conv, {x, weights({channels, channels, 1, 1})}, {}, "c1");
    const ValueId f1 = graph.add(OpKind::HardSwish, {c1}, {}, "f1");
    const ValueId c2 =
        graph.add(OpKind::Conv, {f1, weights({channels, 1, 3, 3})}, {{"group", channels}, {"pads", same}}, "c2");
    const ValueId f2 = graph.add(OpKind::Sigmoid, {c2}, {}, "f2");
    const ValueId c3 =
        graph.add(OpKind::Conv, {f2, weights({channels, channels, 3, 3}), weights({channels})}, {{"pads", same}}, "c3");
    const ValueId s3 = graph.add(OpKind::Add, {c3, f2}, {}, "s3");
    const ValueId r3 = graph.add(OpKind::Relu, {s3}, {}, "r3");
    const ValueId c4 = graph.add(OpKind::Conv, {r3, weights({channels, channels, 1, 1})}, {}, "c4");
    const ValueId c5 = graph.add(OpKind::Conv, {r3, weights({channels, channels, 3, 3})}, {{"pads", same}}, "c5");
    const ValueId r5 = graph.add(OpKind::Relu, {c5}, {}, "r5");
    const ValueId s5 = graph.add(OpKind::Add, {c4, r5}, {}, "s5");
    const ValueId f5 = graph.add(OpKind::LeakyRelu, {s5}, {{"alpha", 0.1f}}, "f5");
    graph.add_output(f5);
    const ValueId c6 = graph.add(OpKind::Conv, {f5, weights({channels, channels, 1, 1})}, {}, "c6");
    const ValueId s6 = graph.add(OpKind::Add, {c6, c6}, {}, "s6");  // of its own output twice: stays
    graph.add_output(s6);
    infer_types(graph);
    input = normal({batch, channels, side, side}, random);
  }
  Random random{7};
  Graph graph;
  Tensor input;
};

TEST(PostOps, GiveTheBitsOfTheNodesAlone) {
  for (const auto& [batch, channels, side] :
       {std::tuple<std::int64_t, std::int64_t, std::int64_t>{1, 40, 18}, {2, 9, 5}, {1, 130, 7}}) {
    const Net net(batch, channels, side);
    Session alone(net.graph);
    alone.observe([](std::string_view, const Tensor&) {});  // keeps all values, so nothing is fused
    const std::vector<Tensor> expected = alone.run(std::vector<Tensor>{net.input});
    for (const int threads : {1, 2, 3}) {
      SessionOptions options;
      options.threads = threads;
      Session session(net.graph, options);
      const std::vector<Tensor> actual = session.run(std::vector<Tensor>{net.input});
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_TRUE(identical(actual[i], expected[i])) << "output " << i << ", " << threads << " threads";
      }
      for (const StepInfo& step : session.steps()) {
        const bool kept = step.op == "Conv" || step.name == "s6" || step.name.find('@') != std::string::npos;
        EXPECT_TRUE(kept) << step.name << " was not fused";
      }
    }
  }
}

}  // namespace
}  // namespace adze
