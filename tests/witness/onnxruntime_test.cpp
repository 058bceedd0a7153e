// ONNX Runtime (npm's onnxruntime-node, tests/witness/setup) as a second opinion: float networks give the same numbers,
// quantized ones the same codes within one step on 99.9 % of the values.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "adze/base/text.h"
#include "adze/data/dataset.h"
#include "adze/engine/session.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/quantize/ptq.h"
#include "tests/quantize/networks.h"
#include "tests/witness/onnxruntime.h"

namespace adze {
namespace {

using quantize::PtqOptions;
using quantize::testing::Builder;
using quantize::testing::random_batches;

class OnnxRuntime : public testing::OnnxRuntimeTest {
 protected:
  void expect_same_floats(const Graph& graph, const std::vector<Tensor>& inputs, double tolerance) {
    const std::vector<Tensor> theirs = run_witness(graph, inputs);
    Session session(graph);
    const std::vector<Tensor> ours = session.run(inputs);
    ASSERT_EQ(theirs.size(), ours.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      ASSERT_EQ(ours[i].shape(), theirs[i].shape());
      double largest = 0;
      double error = 0;
      for (std::int64_t k = 0; k < ours[i].size(); ++k) {
        largest = std::max(largest, std::abs(theirs[i].get_double(k)));
        error = std::max(error, std::abs(theirs[i].get_double(k) - ours[i].get_double(k)));
      }
      EXPECT_LE(error, tolerance * largest);
    }
  }

  /// Compares the codes of the last quantized value.
  void expect_same_codes(Graph graph, const std::vector<Tensor>& inputs) {
    std::vector<ValueId> codes;
    for (const NodeId id : graph.node_ids()) {
      if (graph.node(id).kind == OpKind::QuantizeLinear) codes.push_back(graph.node(id).output());
    }
    graph.set_outputs({codes.back()});  // ids are in topological order
    const std::vector<Tensor> theirs = run_witness(graph, inputs);
    Session session(graph);
    const std::vector<Tensor> ours = session.run(inputs);
    ASSERT_EQ(theirs.size(), ours.size());
    std::int64_t total = 0, equal = 0, near = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      ASSERT_EQ(ours[i].dtype(), theirs[i].dtype());
      ASSERT_EQ(ours[i].shape(), theirs[i].shape());
      for (std::int64_t k = 0; k < ours[i].size(); ++k) {
        const std::int64_t difference = std::abs(ours[i].get_int(k) - theirs[i].get_int(k));
        ++total;
        equal += difference == 0 ? 1 : 0;
        near += difference <= 1 ? 1 : 0;
      }
    }
    RecordProperty("equal_percent", fixed(100.0 * static_cast<double>(equal) / static_cast<double>(total), 3));
    EXPECT_GE(static_cast<double>(near), 0.999 * static_cast<double>(total)) << equal << " of " << total << " equal";
    EXPECT_GE(static_cast<double>(equal), 0.9 * static_cast<double>(total)) << equal << " of " << total << " equal";
  }
};

Graph conv_network() {
  Builder b(3);
  const ValueId x = b.input({1, 3, 16, 16});
  const ValueId stem = b.add(OpKind::Relu, {b.conv(x, 3, 16, "stem")}, "stem_relu");
  const ValueId depthwise = b.add(OpKind::Relu, {b.conv(stem, 16, 16, "depthwise", 16)}, "depthwise_relu");
  const ValueId branch = b.conv(depthwise, 16, 16, "branch");
  const ValueId sum = b.add(OpKind::Relu, {b.add(OpKind::Add, {branch, stem}, "sum")}, "sum_relu");
  const ValueId pooled =
      b.add(OpKind::MaxPool, {sum}, "pool",
            {{"kernel_shape", std::vector<std::int64_t>{2, 2}}, {"strides", std::vector<std::int64_t>{2, 2}}});
  const ValueId joined =
      b.add(OpKind::Concat, {pooled, b.conv(pooled, 16, 8, "side")}, "joined", {{"axis", std::int64_t{1}}});
  const ValueId mean = b.add(OpKind::GlobalAveragePool, {b.conv(joined, 24, 32, "last")}, "mean");
  const ValueId flat = b.add(OpKind::Flatten, {mean}, "flat");
  b.graph.add_output(b.gemm(flat, 32, 64, "head"));
  return b.graph;
}

const Shape picture{16, 3, 16, 16};

Graph quantized(const Graph& graph, const PtqOptions& options) {
  return quantize::quantize(graph, quantize::calibration_from(random_batches(2, picture, 11)), options).graph;
}

TEST_F(OnnxRuntime, AgreesOnAFloatNetwork) {
  expect_same_floats(conv_network(), random_batches(1, picture)[0], 1e-4);
}

TEST_F(OnnxRuntime, AgreesOnAStaticNetworkPerChannel) {
  expect_same_codes(quantized(conv_network(), {}), random_batches(1, picture)[0]);
}

TEST_F(OnnxRuntime, AgreesOnAStaticNetworkPerTensor) {
  PtqOptions options;
  options.weights = quantize::Granularity::PerTensor;
  options.calibrator = quantize::Calibrator::Entropy;
  expect_same_codes(quantized(conv_network(), options), random_batches(1, picture)[0]);
}

TEST_F(OnnxRuntime, AgreesOnUnsignedAndSymmetricActivations) {
  PtqOptions options;
  options.activation_dtype = DType::U8;
  expect_same_codes(quantized(conv_network(), options), random_batches(1, picture)[0]);
  options.activation_dtype = DType::S8;
  options.activations = quantize::Symmetry::Symmetric;
  expect_same_codes(quantized(conv_network(), options), random_batches(1, picture)[0]);
}

TEST_F(OnnxRuntime, AgreesOnDynamicAndWeightOnlyNetworks) {
  PtqOptions options;
  options.mode = quantize::Mode::WeightOnly;
  expect_same_floats(quantize::quantize(conv_network(), {}, options).graph, random_batches(1, picture)[0], 1e-4);
  options.mode = quantize::Mode::Dynamic;
  expect_same_floats(quantize::quantize(conv_network(), {}, options).graph, random_batches(1, picture)[0], 2e-3);
}

TEST_F(OnnxRuntime, AgreesOnResnet8FromTflite) {
  const char* data = std::getenv("ADZE_DATA");
  if (data == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  const std::filesystem::path folder(data);
  const Graph graph = tflite::read(folder / "models" / "ic_resnet8_float32.tflite");
  const Preprocessing preprocessing = preprocessing_of(graph);
  const auto train = open_dataset(folder / "cifar10" / "train", preprocessing);
  const auto test = open_dataset(folder / "cifar10" / "test", preprocessing);
  const std::vector<Tensor> inputs = quantize::calibration_from(test, 64, 64, 1).batch(0);
  expect_same_floats(graph, inputs, 1e-4);
  for (const auto calibrator : {quantize::Calibrator::Mse, quantize::Calibrator::Max}) {
    PtqOptions options;
    options.calibrator = calibrator;
    expect_same_codes(quantize::quantize(graph, quantize::calibration_from(train, 64, 32, 0), options).graph, inputs);
  }
}

}  // namespace
}  // namespace adze
