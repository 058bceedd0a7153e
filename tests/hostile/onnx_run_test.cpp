#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "adze/engine/reference/reference.h"
#include "adze/formats/onnx/read.h"
#include "adze/numerics/tensor.h"
#include "tests/formats/onnx_builder.h"
#include "tests/hostile/hostile.h"

namespace adze {
namespace {

using namespace onnx_builder;
using Dims = std::vector<std::int64_t>;
using Ints = std::vector<std::int64_t>;

constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t memory_limit = std::int64_t{128} << 20;
constexpr std::int64_t step_limit = 100'000;

/// A well-formed file whose numbers are hostile: what a kernel must not believe. Either reading or running refuses it.
struct Case {
  std::string name;
  std::string op;
  Messages attributes;
  Names inputs;
  Messages initializers;
  std::vector<std::int64_t> x_dims = {1, 4, 4, 4};
  int num_outputs = 1;
};

WireMessage ints(std::string_view name, const Ints& values) {
  return tensor<std::int64_t>(name, {static_cast<std::int64_t>(values.size())}, values);
}
WireMessage scalar(std::string_view name, std::int64_t number) {
  return tensor<std::int64_t>(name, {}, {number});
}
WireMessage floats(std::string_view name, const Dims& dims) {
  return tensor<float>(name, dims, std::vector<float>(static_cast<std::size_t>(num_elements(dims)), 1));
}

std::vector<Case> window_cases() {
  const auto kernel = [] { return attribute("kernel_shape", Ints{2, 2}); };
  const auto weights = [] { return floats("w", {4, 4, 2, 2}); };
  return {
      {"ConvStrideZero", "Conv", {attribute("strides", Ints{0, 0})}, {"x", "w"}, {weights()}},
      {"ConvStrideNegative", "Conv", {attribute("strides", Ints{-1, 1})}, {"x", "w"}, {weights()}},
      {"ConvDilationZero", "Conv", {attribute("dilations", Ints{0, 1})}, {"x", "w"}, {weights()}},
      {"ConvDilationHuge", "Conv", {attribute("dilations", Ints{huge, huge})}, {"x", "w"}, {weights()}},
      {"ConvPadsHuge", "Conv", {attribute("pads", Ints{huge, huge, huge, huge})}, {"x", "w"}, {weights()}},
      {"ConvPadsLarge", "Conv", {attribute("pads", Ints{1 << 30, 1 << 30, 0, 0})}, {"x", "w"}, {weights()}},
      {"ConvPadsTooFew", "Conv", {attribute("pads", Ints{1})}, {"x", "w"}, {weights()}},
      {"ConvGroupZero", "Conv", {attribute("group", 0)}, {"x", "w"}, {weights()}},
      {"ConvGroupHuge", "Conv", {attribute("group", huge)}, {"x", "w"}, {weights()}},
      {"ConvChannelsDiffer", "Conv", {}, {"x", "w"}, {floats("w", {4, 3, 2, 2})}},
      {"ConvKernelShapeLies", "Conv", {attribute("kernel_shape", Ints{7, 7})}, {"x", "w"}, {weights()}},
      {"ConvAutoPadUnknown", "Conv", {attribute("auto_pad", "SIDEWAYS")}, {"x", "w"}, {weights()}},
      {"ConvTransposeOutputHuge",
       "ConvTranspose",
       {attribute("output_shape", Ints{huge, huge})},
       {"x", "w"},
       {weights()}},
      {"ConvTransposeStrideHuge", "ConvTranspose", {attribute("strides", Ints{huge, huge})}, {"x", "w"}, {weights()}},
      {"MaxPoolKernelZero", "MaxPool", {attribute("kernel_shape", Ints{0, 0})}, {"x"}, {}},
      {"MaxPoolKernelHuge", "MaxPool", {attribute("kernel_shape", Ints{huge, huge})}, {"x"}, {}},
      {"MaxPoolKernelRank", "MaxPool", {attribute("kernel_shape", Ints{2})}, {"x"}, {}},
      {"AveragePoolStrideZero", "AveragePool", {kernel(), attribute("strides", Ints{0, 0})}, {"x"}, {}},
      {"AveragePoolPadsNegative", "AveragePool", {kernel(), attribute("pads", Ints{-9, -9, -9, -9})}, {"x"}, {}},
      {"LpPoolOrderZero", "LpPool", {kernel(), attribute("p", 0)}, {"x"}, {}},
      {"LrnSizeZero", "LRN", {attribute("size", 0)}, {"x"}, {}},
      {"LrnSizeNegative", "LRN", {attribute("size", -5)}, {"x"}, {}},
      {"SpaceToDepthZero", "SpaceToDepth", {attribute("blocksize", 0)}, {"x"}, {}},
      {"DepthToSpaceNegative", "DepthToSpace", {attribute("blocksize", -2)}, {"x"}, {}},
      {"GroupsZero", "GroupNormalization", {attribute("num_groups", 0)}, {"x", "s", "s"}, {floats("s", {4})}},
      {"MaxUnpoolIndexOutside",
       "MaxUnpool",
       {kernel()},
       {"x", "i"},
       {tensor<std::int64_t>("i", {1, 4, 4, 4}, Ints(64, 1 << 30))}},
      {"RoiAlignBatchOutside", "RoiAlign", {}, {"x", "r", "i"}, {floats("r", {1, 4}), ints("i", {99})}},
      {"RoiAlignOutputHuge",
       "RoiAlign",
       {attribute("output_height", huge), attribute("output_width", huge)},
       {"x", "r", "i"},
       {floats("r", {1, 4}), ints("i", {0})}},
      {"Col2ImHuge", "Col2Im", {}, {"x", "i", "b"}, {ints("i", {huge, huge}), ints("b", {1, 1})}, {1, 4, 4}},
  };
}

std::vector<Case> index_cases() {
  return {
      {"GatherOutside", "Gather", {}, {"x", "i"}, {ints("i", {99})}},
      {"GatherNegative", "Gather", {}, {"x", "i"}, {ints("i", {-99})}},
      {"GatherMost", "Gather", {}, {"x", "i"}, {ints("i", {std::numeric_limits<std::int64_t>::min()})}},
      {"GatherAxisOutside", "Gather", {attribute("axis", 17)}, {"x", "i"}, {ints("i", {0})}},
      {"GatherElementsOutside", "GatherElements", {}, {"x", "i"}, {tensor<std::int64_t>("i", {1, 1, 1, 1}, {4711})}},
      {"GatherNDOutside", "GatherND", {}, {"x", "i"}, {ints("i", {0, 0, 0, 4711})}},
      {"GatherNDTooDeep", "GatherND", {}, {"x", "i"}, {ints("i", {0, 0, 0, 0, 0, 0})}},
      {"GatherNDBatch", "GatherND", {attribute("batch_dims", 99)}, {"x", "i"}, {ints("i", {0})}},
      {"ScatterOutside",
       "ScatterElements",
       {},
       {"x", "i", "u"},
       {tensor<std::int64_t>("i", {1, 1, 1, 1}, {-4711}), floats("u", {1, 1, 1, 1})}},
      {"ScatterNDOutside",
       "ScatterND",
       {},
       {"x", "i", "u"},
       {tensor<std::int64_t>("i", {1, 4}, {0, 0, 0, huge}), floats("u", {1})}},
      {"SliceStepZero",
       "Slice",
       {},
       {"x", "a", "b", "c", "s"},
       {ints("a", {0}), ints("b", {4}), ints("c", {0}), ints("s", {0})}},
      {"SliceAxisOutside", "Slice", {}, {"x", "a", "b", "c"}, {ints("a", {0}), ints("b", {4}), ints("c", {9})}},
      {"SliceLengthsDiffer", "Slice", {}, {"x", "a", "b"}, {ints("a", {0}), ints("b", {4, 4})}},
      {"SplitNegative", "Split", {}, {"x", "s"}, {ints("s", {-1, 2})}, {1, 4, 4, 4}, 2},
      {"SplitSumDiffers", "Split", {attribute("axis", 1)}, {"x", "s"}, {ints("s", {1, huge})}, {1, 4, 4, 4}, 2},
      {"ReverseTooLong", "ReverseSequence", {}, {"x", "l"}, {ints("l", {99, 99, 99, 99})}},
      {"OneHotDepthHuge", "OneHot", {}, {"i", "d", "v"}, {ints("i", {0}), scalar("d", huge), floats("v", {2})}},
      {"TopKTooMany", "TopK", {}, {"x", "k"}, {ints("k", {huge})}, {1, 4, 4, 4}, 2},
      {"TopKNegative", "TopK", {}, {"x", "k"}, {ints("k", {-1})}, {1, 4, 4, 4}, 2},
      {"SqueezeAxisOutside", "Squeeze", {}, {"x", "a"}, {ints("a", {77})}},
      {"UnsqueezeAxisTwice", "Unsqueeze", {}, {"x", "a"}, {ints("a", {0, 0})}},
      {"TransposeTwice", "Transpose", {attribute("perm", Ints{0, 0, 1, 2})}, {"x"}, {}},
      {"TransposeOutside", "Transpose", {attribute("perm", Ints{0, 1, 2, 9})}, {"x"}, {}},
      {"DequantizeAxisOutside",
       "DequantizeLinear",
       {attribute("axis", 99)},
       {"q", "s"},
       {tensor<std::int8_t>("q", {4}, {1, 2, 3, 4}), floats("s", {4})}},
      {"QuantizeBlockZero", "QuantizeLinear", {attribute("block_size", -3)}, {"x", "s"}, {floats("s", {1, 4, 4, 4})}},
      {"ConcatAxisOutside", "Concat", {attribute("axis", -17)}, {"x", "x"}, {}},
      {"EinsumNonsense", "Einsum", {attribute("equation", "ab->,,..>")}, {"x"}, {}},
  };
}

std::vector<Case> size_cases() {
  const auto long_list = [](std::int64_t number) { return ints("s", {number, number, number}); };
  return {
      {"ReshapeOverflow", "Reshape", {}, {"x", "s"}, {long_list(huge)}},
      {"ReshapeNegative", "Reshape", {}, {"x", "s"}, {ints("s", {-5, 8})}},
      {"ReshapeTwoUnknown", "Reshape", {}, {"x", "s"}, {ints("s", {-1, -1})}},
      {"ExpandOverflow", "Expand", {}, {"x", "s"}, {ints("s", {huge, 4, 4, 4})}},
      {"ExpandLarge", "Expand", {}, {"x", "s"}, {ints("s", {1 << 30, 4, 4, 4})}},
      {"TileOverflow", "Tile", {}, {"x", "s"}, {ints("s", {huge, huge, huge, huge})}},
      {"TileNegative", "Tile", {}, {"x", "s"}, {ints("s", {-1, 1, 1, 1})}},
      {"ConstantOfShapeHuge", "ConstantOfShape", {}, {"s"}, {long_list(1 << 20)}},
      {"ConstantOfShapeNegative", "ConstantOfShape", {}, {"s"}, {long_list(-2)}},
      {"PadHuge", "Pad", {}, {"x", "s"}, {ints("s", Ints(8, huge))}},
      {"PadLarge", "Pad", {}, {"x", "s"}, {ints("s", Ints(8, 1 << 28))}},
      {"PadTooNegative", "Pad", {}, {"x", "s"}, {ints("s", Ints(8, -100))}},
      {"PadTooFew", "Pad", {}, {"x", "s"}, {ints("s", {1})}},
      {"ResizeHuge", "Resize", {}, {"x", "", "", "s"}, {ints("s", {1, 4, huge, huge})}},
      {"ResizeScalesInfinite",
       "Resize",
       {},
       {"x", "", "s"},
       {tensor<float>("s", {4}, {1, 1, std::numeric_limits<float>::infinity(), 1e30f})}},
      {"ResizeScalesNan",
       "Resize",
       {},
       {"x", "", "s"},
       {tensor<float>("s", {4}, {1, 1, std::numeric_limits<float>::quiet_NaN(), -1})}},
      {"RangeEndless", "Range", {}, {"a", "b", "c"}, {scalar("a", 0), scalar("b", 10), scalar("c", 0)}},
      {"RangeHuge", "Range", {}, {"a", "b", "c"}, {scalar("a", 0), scalar("b", huge), scalar("c", 1)}},
      {"WindowHuge", "HannWindow", {}, {"s"}, {scalar("s", huge)}},
      {"DftLengthHuge", "DFT", {}, {"f", "l", "a"}, {floats("f", {1, 4, 1}), scalar("l", huge), scalar("a", 1)}},
      {"DftLengthNegative", "DFT", {}, {"f", "l", "a"}, {floats("f", {1, 4, 1}), scalar("l", -4), scalar("a", 1)}},
      {"StftStepZero", "STFT", {}, {"f", "t", "w"}, {floats("f", {1, 8, 1}), scalar("t", 0), floats("w", {4})}},
      {"RandomHuge", "RandomNormal", {attribute("shape", Ints{1 << 30, 1 << 30})}, {}, {}},
      {"SplitManyOutputs", "Split", {attribute("num_outputs", huge)}, {"x"}, {}, {1, 4, 4, 4}, 2},
      {"MatMulShapesDiffer", "MatMul", {}, {"x", "w"}, {floats("w", {3, 5})}},
      {"GemmRank", "Gemm", {}, {"x", "w"}, {floats("w", {4, 4})}},
      {"LstmHiddenSizeLies",
       "LSTM",
       {attribute("hidden_size", huge)},
       {"x", "w", "r"},
       {floats("w", {1, 4, 4}), floats("r", {1, 4, 1})},
       {2, 1, 4},
       3},
      {"TfIdfPoolsLie",
       "TfIdfVectorizer",
       {attribute("max_gram_length", 3), attribute("min_gram_length", 1), attribute("max_skip_count", 0),
        attribute("mode", "TF"), attribute("ngram_counts", Ints{0, 99, -5}), attribute("ngram_indexes", Ints{huge, -1}),
        attribute("pool_int64s", Ints{1, 2})},
       {"i"},
       {ints("i", {1, 2, 3})}},
  };
}

class OnnxHostileRun : public testing::TestWithParam<Case> {};

TEST_P(OnnxHostileRun, IsRefusedByReadingOrRunning) {
  const Case& hostile = GetParam();
  const std::int64_t before = max_tensor_bytes();
  set_max_tensor_bytes(memory_limit);
  Names outputs;
  for (int i = 0; i < hostile.num_outputs; ++i) outputs.push_back("y" + std::to_string(i));
  Messages attributes = hostile.attributes, initializers = hostile.initializers;
  const std::string bytes = one_node_model(node(hostile.op, hostile.inputs, outputs, std::move(attributes), "the_node"),
                                           {value("x", DType::F32, hostile.x_dims)}, {value("y0", DType::Undefined)},
                                           21, std::move(initializers));
  const auto outcome = hostile::outcome_of([&] {
    const Graph graph = read(bytes);
    reference::RunOptions options;
    options.max_steps = step_limit;
    reference::run_tensors(graph, {Tensor(DType::F32, hostile.x_dims)}, options);
  });
  set_max_tensor_bytes(before);
  EXPECT_TRUE(outcome.exit_code == 3 || outcome.exit_code == 4 || outcome.exit_code == 6)
      << outcome.exit_code << ": " << outcome.message;
  EXPECT_EQ(outcome.node, "the_node") << outcome.message;
  EXPECT_LT(outcome.seconds, 1.0);
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Windows, OnnxHostileRun, testing::ValuesIn(window_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Indices, OnnxHostileRun, testing::ValuesIn(index_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Sizes, OnnxHostileRun, testing::ValuesIn(size_cases()), case_name);

TEST(OnnxHostileLoop, StopsAtTheStepBudget) {
  GraphParts body;
  body.nodes = {node("Identity", {"c"}, {"c2"}), node("Add", {"v", "v"}, {"v2"})};
  body.inputs = {value("i", DType::S64, Dims{}), value("c", DType::Bool, Dims{}), value("v", DType::F32, Dims{1})};
  body.outputs = {value("c2", DType::Bool, Dims{}), value("v2", DType::F32, Dims{1})};
  const std::string bytes =
      one_node_model(node("Loop", {"n", "t", "x"}, {"y"}, {graph_attribute("body", graph(std::move(body)))}, "endless"),
                     {value("x", DType::F32, Dims{1})}, {value("y")}, 21,
                     {scalar("n", std::int64_t{1} << 62), raw_tensor("t", DType::Bool, {}, "\x01")});
  const auto outcome = hostile::outcome_of([&] {
    reference::RunOptions options;
    options.max_steps = step_limit;
    reference::run_tensors(read(bytes), {Tensor(DType::F32, {1})}, options);
  });
  hostile::expect_outcome(outcome, 6, "", "");
}

}  // namespace
}  // namespace adze
