// Pairs of layers that run a few rows at a time, against the same layers one after the other.
#include "adze/engine/row_pairs.h"

#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/engine/isa.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"

namespace adze {
namespace {

Tensor normal(Shape shape, Random& random) {
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
  return tensor;
}

/// An inverted bottleneck: expansion, depthwise layer, projection, sum; large enough for a pair.
struct Net {
  Net(std::int64_t batch, std::int64_t side, std::int64_t kernel, std::int64_t stride, bool expands) {
    const std::int64_t inner = 96, outer = expands ? 16 : inner;
    const Shape shape = {batch, outer, side, side - 7};
    const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(shape)));
    const auto constant = [&](Shape of) {
      return graph.add_constant("w" + std::to_string(graph.num_values()), normal(std::move(of), random));
    };
    ValueId y = x;
    if (expands) {
      y = graph.add(OpKind::Conv, {x, constant({inner, outer, 1, 1}), constant({inner})}, {}, "expand");
      y = graph.add(OpKind::HardSwish, {y}, {}, "act");
    }
    const std::vector<std::int64_t> pads(4, kernel / 2);
    y = graph.add(OpKind::Conv, {y, constant({inner, 1, kernel, kernel})},
                  {{"group", inner}, {"pads", pads}, {"strides", std::vector<std::int64_t>(2, stride)}}, "depthwise");
    y = graph.add(OpKind::Relu, {y}, {}, "relu");
    y = graph.add(OpKind::Conv, {y, constant({outer, inner, 1, 1}), constant({outer})}, {}, "project");
    if (stride == 1) y = graph.add(OpKind::Add, {y, x}, {}, "sum");
    graph.add_output(y);
    infer_types(graph);
    input = normal(shape, random);
  }
  Random random{7};
  Graph graph;
  Tensor input;
};

int pairs(const Session& session) {
  int found = 0;
  for (const StepInfo& step : session.steps()) found += step.kernel == "with the next" ? 1 : 0;
  return found;
}

TEST(RowPairs, GiveTheBitsOfTheLayersAlone) {
  for (const bool expands : {true, false}) {
    for (const auto& [side, kernel, stride] :
         {std::tuple<std::int64_t, std::int64_t, std::int64_t>{96, 3, 1}, {101, 3, 2}, {97, 5, 1}, {110, 5, 2}}) {
      const Net net(1, side, kernel, stride, expands);
      for (const Isa isa : machine_isas()) {
        if (isa == Isa::Ref) continue;
        SessionOptions options;
        options.isa = std::string(isa_name(isa));
        Session apart(net.graph, options);
        apart.observe([](std::string_view, const Tensor&) {});
        const Tensor expected = apart.run(std::vector<Tensor>{net.input})[0];
        for (const int threads : {1, 2, 7}) {
          options.threads = threads;
          Session session(net.graph, options);
          for (int run = 0; run < 2; ++run) {
            EXPECT_TRUE(identical(session.run(std::vector<Tensor>{net.input})[0], expected))
                << side << " " << kernel << " " << stride << " " << isa_name(isa) << " " << threads;
          }
          // A projection of few rows, after a stride of 2, stays alone.
          EXPECT_EQ(pairs(session), expands || stride == 1 ? 1 : 0);
        }
      }
    }
  }
}

TEST(RowPairs, AreNotMadeOfBatchesAndSmallPictures) {
  for (const Net& net : {Net(2, 96, 3, 1, true), Net(1, 70, 3, 1, true)}) {
    Session session(net.graph);
    session.run(std::vector<Tensor>{net.input});
    EXPECT_EQ(pairs(session), 0);
  }
}

}  // namespace
}  // namespace adze
