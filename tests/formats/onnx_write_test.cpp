#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/engine/reference/reference.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/compare.h"
#include "adze/graph/infer.h"
#include "tests/formats/onnx_builder.h"

namespace adze {
namespace {

using Ints = std::vector<std::int64_t>;

/// A graph of one input and what build makes of it.
Graph graph_of(const Shape& shape, const std::function<ValueId(Graph&, ValueId)>& build) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(shape)));
  graph.add_output(build(graph, x));
  infer_types(graph);
  return graph;
}

/// The same outputs after writing in each opset from 11 to 21 and reading again.
void expect_same_in_all_opsets(const Graph& graph, const Shape& shape, int oldest = 11) {
  Tensor x(DType::F32, shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x.set_double(i, static_cast<double>(i % 7) - 2.5);
  const auto expected = reference::run_tensors(graph, {x});
  for (int opset = oldest; opset <= 21; ++opset) {
    onnx::WriteOptions options;
    options.opset = opset;
    const Graph again = onnx_builder::read(onnx::write_bytes(graph, options));
    const auto found = reference::run_tensors(again, {x});
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(identical(found[i], expected[i])) << "opset " << opset;
  }
}

void expect_refused(const Graph& graph, int opset, const std::string& says) {
  onnx::WriteOptions options;
  options.opset = opset;
  try {
    onnx::write_bytes(graph, options);
    FAIL() << "was written";
  } catch (const UnsupportedError& error) {
    EXPECT_NE(error.message().find(says), std::string::npos) << error.message();
    EXPECT_NE(error.place().node, "");
  }
}

TEST(OnnxWrite, GivesOldFormsToOlderOpsets) {
  const auto axes = [](Graph& g, Ints values) { return g.add_constant(g.unique_name("axes"), Tensor::ints(values)); };
  expect_same_in_all_opsets(graph_of({1, 3, 1},
                                     [&](Graph& g, ValueId x) {
                                       return g.add(OpKind::Squeeze, {x, axes(g, {0, 2})});
                                     }),
                            {1, 3, 1});
  expect_same_in_all_opsets(graph_of({3},
                                     [&](Graph& g, ValueId x) {
                                       return g.add(OpKind::Unsqueeze, {x, axes(g, {0})});
                                     }),
                            {3});
  for (const OpKind kind : {OpKind::ReduceSum, OpKind::ReduceMean, OpKind::ReduceMax, OpKind::ReduceL2}) {
    expect_same_in_all_opsets(graph_of({2, 3},
                                       [&](Graph& g, ValueId x) {
                                         return g.add(kind, {x, axes(g, {1})});
                                       }),
                              {2, 3});
    expect_same_in_all_opsets(graph_of({2, 3}, [&](Graph& g, ValueId x) { return g.add(kind, {x}); }), {2, 3});
  }
  expect_same_in_all_opsets(graph_of({2, 3}, [&](Graph& g, ValueId x) { return g.add(OpKind::Softmax, {x}); }), {2, 3});
  expect_same_in_all_opsets(graph_of({4, 3},
                                     [&](Graph& g, ValueId x) {
                                       return g.add(OpKind::Split, {x}, {{"num_outputs", std::int64_t{2}}}, "split", 2);
                                     }),
                            {4, 3});
  expect_same_in_all_opsets(graph_of({4, 3},
                                     [&](Graph& g, ValueId x) {
                                       return g.add(OpKind::Split, {x, axes(g, {1, 3})}, {}, "split", 2);
                                     }),
                            {4, 3});
  expect_same_in_all_opsets(
      graph_of({1, 1, 2, 2},
               [&](Graph& g, ValueId x) {
                 const ValueId scales = g.add_constant("scales", Tensor::from<float>({4}, {1, 1, 2, 2}));
                 return g.add(OpKind::Resize, {x, ValueId::None, scales});
               }),
      {1, 1, 2, 2});
}

TEST(OnnxWrite, NamesTheNodeThatAnOpsetCannotExpress) {
  const Graph gelu = graph_of({2}, [](Graph& g, ValueId x) { return g.add(OpKind::Gelu, {x}, {}, "act"); });
  expect_refused(gelu, 19, "Gelu, which came with opset 20");
  const Graph softmax = graph_of({2, 3}, [](Graph& g, ValueId x) {
    return g.add(OpKind::Softmax, {x}, {{"axis", std::int64_t{0}}}, "softmax");
  });
  expect_refused(softmax, 12, "not the last");
  const Graph quantized = graph_of({2}, [](Graph& g, ValueId x) {
    const ValueId scale = g.add_constant("scale", Tensor::scalar<float>(1));
    return g.add(OpKind::QuantizeLinear, {x, scale, g.add_constant("zero", Tensor(DType::S4, {}))}, {}, "quantize");
  });
  expect_refused(quantized, 20, "s4");
  EXPECT_NO_THROW(onnx::write_bytes(quantized));
  const Graph moving = graph_of({2}, [](Graph& g, ValueId x) {
    const ValueId axes = g.add(OpKind::Cast, {x}, {{"to", std::int64_t{7}}}, "cast");
    return g.add(OpKind::ReduceSum, {x, axes}, {}, "sum");
  });
  expect_refused(moving, 11, "computed axes");
}

TEST(OnnxWrite, RefusesElementTypesThatCameLater) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::U8, SymbolicShape{Dim(2)}));
  graph.add_output(graph.add(OpKind::Add, {x, x}, {}, "add"));
  infer_types(graph);
  expect_refused(graph, 13, "Add on u8");
  onnx::WriteOptions options;
  options.opset = 14;
  EXPECT_NO_THROW(onnx::write_bytes(graph, options));
}

