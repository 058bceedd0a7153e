#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "adze/base/random.h"
#include "adze/engine/isa.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/graph/text.h"
#include "adze/numerics/requantize.h"

namespace adze::kernel_test {

inline constexpr RoundingProfile all_profiles[] = {RoundingProfile::Tflm, RoundingProfile::Litert,
                                                   RoundingProfile::Onnx};

inline Tensor random_bytes(DType dtype, Shape shape, Random& random) {
  Tensor tensor(dtype, std::move(shape));
  for (std::byte& byte : tensor.mutable_bytes()) byte = static_cast<std::byte>(random.below(256));
  return tensor;
}

inline Tensor random_floats(Shape shape, Random& random, double scale = 1.0) {
  Tensor tensor(DType::F32, std::move(shape));
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(scale * random.normal());
  return tensor;
}

inline std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

/// Attributes of the output of an integer operator; sometimes a narrower clamp.
inline void set_output(Node& node, DType dtype, float scale, Random& random) {
  const auto low = integer_min(dtype), high = integer_max(dtype);
  const bool clamped = random.below(3) == 0;
  node.set("y_dtype", static_cast<std::int64_t>(dtype));
  node.set("y_scale", scale);
  node.set("y_zero_point", pick(random, low, high));
  node.set("y_min", clamped ? pick(random, low, low + 100) : low);
  node.set("y_max", clamped ? pick(random, high - 100, high) : high);
}

/// A graph of one node. Inputs that are constants are given in constants, the others become graph inputs.
inline Graph single_node(Node node, const std::vector<std::pair<Tensor, bool>>& operands) {
  Graph graph;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& [tensor, constant] = operands[i];
    const std::string name = "x" + std::to_string(i);
    node.inputs.push_back(constant
                              ? graph.add_constant(name, tensor)
                              : graph.add_input(name, ValueType::tensor(tensor.dtype(), symbolic(tensor.shape()))));
  }
  node.name = "node";
  node.outputs = {graph.add_value("y")};
  graph.add_node(std::move(node));
  graph.add_output(graph.find_value("y"));
  infer_types(graph);
  return graph;
}

inline std::vector<Tensor> variable_inputs(const std::vector<std::pair<Tensor, bool>>& operands) {
  std::vector<Tensor> inputs;
  for (const auto& [tensor, constant] : operands) {
    if (!constant) inputs.push_back(tensor);
  }
  return inputs;
}

/// Runs the node in the reference and by every instruction set, with one and two threads; the bytes must be equal, and
/// the node must have a fast kernel.
inline void expect_same_bytes(const Node& node, const std::vector<std::pair<Tensor, bool>>& operands) {
  const Graph graph = single_node(node, operands);
  const std::vector<Tensor> inputs = variable_inputs(operands);
  const Tensor expected = reference::run_tensors(graph, inputs).at(0);
  for (const Isa isa : machine_isas()) {
    for (const int threads : {1, 2}) {
      SessionOptions options;
      options.isa = isa_name(isa);
      options.threads = threads;
      Session session(graph, options);
      const Tensor actual = session.run(inputs).at(0);
      ASSERT_TRUE(identical(actual, expected)) << isa_name(isa) << ", " << threads << " threads\n"
                                               << print_graph(graph, {false});
      for (const StepInfo& step : session.steps()) ASSERT_NE(step.kernel, "reference") << step.op;
    }
  }
}

/// The same for floats: within tolerance * (1 + magnitude), magnitude being the node's result on absolute values.
inline void expect_close(const Node& node, const std::vector<std::pair<Tensor, bool>>& operands, double tolerance) {
  const Graph graph = single_node(node, operands);
  const std::vector<Tensor> inputs = variable_inputs(operands);
  const Tensor expected = reference::run_tensors(graph, inputs).at(0);
  std::vector<std::pair<Tensor, bool>> absolute = operands;
  for (auto& [tensor, constant] : absolute) {
    if (tensor.dtype() != DType::F32) continue;
    for (float& value : tensor.mutable_data<float>()) value = std::abs(value);
  }
  const Tensor magnitude = reference::run_tensors(single_node(node, absolute), variable_inputs(absolute)).at(0);
  for (const Isa isa : machine_isas()) {
    SessionOptions options;
    options.isa = isa_name(isa);
    Session session(graph, options);
    const Tensor actual = session.run(inputs).at(0);
    ASSERT_EQ(actual.shape(), expected.shape());
    for (std::int64_t i = 0; i < actual.size(); ++i) {
      ASSERT_NEAR(actual.get_double(i), expected.get_double(i), tolerance * (1.0 + std::abs(magnitude.get_double(i))))
          << isa_name(isa) << " at element " << i << "\n"
          << print_graph(graph, {false});
    }
    for (const StepInfo& step : session.steps()) ASSERT_NE(step.kernel, "reference") << step.op;
  }
}

}  // namespace adze::kernel_test
