// Gates inside the 1x1 convolution that reads their products, against the same graph with all its values kept.
#include "adze/engine/fuse_gates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "adze/base/random.h"
#include "adze/engine/isa.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"

namespace adze {
namespace {

Tensor normal(Shape shape, Random& random, double zeros = 0.0) {
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) {
    value = random.uniform() < zeros ? 0.0f : static_cast<float>(random.normal());
  }
  return tensor;
}

struct Case {
  std::int64_t batch, channels, side, outputs;
  bool gate_first = false, sum = false, bias = true;
};

/// A squeeze and excitation, then a 1x1 convolution with what may follow it.
struct Net {
  explicit Net(const Case& c, double zeros = 0.0) {
    const Shape shape = {c.batch, c.channels, c.side, c.side + 1};
    const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(shape)));
    const auto constant = [&](Shape of, double share = 0.0) {
      return graph.add_constant("w" + std::to_string(graph.num_values()), normal(std::move(of), random, share));
    };
    const ValueId mean = graph.add(OpKind::GlobalAveragePool, {x}, {}, "mean");
    const ValueId layer = graph.add(OpKind::Conv, {mean, constant({c.channels, c.channels, 1, 1})}, {}, "excite");
    const ValueId gate = graph.add(OpKind::HardSigmoid, {layer}, {}, "gate");
    const ValueId product =
        graph.add(OpKind::Mul, c.gate_first ? std::vector<ValueId>{gate, x} : std::vector<ValueId>{x, gate}, {}, "mul");
    std::vector<ValueId> inputs = {product, constant({c.outputs, c.channels, 1, 1}, zeros)};
    if (c.bias) inputs.push_back(constant({c.outputs}));
    ValueId y = graph.add(OpKind::Conv, inputs, {}, "project");
    if (c.sum) y = graph.add(OpKind::Add, {y, y == x ? y : graph.add(OpKind::Relu, {x}, {}, "relu")}, {}, "sum");
    graph.add_output(y);
    infer_types(graph);
    input = normal(shape, random);
  }
  Random random{5};
  Graph graph;
  Tensor input;
};

bool has_step(const Session& session, const std::string& name) {
  for (const StepInfo& step : session.steps()) {
    if (step.name == name) return true;
  }
  return false;
}

std::vector<Tensor> run(Session& session, const Tensor& input) {
  return session.run(std::vector<Tensor>{input});
}

TEST(FuseGates, GivesTheNumbersOfTheSeparateProduct) {
  for (const Case& c : {Case{1, 16, 14, 24}, Case{3, 40, 9, 7, true}, Case{2, 24, 12, 24, false, true},
                        Case{1, 150, 30, 70, true, false, false}}) {
    const Net net(c);
    Session apart(net.graph);
    apart.observe([](std::string_view, const Tensor&) {});
    const Tensor expected = run(apart, net.input)[0];
    for (const Isa isa : machine_isas()) {
      SessionOptions options;
      options.isa = std::string(isa_name(isa));
      options.threads = 1;
      Session session(net.graph, options);
      const Tensor got = run(session, net.input)[0];
      EXPECT_FALSE(has_step(session, "mul")) << isa_name(isa);
      double most = 0.0;
      for (std::int64_t i = 0; i < got.size(); ++i) {
        most = std::max(most, std::abs(static_cast<double>(got.data<float>()[i]) - expected.data<float>()[i]));
      }
      EXPECT_LT(most, 1e-6 * 5 * static_cast<double>(c.channels)) << isa_name(isa) << " " << c.channels;
      options.threads = 3;
      Session three(net.graph, options);
      EXPECT_TRUE(identical(run(three, net.input)[0], got)) << isa_name(isa);
    }
  }
}

TEST(FuseGates, GivesEachPictureOfABatchItsOwnGate) {
  const Net one({1, 40, 9, 7}), three({3, 40, 9, 7});
  Session alone(one.graph), batch(three.graph);
  const Tensor all = run(batch, three.input)[0];
  const std::int64_t in = three.input.size() / 3, out = all.size() / 3;
  for (std::int64_t n = 0; n < 3; ++n) {
    Tensor picture(DType::F32, {1, 40, 9, 10});
    std::copy_n(three.input.data<float>().data() + n * in, in, picture.mutable_data<float>().data());
    const Tensor y = run(alone, picture)[0];
    EXPECT_EQ(
        std::memcmp(y.data<float>().data(), all.data<float>().data() + n * out, static_cast<std::size_t>(out) * 4), 0);
  }
}

TEST(FuseGates, MultipliesInBf16Too) {
  const Net net({2, 24, 12, 24});
  SessionOptions options;
  options.compute = Compute::Bf16;
  Session session(net.graph, options), apart(net.graph, options);
  apart.observe([](std::string_view, const Tensor&) {});
  const Tensor got = run(session, net.input)[0], expected = run(apart, net.input)[0];
  EXPECT_FALSE(has_step(session, "mul"));
  EXPECT_TRUE(identical(got, expected));  // products are rounded after the gate either way
}

TEST(FuseGates, LeavesProductsThatCostLessThanWeights) {
  for (const auto& [c, zeros] : {std::pair<Case, double>{{1, 16, 6, 24}, 0.0}, {{1, 16, 14, 24}, 0.8}}) {
    const Net net(c, zeros);
    Session session(net.graph);
    run(session, net.input);
    EXPECT_TRUE(has_step(session, "mul"));
  }
}

}  // namespace
}  // namespace adze