TEST(OnnxWrite, RefusesOpsetsThatItDoesNotKnow) {
  const Graph graph = graph_of({2}, [](Graph& g, ValueId x) { return g.add(OpKind::Relu, {x}); });
  onnx::WriteOptions options;
  for (const int opset : {0, 10, 22}) {
    options.opset = opset;
    EXPECT_THROW(onnx::write_bytes(graph, options), UsageError);
  }
}

TEST(OnnxWrite, GivesTheSameBytesEachTime) {
  const Graph graph = graph_of({2}, [](Graph& g, ValueId x) { return g.add(OpKind::Relu, {x}); });
  EXPECT_EQ(onnx::write_bytes(graph), onnx::write_bytes(Graph(graph)));
}

class OnnxWriteFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("adze-write-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Graph large_and_small() {
    return graph_of({1, 64}, [](Graph& g, ValueId x) {
      Tensor large(DType::F32, {64, 64});
      for (std::int64_t i = 0; i < large.size(); ++i) large.set_double(i, static_cast<double>(i));
      const ValueId product = g.add(OpKind::MatMul, {x, g.add_constant("large", large)});
      const ValueId more = g.add(OpKind::MatMul, {product, g.add_constant("other", large)});
      return g.add(OpKind::Add, {more, g.add_constant("small", Tensor::from<float>({1}, {1}))});
    });
  }
  std::filesystem::path folder_;
};

TEST_F(OnnxWriteFiles, PutsLargeTensorsIntoAFileBesideTheModel) {
  const Graph graph = large_and_small();
  onnx::WriteOptions options;
  options.external_data = true;
  onnx::write(graph, folder_ / "m.onnx", options);
  EXPECT_LT(std::filesystem::file_size(folder_ / "m.onnx"), 1500u);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "m.onnx.data"), 2u * 64 * 64 * 4);
  EXPECT_EQ(structural_difference(onnx::read(folder_ / "m.onnx"), graph), std::nullopt);
  EXPECT_THROW(onnx::write_bytes(graph, options), UsageError);
}

TEST_F(OnnxWriteFiles, OverwritesTheModelThatItCameFrom) {
  onnx::WriteOptions options;
  options.external_data = true;
  onnx::write(large_and_small(), folder_ / "m.onnx", options);
  const Graph graph = onnx::read(folder_ / "m.onnx");
  onnx::write(graph, folder_ / "m.onnx", options);
  EXPECT_EQ(structural_difference(onnx::read(folder_ / "m.onnx"), large_and_small()), std::nullopt);
}

TEST_F(OnnxWriteFiles, LeavesNothingBehindWhenItCannotWrite) {
  EXPECT_THROW(onnx::write(large_and_small(), folder_ / "none" / "m.onnx"), ModelError);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace adze
