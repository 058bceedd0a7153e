// Quantized keys, values and cells between calls, and scales by token, run in ONNX Runtime with our numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "adze/base/random.h"
#include "adze/engine/session.h"
#include "adze/evaluate/sequences.h"
#include "adze/graph/infer.h"
#include "adze/quantize/ptq.h"
#include "adze/zoo/zoo.h"
#include "tests/witness/onnxruntime.h"

namespace adze {
namespace {

using quantize::StateScales;

constexpr std::int64_t tokens_a_call = 3;

Tensor tokens() {
  Random random(9);
  Tensor tensor(DType::S64, {1, 2 * tokens_a_call});
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set_int(i, static_cast<std::int64_t>(random.below(11)));
  return tensor;
}

class States : public testing::OnnxRuntimeTest {
 protected:
  static Graph quantized(DType dtype, StateScales scales) {
    Graph graph = zoo::build("gpt,cache,layers=1,heads=2,features=16,context=8,vocabulary=11");
    for (std::int32_t i = 0; i < graph.num_values(); ++i) {
      Value& value = graph.value(static_cast<ValueId>(i));
      if (!value.constant || !value.name.starts_with("weight")) continue;
      for (float& weight : value.constant->mutable_data<float>()) weight *= 20;
    }
    const Sequences sequences(graph, 0);
    quantize::PtqOptions options;
    options.mode = quantize::Mode::None;
    options.state = {dtype, scales};
    const auto data = quantize::calibration_from({sequences.call(tokens(), 0, {})});
    return quantize::quantize(graph, data, options).graph;
  }

  /// Node's tensors have no types of 4 bits and no 8-bit floats: states come and go as a wider type.
  static void widen_states(Graph& graph, DType narrow, DType wide) {
    std::vector<ValueId> outputs = graph.outputs();
    for (const StatePair& pair : find_states(graph)) {
      const ValueId input = graph.inputs()[pair.input];
      if (graph.value(input).type.dtype != narrow) continue;
      graph.value(input).type.dtype = wide;
      const Uses uses(graph);
      const ValueId codes =
          graph.add(OpKind::Cast, {input}, {{"to", static_cast<std::int64_t>(narrow)}}, graph.unique_name("narrow"));
      for (const NodeId id : uses.of(input)) {
        auto& inputs = graph.node(id).inputs;
        std::replace(inputs.begin(), inputs.end(), input, codes);
      }
      const std::string name = graph.value(outputs[pair.output]).name;
      graph.value(outputs[pair.output]).name = name + "_codes";
      outputs[pair.output] = graph.add(OpKind::Cast, {outputs[pair.output]}, {{"to", static_cast<std::int64_t>(wide)}},
                                       graph.unique_name("wide"));
      graph.value(outputs[pair.output]).name = name;
    }
    graph.set_outputs(outputs);
    infer_types(graph);
  }

  void expect_same(const Graph& graph) {
    const Sequences sequences(graph, tokens_a_call);
    Session session(graph);
    std::vector<Tensor> before;
    for (int call = 0; call < 2; ++call) {
      const std::vector<Tensor> inputs = sequences.call(tokens(), call, before);
      before = session.run(inputs);
      const std::vector<Tensor> theirs = run_witness(graph, inputs);
      ASSERT_EQ(theirs.size(), before.size());
      for (std::size_t i = 0; i < theirs.size(); ++i) {
        ASSERT_EQ(theirs[i].shape(), before[i].shape());
        ASSERT_EQ(theirs[i].dtype(), before[i].dtype());
        // Sums in another order may put a value on the other side of a rounding.
        const bool codes = is_integer(theirs[i].dtype());
        for (std::int64_t k = 0; k < theirs[i].size(); ++k) {
          const double a = before[i].get_double(k), b = theirs[i].get_double(k);
          ASSERT_NEAR(a, b, codes ? 1.0 : 0.02 + 0.02 * std::abs(a)) << "call " << call << ", output " << i;
        }
      }
    }
  }
};

TEST_F(States, Int8ByChannelAndTokenRunsAsInOnnxRuntime) {
  expect_same(quantized(DType::S8, StateScales::Auto));
}

TEST_F(States, Int8WithOneScaleRunsAsInOnnxRuntime) {
  expect_same(quantized(DType::S8, StateScales::Tensor));
}

TEST_F(States, HalvesRunAsInOnnxRuntime) {
  expect_same(quantized(DType::F16, StateScales::Auto));
}

TEST_F(States, Int4AndFloat8RunAsInOnnxRuntime) {
  Graph nibbles = quantized(DType::S4, StateScales::Auto);
  widen_states(nibbles, DType::S4, DType::S8);
  expect_same(nibbles);
  Graph floats = quantized(DType::F8E4M3, StateScales::Auto);
  widen_states(floats, DType::F8E4M3, DType::F32);
  expect_same(floats);
}

TEST_F(States, ScalesByTokenRunAsInOnnxRuntime) {
  const Graph graph = zoo::build("gpt,layers=1,heads=2,features=16,context=8,vocabulary=11");
  quantize::PtqOptions options;
  options.mode = quantize::Mode::Dynamic;
  options.dynamic_rows = true;
  const Graph network = quantize::quantize(graph, {}, options).graph;
  Tensor input(DType::S64, {1, 8});
  for (std::int64_t i = 0; i < 8; ++i) input.set_int(i, i);
  Session session(network);
  const Tensor ours = session.run(std::vector<Tensor>{input}).at(0);
  const std::vector<Tensor> theirs = run_witness(network, {input});
  ASSERT_EQ(theirs.size(), 1u);
  for (std::int64_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours.get_double(i), theirs[0].get_double(i), 2e-3);
}

}  // namespace
}  // namespace adze
