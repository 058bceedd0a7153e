// LSTM, GRU and RNN as one operator each agree with the reference as C, also from call to call.
#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/infer.h"
#include "adze/graph/states.h"
#include "adze/quantize/ptq.h"
#include "tests/emit/compile.h"

namespace adze {
namespace {

constexpr std::int64_t steps = 3, batch = 2, inputs = 5, hidden = 4;

struct Form {
  OpKind kind;
  std::int64_t gates;
  const char* direction = "forward";
  std::int64_t layout = 0, variant = 0;
  bool states = true, peepholes = false, clip = false;
};

class Network {
 public:
  explicit Network(const Form& form) : form_(form) {
    const std::int64_t directions = std::string(form.direction) == "bidirectional" ? 2 : 1;
    const bool first = form.layout != 0;
    const Shape state = first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
    Node node;
    node.kind = form.kind;
    node.name = "cell";
    node.inputs = {input("x", first ? Shape{batch, steps, inputs} : Shape{steps, batch, inputs}),
                   constant({directions, form.gates * hidden, inputs}),
                   constant({directions, form.gates * hidden, hidden}),
                   constant({directions, 2 * form.gates * hidden})};
    const bool lstm = form.kind == OpKind::LSTM;
    if (form.states) node.inputs.insert(node.inputs.end(), {ValueId::None, input("h", state)});
    if (form.states && lstm) node.inputs.push_back(input("c", state));
    if (form.peepholes) {
      node.inputs.resize(8, ValueId::None);
      node.inputs[7] = constant({directions, 3 * hidden});
    }
    node.set("hidden_size", hidden);
    node.set("direction", std::string(form.direction));
    node.set("layout", form.layout);
    if (form.clip) node.set("clip", 0.5f);
    if (form.kind == OpKind::GRU) node.set("linear_before_reset", form.variant);
    if (lstm) node.set("input_forget", form.variant);
    node.outputs = {graph.add_value("y"), graph.add_value("h2")};
    if (lstm) node.outputs.push_back(graph.add_value("c2"));
    for (const ValueId id : node.outputs) graph.add_output(id);
    graph.add_node(std::move(node));
    infer_types(graph);
  }

  Tensor normal(const Shape& shape) {
    Tensor tensor(DType::F32, shape);
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(0.6 * random_.normal());
    return tensor;
  }

  Graph graph;

 private:
  ValueId input(const std::string& name, const Shape& shape) {
    return graph.add_input(name, ValueType::tensor(DType::F32, symbolic(shape)));
  }
  ValueId constant(const Shape& shape) { return graph.add_constant(graph.unique_name("w"), normal(shape)); }

  Form form_;
  Random random_{11};
};

std::string run(Network& network, bool stateful) {
  emit::EmitOptions options;
  std::vector<Tensor> before;
  if (stateful) network.graph.metadata["adze.state"] = "h=h2,c=c2";
  for (int i = 0; i < 3; ++i) {
    std::vector<Tensor> given;
    for (const ValueId id : network.graph.inputs()) {
      given.push_back(network.normal(*concrete(*network.graph.value(id).type.shape)));
    }
    if (stateful) {
      given[1] = before.empty() ? Tensor(DType::F32, given[1].shape()) : before[1];
      given[2] = before.empty() ? Tensor(DType::F32, given[2].shape()) : before[2];
    }
    before = reference::run_tensors(network.graph, given);
    options.golden.push_back({given, before});
  }
  const auto ran = testing::compile_and_run(emit::emit_c(network.graph, options), "net");
  return ran.exit_code == 0 ? "equal" : ran.output;
}

TEST(Recurrent, AgreesWithTheReferenceInEveryForm) {
  const Form forms[] = {{OpKind::LSTM, 4, "forward", 0, 0, true, true},
                        {OpKind::LSTM, 4, "bidirectional", 1, 1, true},
                        {OpKind::LSTM, 4, "reverse", 0, 0, false, false, true},
                        {OpKind::GRU, 3, "forward", 0, 0},
                        {OpKind::GRU, 3, "bidirectional", 0, 1},
                        {OpKind::GRU, 3, "reverse", 1, 1, false, false, true},
                        {OpKind::RNN, 1, "bidirectional", 1}};
  for (const Form& form : forms) {
    Network network(form);
    EXPECT_EQ(run(network, false), "equal") << op_name(form.kind) << " " << form.direction;
  }
}

TEST(Recurrent, KeepsItsStatesBetweenCalls) {
  Network network({OpKind::LSTM, 4});
  EXPECT_EQ(run(network, true), "equal");
}

/// The arrays between calls hold bytes; what the file says of its states is enough.
TEST(Recurrent, KeepsQuantizedStatesBetweenCalls) {
  Network network({OpKind::LSTM, 4});
  const auto next = [&](const Graph& graph, const std::vector<Tensor>& before) {
    std::vector<Tensor> given{network.normal({steps, batch, inputs})};
    for (const StatePair& pair : find_states(graph)) {
      const ValueType& type = graph.value(graph.inputs()[pair.input]).type;
      given.push_back(before.empty() ? Tensor(type.dtype, *concrete(*type.shape)) : before[pair.output]);
    }
    return given;
  };
  std::vector<std::vector<Tensor>> calls;
  std::vector<Tensor> before;
  for (int i = 0; i < 10; ++i) {
    calls.push_back(next(network.graph, before));
    before = reference::run_tensors(network.graph, calls.back());
  }
  quantize::PtqOptions options;
  options.mode = quantize::Mode::None;
  options.state.dtype = DType::S8;
  const Graph graph = quantize::quantize(network.graph, quantize::calibration_from(calls), options).graph;
  emit::EmitOptions emission;
  before.clear();
  for (int i = 0; i < 3; ++i) {
    const std::vector<Tensor> given = next(graph, before);
    before = reference::run_tensors(graph, given);
    emission.golden.push_back({given, before});
  }
  const emit::Emission emitted = emit::emit_c(graph, emission);
  const auto ran = testing::compile_and_run(emitted, "net");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  for (const auto& file : emitted.files) {
    if (file.path == "net.h") {
      EXPECT_NE(file.bytes.find("int net_run(const float *input, float *output);"), std::string::npos) << file.bytes;
    }
  }
}

TEST(Recurrent, RefusesOtherActivations) {
  Network network({OpKind::GRU, 3});
  network.graph.node(network.graph.node_ids()[0]).set("activations", std::vector<std::string>{"Relu", "Tanh"});
  EXPECT_THROW(emit::emit_c(network.graph), UnsupportedError);
}

}  // namespace
}  // namespace adze
