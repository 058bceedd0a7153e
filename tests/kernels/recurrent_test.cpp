#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"

namespace adze {
namespace {

struct Case {
  OpKind kind;
  std::int64_t steps, batch, inputs, hidden;
  const char* direction;
  bool bias, states, linear_before_reset;
};

Tensor random_tensor(Shape shape, Random& random, double size) {
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(size * random.normal());
  return tensor;
}

TEST(Recurrent, CellsAreTheReferences) {
  const Case cases[] = {
      {OpKind::LSTM, 5, 1, 7, 9, "forward", true, false, false},
      {OpKind::LSTM, 4, 3, 16, 20, "bidirectional", true, true, false},
      {OpKind::LSTM, 3, 2, 5, 4, "reverse", false, true, false},
      {OpKind::GRU, 6, 1, 10, 33, "forward", true, false, false},
      {OpKind::GRU, 4, 2, 3, 17, "bidirectional", true, true, true},
      {OpKind::GRU, 3, 3, 8, 8, "reverse", false, false, true},
      {OpKind::GRU, 3, 2, 8, 5, "bidirectional", true, true, false},
      {OpKind::RNN, 7, 2, 6, 12, "bidirectional", true, true, false},
      {OpKind::RNN, 1, 1, 1, 1, "forward", true, false, false},
  };
  Random random(5);
  for (const Case& test : cases) {
    const std::int64_t gates = test.kind == OpKind::LSTM ? 4 : test.kind == OpKind::GRU ? 3 : 1;
    const std::int64_t directions = std::string_view(test.direction) == "bidirectional" ? 2 : 1;
    Graph graph;
    const Shape shape{test.steps, test.batch, test.inputs}, state{directions, test.batch, test.hidden};
    const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(shape)));
    const auto constant = [&](const char* name, Shape dims, double size) {
      return graph.add_constant(name, random_tensor(std::move(dims), random, size));
    };
    std::vector<ValueId> inputs{x, constant("w", {directions, gates * test.hidden, test.inputs}, 0.4),
                                constant("r", {directions, gates * test.hidden, test.hidden}, 0.3)};
    std::vector<Tensor> given{random_tensor(shape, random, 1)};
    if (test.bias || test.states) {
      inputs.push_back(test.bias ? constant("b", {directions, 2 * gates * test.hidden}, 0.3) : ValueId::None);
    }
    if (test.states) {
      inputs.push_back(ValueId::None);
      inputs.push_back(graph.add_input("h", ValueType::tensor(DType::F32, symbolic(state))));
      given.push_back(random_tensor(state, random, 0.5));
      if (test.kind == OpKind::LSTM) inputs.push_back(constant("c", state, 0.5));
    }
    std::vector<std::pair<std::string, Attribute>> attributes{{"direction", std::string(test.direction)},
                                                              {"hidden_size", test.hidden}};
    if (test.linear_before_reset) attributes.emplace_back("linear_before_reset", std::int64_t{1});
    const int outputs = test.kind == OpKind::LSTM ? 3 : 2;
    const ValueId y = graph.add(test.kind, inputs, attributes, "cell", outputs);
    graph.set_outputs(graph.producer_of(y)->outputs);
    infer_types(graph);
    const std::vector<Tensor> expected = reference::run_tensors(graph, given);
    for (const char* isa : {"ref", ""}) {
      SessionOptions options;
      options.isa = isa;
      options.threads = 2;
      Session session(graph, options);
      for (int again = 0; again < 2; ++again) {
        const std::vector<Tensor> found = session.run(given);
        for (std::size_t k = 0; k < expected.size(); ++k) {
          ASSERT_EQ(found[k].shape(), expected[k].shape());
          for (std::int64_t i = 0; i < found[k].size(); ++i) {
            ASSERT_NEAR(found[k].get_double(i), expected[k].get_double(i), 1e-5)
                << op_name(test.kind) << " " << test.direction << " output " << k << " at " << i << " " << isa;
          }
        }
      }
      EXPECT_NE(session.steps().back().kernel, "reference") << op_name(test.kind);
    }
  }
}

}  // namespace
}  // namespace adze
