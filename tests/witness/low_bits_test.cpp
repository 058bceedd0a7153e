// Weights of 4 bits and 8-bit floats as opset 21 stores them: ONNX Runtime loads what we write and gets our numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "adze/base/random.h"
#include "adze/engine/session.h"
#include "adze/graph/infer.h"
#include "adze/quantize/ptq.h"
#include "tests/witness/onnxruntime.h"

namespace adze {
namespace {

class LowBits : public testing::OnnxRuntimeTest {
 protected:
  Tensor floats(Shape shape, double scale) {
    Tensor tensor(DType::F32, std::move(shape));
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(scale * random_.normal());
    return tensor;
  }
  Tensor positive(Shape shape) {
    Tensor tensor(DType::F32, std::move(shape));
    for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(0.01 + 0.1 * random_.uniform());
    return tensor;
  }
  Tensor integers(DType dtype, Shape shape) {
    Tensor tensor(dtype, std::move(shape));
    const std::int64_t low = integer_min(dtype), count = integer_max(dtype) - low + 1;
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      tensor.set_int(i, low + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(count))));
    }
    return tensor;
  }

  /// x of this shape, multiplied with a DequantizeLinear of the constants.
  Graph product(OpKind kind, Shape x, std::vector<Tensor> constants, std::int64_t axis, std::int64_t block) {
    Graph graph;
    std::vector<ValueId> inputs;
    for (Tensor& tensor : constants) {
      inputs.push_back(graph.add_constant("c" + std::to_string(inputs.size()), std::move(tensor)));
    }
    const ValueId input = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(x)));
    const ValueId weights =
        graph.add(OpKind::DequantizeLinear, inputs, {{"axis", axis}, {"block_size", block}}, "weights");
    graph.add_output(graph.add(kind, {input, weights}, {}, "y"));
    infer_types(graph);
    return graph;
  }

  /// The graph as written gives our numbers. Optimized, ONNX Runtime may round the inputs of products with 4-bit
  /// weights to 8 bits (its accuracy level 4), as we do on request.
  void expect_same(const Graph& graph, const Tensor& x) {
    Session session(graph);
    const Tensor ours = session.run(std::vector<Tensor>{x}).at(0);
    for (const auto& [optimize, tolerance] : {std::pair{"disabled", 2e-6}, std::pair{"all", 1e-2}}) {
      const std::vector<Tensor> theirs = run_witness(graph, {x}, optimize);
      ASSERT_EQ(theirs.size(), 1u);
      ASSERT_EQ(ours.shape(), theirs[0].shape());
      double largest = 0;
      for (std::int64_t i = 0; i < ours.size(); ++i) largest = std::max(largest, std::abs(theirs[0].get_double(i)));
      for (std::int64_t i = 0; i < ours.size(); ++i) {
        ASSERT_NEAR(ours.get_double(i), theirs[0].get_double(i), tolerance * largest)
            << "element " << i << ", optimization " << optimize;
      }
    }
  }

  Random random_{21};
};

TEST_F(LowBits, Int4InBlocksMultipliesAsInOnnxRuntime) {
  const Graph graph = product(OpKind::MatMul, {5, 96}, {integers(DType::S4, {96, 40}), positive({3, 40})}, 0, 32);
  expect_same(graph, floats({5, 96}, 1.0));
}

TEST_F(LowBits, UnsignedInt4WithZeroPointsMultipliesAsInOnnxRuntime) {
  const Graph graph = product(OpKind::MatMul, {3, 64},
                              {integers(DType::U4, {64, 24}), positive({4, 24}), integers(DType::U4, {4, 24})}, 0, 16);
  expect_same(graph, floats({3, 64}, 1.0));
}

TEST_F(LowBits, PointwiseConvolutionWithInt4ByChannelsRunsAsInOnnxRuntime) {
  const Graph graph = product(OpKind::Conv, {1, 24, 5, 7}, {integers(DType::S4, {18, 24, 1, 1}), positive({18})}, 0, 0);
  expect_same(graph, floats({1, 24, 5, 7}, 1.0));
}

/// Stored eight and four to a byte, unpacked by the function in the file.
TEST_F(LowBits, SignsAndTwoBitsAreUnpackedByOnnxRuntime) {
  for (const auto& [low, step] : {std::pair{-1, 2}, std::pair{-2, 1}}) {
    Tensor codes(DType::S8, {48, 20});
    for (std::int64_t i = 0; i < codes.size(); ++i) {
      codes.set_int(i, low + step * static_cast<std::int64_t>(random_.below(step == 2 ? 2 : 4)));
    }
    const Graph graph = product(OpKind::MatMul, {4, 48}, {std::move(codes), positive({20})}, 1, 0);
    expect_same(graph, floats({4, 48}, 1.0));
  }
}

/// Any number format: codes of 4 and 8 bits into a table, blocks with exponents, halves.
TEST_F(LowBits, WeightFormatsComputeAsInOnnxRuntime) {
  for (const char* name : {"codebook16", "posit6", "mxfp4", "f16"}) {
    Graph graph;
    const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{4, 48})));
    graph.add_output(graph.add(OpKind::MatMul, {x, graph.add_constant("w", floats({48, 20}, 0.3))}, {}, "y"));
    infer_types(graph);
    quantize::PtqOptions options;
    options.mode = quantize::Mode::WeightOnly;
    options.format = name;
    SCOPED_TRACE(name);
    expect_same(quantize::quantize(graph, {}, options).graph, floats({4, 48}, 1.0));
  }
}

TEST_F(LowBits, Float8WeightsMultiplyAsInOnnxRuntime) {
  for (const DType dtype : {DType::F8E4M3, DType::F8E5M2}) {
    Tensor weights(dtype, {48, 20});
    for (std::int64_t i = 0; i < weights.size(); ++i) weights.set_double(i, random_.normal());
    const Graph graph = product(OpKind::MatMul, {4, 48}, {std::move(weights), positive({20})}, 1, 0);
    expect_same(graph, floats({4, 48}, 1.0));
  }
}

}  // namespace
}  // namespace adze
