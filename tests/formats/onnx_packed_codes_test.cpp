// Weights of one and two bits in ONNX files: smaller, the same codes again, and a body that computes them.
#include <gtest/gtest.h>

#include <algorithm>

#include "adze/base/error.h"
#include "adze/base/random.h"
#include "adze/engine/reference/reference.h"
#include "adze/formats/onnx/packed_codes.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/infer.h"
#include "tests/formats/onnx_builder.h"

namespace adze {
namespace {

constexpr std::int64_t rows = 37, columns = 29;

/// x · dequantized codes, every code one of these.
Graph product(const std::vector<std::int64_t>& possible, DType dtype = DType::S8) {
  Random random(5);
  Tensor codes(dtype, {rows, columns});
  for (std::int64_t i = 0; i < codes.size(); ++i) codes.set_int(i, possible[random.below(possible.size())]);
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, symbolic(Shape{2, rows})));
  const ValueId stored = graph.add_constant("codes", std::move(codes));
  const ValueId weight = graph.add(OpKind::DequantizeLinear, {stored, graph.add_constant("s", Tensor::scalar(0.5F))});
  graph.add_output(graph.add(OpKind::MatMul, {x, weight}));
  infer_types(graph);
  return graph;
}

Tensor output_of(const Graph& graph) {
  Tensor x(DType::F32, {2, rows});
  for (std::int64_t i = 0; i < x.size(); ++i) x.set_double(i, static_cast<double>(i % 11) - 5);
  return reference::run_tensors(graph, {x})[0];
}

std::string written(const Graph& graph, bool packed_codes, int opset = 21) {
  onnx::WriteOptions options;
  options.packed_codes = packed_codes;
  options.opset = opset;
  return onnx::write_bytes(graph, options);
}

TEST(OnnxPackedCodes, TakeTheirBitsAndComeBackAsTheyWere) {
  for (const auto& [possible, bits] :
       {std::pair{std::vector<std::int64_t>{-1, 1}, 1}, std::pair{std::vector<std::int64_t>{-1, 0, 1}, 2},
        std::pair{std::vector<std::int64_t>{-2, -1, 0, 1}, 2}}) {
    for (const DType dtype : {DType::S8, DType::S4}) {
      const Graph graph = product(possible, dtype);
      const std::string packed = written(graph, true), plain = written(graph, false);
      constexpr std::size_t function = 1500;
      if (dtype == DType::S8) {
        EXPECT_LT(packed.size(), plain.size() - rows * columns + rows * columns * bits / 8 + 1 + function);
      }
      const Graph again = onnx_builder::read(packed);
      EXPECT_EQ(again.num_alive_nodes(), 2) << "unpacked while reading";
      EXPECT_TRUE(identical(output_of(graph), output_of(again)));
      EXPECT_EQ(written(again, true), written(onnx_builder::read(plain), true)) << "the same whoever wrote it";
    }
  }
}

/// Under another name nothing here knows the function, and its body is what counts.
TEST(OnnxPackedCodes, HaveABodyThatComputesThem) {
  for (const std::vector<std::int64_t>& possible : {std::vector<std::int64_t>{-1, 1}, {-2, -1, 0, 1}}) {
    const Graph graph = product(possible);
    std::string bytes = written(graph, true, 18);
    const std::string name(onnx::packed_codes_function);
    for (std::size_t at = bytes.find(name); at != std::string::npos; at = bytes.find(name)) bytes[at] = 'X';
    const Graph again = onnx_builder::read(bytes);
    EXPECT_GT(again.num_alive_nodes(), 2);
    EXPECT_TRUE(identical(output_of(graph), output_of(again)));
  }
}

TEST(OnnxPackedCodes, AreLeftAloneWhereTheyCannotBePacked) {
  EXPECT_EQ(written(product({-1, 0, 1}), true, 17), written(product({-1, 0, 1}), false, 17)) << "no BitwiseAnd yet";
  EXPECT_EQ(written(product({-2, 2}), true), written(product({-2, 2}), false)) << "needs three bits";
  Graph shown = product({-1, 1});
  shown.add_output(shown.find_value("codes"));
  EXPECT_EQ(written(shown, true), written(shown, false)) << "read by more than a DequantizeLinear";
}

TEST(OnnxPackedCodes, ThatDoNotFitTheirShapeAreRefused) {
  using onnx::AttributeKind;
  using onnx::AttributeMessage;
  const Tensor bytes(DType::U8, {2});
  const auto attributes = [](std::vector<std::int64_t> shifts, std::vector<std::int64_t> shape, std::int64_t mask) {
    std::map<std::string_view, AttributeMessage> result;
    for (const char* name : {"mask", "factor", "offset"}) {
      AttributeMessage& one = result[name];
      one.kind = AttributeKind::Int;
      one.integer = std::string_view(name) == "mask" ? mask : 1;
    }
    for (const char* name : {"shifts", "shape"}) result[name].kind = AttributeKind::Ints;
    result["shifts"].integers = std::move(shifts);
    result["shape"].integers = std::move(shape);
    return result;
  };
  EXPECT_EQ(onnx::unpack_codes(bytes, attributes({0, 4}, {2, 2}, 15)).size(), 4);
  EXPECT_THROW(onnx::unpack_codes(bytes, attributes({0, 4}, {5}, 15)), ModelError);
  EXPECT_THROW(onnx::unpack_codes(bytes, attributes({}, {1}, 15)), ModelError);
  EXPECT_THROW(onnx::unpack_codes(bytes, attributes({0, 8}, {1}, 15)), ModelError);
  EXPECT_THROW(onnx::unpack_codes(bytes, attributes({0}, {1}, 1LL << 40)), ModelError);
  EXPECT_THROW(onnx::unpack_codes(bytes, attributes({0}, {1LL << 40, 1LL << 40}, 1)), ModelError);
  EXPECT_THROW(onnx::unpack_codes(bytes, {}), ModelError);
}

}  // namespace
}  // namespace adze
