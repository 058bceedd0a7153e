// Keys, values and recurrent cells kept as codes between calls.
#include "adze/quantize/states.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/evaluate/sequences.h"
#include "adze/graph/infer.h"
#include "adze/quantize/ptq.h"
#include "adze/zoo/zoo.h"

namespace adze::quantize {
namespace {

constexpr std::int64_t context = 8;

Graph cached_gpt() {
  Graph graph = zoo::build("gpt,cache,layers=2,heads=2,features=16,context=8,vocabulary=11,batch=0");
  // Freshly drawn weights are so small that keys do not matter: larger ones.
  for (std::int32_t i = 0; i < graph.num_values(); ++i) {
    Value& value = graph.value(static_cast<ValueId>(i));
    if (!value.constant || !value.name.starts_with("weight")) continue;
    for (float& weight : value.constant->mutable_data<float>()) weight *= 20;
  }
  return graph;
}

Tensor tokens(std::int64_t batch, std::uint64_t seed) {
  Random random(seed);
  Tensor tensor(DType::S64, {batch, context});
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, static_cast<std::int64_t>(random.below(11)));
  return tensor;
}

RunFunction on_engine(const Graph& graph) {
  auto session = std::make_shared<Session>(graph);
  return [session](std::span<const Tensor> inputs) { return session->run(inputs); };
}

RunFunction on_reference(const Graph& graph) {
  return [graph](std::span<const Tensor> inputs) {
    return reference::run_tensors(graph, {inputs.begin(), inputs.end()});
  };
}

/// Calls with the states that calls before them left.
CalibrationData calls_of(const Graph& graph, const Tensor& sequence, std::int64_t step) {
  const Sequences sequences(graph, step);
  std::vector<std::vector<Tensor>> batches;
  std::vector<Tensor> before;
  for (std::int64_t i = 0; i < sequences.num_calls(sequence); ++i) {
    batches.push_back(sequences.call(sequence, i, before));
    before = reference::run_tensors(graph, batches.back());
  }
  return calibration_from(std::move(batches));
}

PtqOptions states_alone(DType dtype, StateScales scales = StateScales::Auto) {
  PtqOptions options;
  options.mode = Mode::None;
  options.state = {dtype, scales};
  return options;
}

double noise(const Tensor& exact, const Tensor& approximate) {
  double signal = 0, difference = 0;
  for (std::int64_t i = 0; i < exact.size(); ++i) {
    const double a = exact.get_double(i), b = approximate.get_double(i);
    signal += a * a;
    difference += (a - b) * (a - b);
  }
  return std::sqrt(difference / signal);
}

Graph quantized(const Graph& graph, const PtqOptions& options) {
  return quantize(graph, calls_of(graph, tokens(8, 5), 2), options).graph;
}

TEST(QuantizedStates, AreCodesBetweenCallsAndTakeTheirBytes) {
  const Graph graph = cached_gpt();
  EXPECT_EQ(state_bytes(graph, find_states(graph)).per_place, 4 * 16 * 4);
  const Graph bytes = quantized(graph, states_alone(DType::S8));
  const auto states = find_states(bytes);
  ASSERT_EQ(states.size(), 6u);  // two keys, two values, their two scales
  for (const StatePair& pair : states) {
    const ValueType& in = bytes.value(bytes.inputs()[pair.input]).type;
    EXPECT_EQ(in.dtype, bytes.value(bytes.outputs()[pair.output]).type.dtype);
    const bool scale = bytes.value(bytes.inputs()[pair.input]).name.ends_with("_scale");
    EXPECT_EQ(in.dtype, scale ? DType::F16 : DType::S8);
  }
  EXPECT_EQ(state_bytes(bytes, states).per_place, 4 * 16 + 2 * 2 * 2);
  const Graph nibbles = quantized(graph, states_alone(DType::S4, StateScales::Channel));
  EXPECT_EQ(state_bytes(nibbles, find_states(nibbles)).per_place, 4 * 16 / 2);
  const Graph halves = quantized(graph, states_alone(DType::F16));
  EXPECT_EQ(state_bytes(halves, find_states(halves)).per_place, 4 * 16 * 2);
}

TEST(QuantizedStates, StepByStepStaysCloseInEveryFormAndEngineAgreesWithReference) {
  const Graph graph = cached_gpt();
  const std::vector<Tensor> sequences{tokens(3, 9)};
  const Tensor exact = run_sequences(graph, on_engine(graph))(sequences).at(0);
  const auto error_of = [&](DType dtype, StateScales scales) {
    const Graph network = quantized(graph, states_alone(dtype, scales));
    const Tensor steps = run_sequences(network, on_engine(network), 1)(sequences).at(0);
    EXPECT_LT(noise(run_sequences(network, on_reference(network), 1)(sequences).at(0), steps), 2e-3);
    return noise(exact, steps);
  };
  for (const StateScales scales :
       {StateScales::Auto, StateScales::Tensor, StateScales::Head, StateScales::Channel, StateScales::Token}) {
    EXPECT_LT(error_of(DType::S8, scales), 0.05) << state_scales_name(scales);
    EXPECT_GT(error_of(DType::S8, scales), 1e-6) << state_scales_name(scales);
  }
  EXPECT_LT(error_of(DType::S4, StateScales::Auto), 0.3);
  EXPECT_LT(error_of(DType::F8E4M3, StateScales::Auto), 0.15);
  EXPECT_LT(error_of(DType::F16, StateScales::Auto), 2e-3);
}

TEST(QuantizedStates, ResultsDoNotDependOnHowSequencesAreCut) {
  const Graph graph = cached_gpt();
  const std::vector<Tensor> sequences{tokens(2, 9)};
  for (const DType dtype : {DType::S8, DType::S4}) {
    const Graph network = quantized(graph, states_alone(dtype));
    const Tensor steps = run_sequences(network, on_reference(network), 1)(sequences).at(0);
    EXPECT_LT(noise(run_sequences(network, on_reference(network), 0)(sequences).at(0), steps), 1e-3);
  }
}

TEST(QuantizedStates, OnlyNewKeysAreQuantizedInACall) {
  const Graph network = quantized(cached_gpt(), states_alone(DType::S8));
  for (const StatePair& pair : find_states(network)) {
    const Node* producer = network.producer_of(network.outputs()[pair.output]);
    ASSERT_NE(producer, nullptr);
    EXPECT_EQ(producer->kind, OpKind::Concat);
    EXPECT_EQ(producer->input(0), network.inputs()[pair.input]);
  }
}

TEST(QuantizedStates, ChannelScalesBeatOneScaleWhereChannelsDiffer) {
  Graph graph = cached_gpt();
  for (float& weight : graph.value(graph.find_value("bias_1")).constant->mutable_data<float>()) weight = 0;
  graph.value(graph.find_value("bias_1")).constant->mutable_data<float>()[3] = 60;  // one channel of the first keys
  const std::vector<Tensor> sequences{tokens(3, 9)};
  const Tensor exact = run_sequences(graph, on_engine(graph))(sequences).at(0);
  const auto error_of = [&](StateScales scales) {
    const Graph network = quantized(graph, states_alone(DType::S4, scales));
    return noise(exact, run_sequences(network, on_engine(network))(sequences).at(0));
  };
  EXPECT_LT(error_of(StateScales::Channel), 0.6 * error_of(StateScales::Tensor));
}

TEST(QuantizedStates, GoWithTheOtherModes) {
  const Graph graph = cached_gpt();
  const std::vector<Tensor> sequences{tokens(3, 9)};
  const Tensor exact = run_sequences(graph, on_engine(graph))(sequences).at(0);
  for (const Mode mode : {Mode::Static, Mode::Dynamic, Mode::WeightOnly}) {
    PtqOptions options = states_alone(DType::S8);
    options.mode = mode;
    const Graph network = quantized(graph, options);
    EXPECT_EQ(find_states(network).size(), 6u);
    const Tensor steps = run_sequences(network, on_engine(network), 1)(sequences).at(0);
    EXPECT_LT(noise(exact, steps), 0.15) << mode_name(mode);
  }
}

/// One LSTM, stepwise: x [1, 1, 2].
Graph lstm() {
  Random random(4);
  const auto normal = [&](Shape shape) {
    Tensor tensor(DType::F32, std::move(shape));
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
    return tensor;
  };
  Graph graph;
  const auto floats = [](Shape shape) { return ValueType::tensor(DType::F32, symbolic(shape)); };
  Node node;
  node.kind = OpKind::LSTM;
  node.name = "cell";
  node.set("hidden_size", std::int64_t{6});
  node.inputs = {graph.add_input("x", floats({1, 1, 2})),
                 graph.add_constant("w", normal({1, 24, 2})),
                 graph.add_constant("r", normal({1, 24, 6})),
                 ValueId::None,
                 ValueId::None,
                 graph.add_input("h0", floats({1, 1, 6})),
                 graph.add_input("c0", floats({1, 1, 6}))};
  node.outputs = {graph.add_value("y"), graph.add_value("hn"), graph.add_value("cn")};
  graph.set_outputs(node.outputs);
  graph.add_node(std::move(node));
  infer_types(graph);
  return graph;
}

TEST(QuantizedStates, RecurrentCellsShareOneScaleOfWhatTheWholeSequenceSaw) {
  const Graph graph = lstm();
  Random random(6);
  Tensor sequence(DType::F32, {1, 40, 2});
  for (float& value : sequence.mutable_data<float>()) value = static_cast<float>(random.normal());
  const Graph network = quantize(graph, calls_of(graph, sequence, 1), states_alone(DType::S8)).graph;
  const auto states = find_states(network);
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(state_bytes(network, states).whole, 12);
  const Uses uses(network);
  for (const StatePair& pair : states) {
    const Node& in = network.node(uses.of(network.inputs()[pair.input])[0]);
    const Node* out = network.producer_of(network.outputs()[pair.output]);
    ASSERT_EQ(in.kind, OpKind::DequantizeLinear);
    ASSERT_EQ(out->kind, OpKind::QuantizeLinear);
    EXPECT_EQ(network.constant(in.input(1))->get_double(0), network.constant(out->input(1))->get_double(0));
    EXPECT_EQ(network.constant(in.input(2))->get_int(0), 0);  // zeros are code 0
  }
  const std::vector<Tensor> sequences{sequence};
  const Tensor exact = run_sequences(graph, on_engine(graph))(sequences).at(0);
  EXPECT_LT(noise(exact, run_sequences(network, on_engine(network))(sequences).at(0)), 0.05);
  // Ranges from zeros alone would not reach what states become.
  std::vector<std::vector<Tensor>> zeros;
  for (std::int64_t i = 0; i < 40; ++i) zeros.push_back(Sequences(graph, 1).call(sequence, i, {}));
  const Graph narrow = quantize(graph, calibration_from(zeros), states_alone(DType::S8)).graph;
  EXPECT_GT(noise(exact, run_sequences(narrow, on_engine(narrow))(sequences).at(0)),
            2 * noise(exact, run_sequences(network, on_engine(network))(sequences).at(0)));
}

TEST(QuantizedStates, ANetworkWithoutStatesIsRefused) {
  const Graph graph = zoo::build("lenet300");
  EXPECT_THROW(quantize(graph, {}, states_alone(DType::F16)), UsageError);
  PtqOptions nothing;
  nothing.mode = Mode::None;
  EXPECT_THROW(quantize(graph, {}, nothing), UsageError);
}

}  // namespace
}  // namespace adze::quantize
