#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/formats/onnx/read.h"
#include "tests/formats/onnx_builder.h"
#include "tests/hostile/hostile.h"

namespace adze {
namespace {

using namespace onnx_builder;

constexpr int accepted = 0, bad_input = 3, unsupported = 4, limit = 6;
constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();

/// One hostile file: what it is, its bytes, and how reading it must end.
struct Case {
  std::string name;
  std::string bytes;
  int exit_code;
  std::string says;
  std::string node = "";
};

GraphParts relu_parts() {
  GraphParts parts;
  parts.nodes = {node("Relu", {"x"}, {"y"}, {}, "relu")};
  parts.inputs = {value("x", DType::F32, {{2, 3}})};
  parts.outputs = {value("y")};
  return parts;
}

std::string good_model() {
  return model(graph(relu_parts()));
}

/// Add(x, w) with w as given.
std::string with_initializer(WireMessage initializer) {
  GraphParts parts;
  parts.nodes = {node("Add", {"x", "w"}, {"y"}, {}, "add")};
  parts.inputs = {value("x", DType::F32, {{2, 3}})};
  parts.outputs = {value("y")};
  parts.initializers = {std::move(initializer)};
  return model(graph(std::move(parts)));
}

std::string with_sparse(WireMessage sparse) {
  GraphParts parts = relu_parts();
  parts.nodes = {node("Add", {"x", "w"}, {"y"}, {}, "add")};
  parts.sparse = {std::move(sparse)};
  return model(graph(std::move(parts)));
}

std::string with_node(WireMessage hostile, std::int64_t version = 21, Messages functions = {}) {
  GraphParts parts = relu_parts();
  parts.nodes = {std::move(hostile)};
  return model(graph(std::move(parts)), version, std::move(functions));
}

/// If nested depth times.
WireMessage nested_if(int depth) {
  GraphParts parts;
  parts.nodes = {node("Identity", {"x"}, {"out_0"})};
  parts.outputs = {value("out_0")};
  for (int i = 1; i <= depth; ++i) {
    const std::string out = "out_" + std::to_string(i);
    WireMessage inner = graph(std::move(parts));
    parts = {};
    parts.nodes = {node("If", {"c"}, {out},
                        {graph_attribute("then_branch", inner), graph_attribute("else_branch", inner)},
                        "if_" + std::to_string(i))};
    parts.outputs = {value(out)};
  }
  parts.inputs = {value("c", DType::Bool, {{}}), value("x", DType::F32, {{2}})};
  return graph(std::move(parts));
}

/// The same, one branch only nested, so that the file stays small.
WireMessage nested_if_chain(int depth) {
  GraphParts parts;
  parts.nodes = {node("Identity", {"x"}, {"out_0"})};
  parts.outputs = {value("out_0")};
  for (int i = 1; i <= depth; ++i) {
    const std::string out = "out_" + std::to_string(i);
    GraphParts other;
    other.nodes = {node("Identity", {"x"}, {"else_" + std::to_string(i)})};
    other.outputs = {value("else_" + std::to_string(i))};
    WireMessage inner = graph(std::move(parts));
    parts = {};
    parts.nodes = {node(
        "If", {"c"}, {out},
        {graph_attribute("then_branch", std::move(inner)), graph_attribute("else_branch", graph(std::move(other)))},
        "if_" + std::to_string(i))};
    parts.outputs = {value(out)};
  }
  parts.inputs = {value("c", DType::Bool, {{}}), value("x", DType::F32, {{2}})};
  return graph(std::move(parts));
}

/// Each function calls the one before it ten times.
Messages laughing_functions(int count) {
  Messages functions;
  functions.push_back(function("f0", {"a"}, {"b"}, {node("Relu", {"a"}, {"b"})}));
  for (int i = 1; i < count; ++i) {
    Messages calls;
    for (int call = 0; call < 10; ++call) {
      calls.push_back(node("f" + std::to_string(i - 1), {call == 0 ? "a" : "t" + std::to_string(call)},
                           {call == 9 ? "b" : "t" + std::to_string(call + 1)}, {}, "", "local"));
    }
    functions.push_back(function("f" + std::to_string(i), {"a"}, {"b"}, std::move(calls)));
  }
  return functions;
}

WireMessage nested_type(int depth) {
  WireMessage tensor, type;
  tensor.add_integer(1, 1);
  type.add_message(1, std::move(tensor));
  for (int i = 0; i < depth; ++i) {
    WireMessage sequence, outer;
    sequence.add_message(1, std::move(type));
    outer.add_message(4, std::move(sequence));
    type = std::move(outer);
  }
  WireMessage input;
  input.add_text(1, "x");
  input.add_message(2, std::move(type));
  return input;
}

std::vector<Case> wire_cases() {
  const std::string good = good_model();
  std::vector<Case> cases = {
      {"EmptyFile", "", bad_input, "empty"},
      {"Text", "this is not a model at all, but a text", bad_input, "malformed"},
      {"Zeros", std::string(4096, '\0'), bad_input, "field number"},
      {"OnesOnly", std::string(4096, '\xff'), bad_input, "ten bytes"},
      {"TruncatedInTheMiddle", good.substr(0, good.size() / 2), bad_input, "claims"},
      {"TruncatedByOneByte", good.substr(0, good.size() - 1), bad_input, "malformed"},
      {"HugeLength", std::string("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10), bad_input, "claims"},
      {"LengthOverflowing", std::string("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11), bad_input, "claims"},
      {"Group", std::string("\x0b\x0c", 2), bad_input, "wire type 3"},
      {"NoGraph", std::string("\x08\x0a", 2), bad_input, "no graph"},
      {"NoIrVersion", model(graph(relu_parts()), 21, {}, 0), bad_input, "IR version"},
      {"FutureIrVersion", model(graph(relu_parts()), 21, {}, 99'999), unsupported, "IR version"},
      {"FutureOpset", model(graph(relu_parts()), 4711), unsupported, "opset 4711"},
      {"NegativeOpset", model(graph(relu_parts()), -1), bad_input, "opset -1"},
  };
  std::string two_graphs = good + good;
  cases.push_back({"TwoGraphs", std::move(two_graphs), bad_input, "two graphs"});
  GraphParts not_text = relu_parts();
  not_text.nodes = {node("Relu", {"x"}, {"\xff\xfe"}, {}, "relu")};
  cases.push_back({"NamesThatAreNoText", model(graph(std::move(not_text))), bad_input, "UTF-8"});
  return cases;
}

std::vector<Case> tensor_cases() {
  const std::string six(24, '\0');
  std::vector<Case> cases = {
      {"DimsOverflow", with_initializer(raw_tensor("w", DType::F32, {huge, huge}, six)), bad_input, "overflows", "w"},
      {"BytesOverflow", with_initializer(raw_tensor("w", DType::F32, {huge / 4 + 2}, six)), bad_input, "overflows",
       "w"},
      {"WrapsToSmall", with_initializer(raw_tensor("w", DType::F32, {std::int64_t{1} << 62, 4, 6}, six)), bad_input,
       "overflows", "w"},
      {"HugeDimsFewBytes", with_initializer(raw_tensor("w", DType::F32, {1'000'000'000}, six)), bad_input, "needs",
       "w"},
      {"HugeDimsNoData", with_initializer(tensor_header("w", 1, {1'000'000'000'000})), bad_input, "needs", "w"},
      {"NegativeDim", with_initializer(raw_tensor("w", DType::F32, {-2, -3}, six)), bad_input, "negative", "w"},
      {"TooFewBytes", with_initializer(raw_tensor("w", DType::F32, {2, 3}, six.substr(1))), bad_input, "needs 24", "w"},
      {"TooManyBytes", with_initializer(raw_tensor("w", DType::F32, {2, 3}, six + six)), bad_input, "found 48", "w"},
      {"UnknownDtype", with_initializer(tensor_header("w", 77, {2})), unsupported, "77"},
      {"NoDtype", with_initializer(tensor_header("w", 0, {2})), bad_input, "element type"},
      {"RawStrings", with_initializer(raw_tensor("w", DType::String, {2}, six)), bad_input, "strings", "w"},
      {"SubByteTooShort", with_initializer(raw_tensor("w", DType::S4, {7}, "abc")), bad_input, "needs 4 bytes", "w"},
      {"SubByteTooLong", with_initializer(raw_tensor("w", DType::U4, {7}, "abcdefg")), bad_input, "needs 4 bytes", "w"},
      {"UnnamedInitializer", with_initializer(raw_tensor("", DType::F32, {2, 3}, six)), bad_input, "no name"},
      {"ZeroSizeTensorIsLegal",
       one_node_model(node("Identity", {"w"}, {"y"}), {}, {value("y")}, 21, {raw_tensor("w", DType::F32, {0, 3}, "")}),
       accepted, ""},
      {"NanWeightsAreLegal", with_initializer(raw_tensor("w", DType::F32, {2, 3}, std::string(24, '\xff'))), accepted,
       ""},
      {"WrongDtypeForOperator", with_initializer(raw_tensor("w", DType::S64, {2, 3}, std::string(48, '\0'))), bad_input,
       "", "add"},
  };
  WireMessage two_ways = raw_tensor("w", DType::F32, {2, 3}, six);
  two_ways.add_float(4, 1);
  cases.push_back({"StoredTwice", with_initializer(std::move(two_ways)), bad_input, "more than one way", "w"});
  WireMessage wrong_field = tensor_header("w", 1, {2});
  wrong_field.add_packed(7, {1, 2});
  cases.push_back({"FieldOfAnotherType", with_initializer(std::move(wrong_field)), bad_input, "another type", "w"});
  WireMessage too_large = tensor_header("w", 3, {2});
  too_large.add_packed(5, {1, 300});
  cases.push_back({"ElementOutOfRange", with_initializer(std::move(too_large)), bad_input, "300", "w"});
  WireMessage segment = raw_tensor("w", DType::F32, {2, 3}, six);
  segment.add_message(3, WireMessage{});
  cases.push_back({"Segment", with_initializer(std::move(segment)), unsupported, "segments"});
  return cases;
}

std::vector<Case> sparse_cases() {
  const auto values = [] { return tensor<float>("w", {2}, {1, 2}); };
  const auto indices = [](const std::vector<std::int64_t>& i) { return tensor<std::int64_t>("", {2}, i); };
  WireMessage oversized = sparse_tensor(values(), indices({0, 1}), {1 << 20, 1 << 20});
  return {
      {"SparseIsLegal", with_sparse(sparse_tensor(values(), indices({1, 5}), {2, 3})), accepted, ""},
      {"SparseIndexTooLarge", with_sparse(sparse_tensor(values(), indices({1, 6}), {2, 3})), bad_input, "outside", "w"},
      {"SparseIndexNegative", with_sparse(sparse_tensor(values(), indices({-1, 2}), {2, 3})), bad_input, "outside",
       "w"},
      {"SparseNotAscending", with_sparse(sparse_tensor(values(), indices({3, 3}), {2, 3})), bad_input, "ascending",
       "w"},
      {"SparseCoordinates",
       with_sparse(sparse_tensor(values(), tensor<std::int64_t>("", {2, 2}, {0, 0, 1, 9}), {2, 3})), bad_input,
       "outside of dimension 1", "w"},
      {"SparseHuge", with_sparse(std::move(oversized)), limit, "limit", "w"},
      {"SparseOverflow", with_sparse(sparse_tensor(values(), indices({0, 1}), {huge, huge})), bad_input, "overflows",
       "w"},
      {"SparseCountsDiffer", with_sparse(sparse_tensor(values(), tensor<std::int64_t>("", {3}, {0, 1, 2}), {2, 3})),
       bad_input, "expected", "w"},
      {"SparseValueAttribute",
       with_node(node("Constant", {}, {"y"},
                      {sparse_attribute("sparse_value", sparse_tensor(values(), indices({1, 6}), {2, 3}))},
                      "constant")),
       bad_input, "outside"},
  };
}

std::vector<Case> graph_cases() {
  std::vector<Case> cases;
  GraphParts cyclic = relu_parts();
  cyclic.nodes = {node("Add", {"x", "b"}, {"a"}, {}, "first"), node("Relu", {"a"}, {"b"}, {}, "second"),
                  node("Relu", {"b"}, {"y"}, {}, "third")};
  cases.push_back({"Cycle", model(graph(std::move(cyclic))), bad_input, "cycle", "first"});
  cases.push_back({"SelfLoop", with_node(node("Add", {"x", "y"}, {"y"}, {}, "loop")), bad_input, "cycle", "loop"});
  cases.push_back(
      {"DanglingInput", with_node(node("Relu", {"nowhere"}, {"y"}, {}, "relu")), bad_input, "nowhere", "relu"});
  cases.push_back({"DanglingOutput", with_node(node("Relu", {"x"}, {"z"}, {}, "relu")), bad_input, "\"y\""});
  GraphParts twice = relu_parts();
  twice.nodes.push_back(node("Sigmoid", {"x"}, {"y"}, {}, "again"));
  cases.push_back({"DefinedTwice", model(graph(std::move(twice))), bad_input, "twice", "again"});
  GraphParts same_inputs = relu_parts();
  same_inputs.inputs.push_back(value("x"));
  cases.push_back({"SameInputTwice", model(graph(std::move(same_inputs))), bad_input, "twice"});
  GraphParts same_tensors = relu_parts();
  same_tensors.initializers = {tensor<float>("w", {1}, {1}), tensor<float>("w", {1}, {2})};
  cases.push_back({"SameInitializerTwice", model(graph(std::move(same_tensors))), bad_input, "twice"});
  GraphParts lie = relu_parts();
  lie.initializers = {tensor<std::int64_t>("x", {2}, {1, 2})};
  cases.push_back({"InputAndInitializerDisagree", model(graph(std::move(lie))), bad_input, "declared as"});
  GraphParts lying_value = relu_parts();
  lying_value.outputs = {value("y", DType::S64, {{2, 3}})};
  cases.push_back({"DeclaredDtypeIsWrong", model(graph(std::move(lying_value))), bad_input, "declared as", "relu"});
  GraphParts lying_shape = relu_parts();
  lying_shape.outputs = {value("y", DType::F32, {{7, 7, 7}})};
  cases.push_back({"DeclaredShapeIsWrong", model(graph(std::move(lying_shape))), bad_input, "declared as", "relu"});
  GraphParts negative = relu_parts();
  negative.inputs = {value("x", DType::F32, {{2, -7}})};
  cases.push_back({"NegativeDeclaredDim", model(graph(std::move(negative))), bad_input, "-7", "value x"});
  GraphParts unknown_type = relu_parts();
  unknown_type.inputs = {value("x", static_cast<DType>(99))};
  cases.push_back({"UnknownDeclaredDtype", model(graph(std::move(unknown_type))), unsupported, "99", "value x"});
  GraphParts deep_type = relu_parts();
  deep_type.inputs = {nested_type(40)};
  cases.push_back({"DeepType", model(graph(std::move(deep_type))), limit, "nested"});
  cases.push_back({"ThirtyNestedIfsAreLegal", model(nested_if_chain(30)), accepted, ""});
  cases.push_back({"DeepNesting", model(nested_if_chain(200)), limit, "nested"});
  cases.push_back({"WideNesting", model(nested_if(12)), accepted, ""});
  GraphParts bomb = relu_parts();
  for (int i = 0; i < 250'001; ++i) bomb.nodes.push_back(WireMessage{});
  cases.push_back({"TooManyNodes", model(graph(std::move(bomb))), limit, "250000"});
  return cases;
}

std::vector<Case> node_cases() {
  WireMessage lie;
  lie.add_text(1, "axis");
  lie.add_text(4, "zero");
  lie.add_integer(20, 2);
  WireMessage both;
  both.add_text(1, "axis");
  both.add_integer(3, 1);
  both.add_float(2, 1);
  WireMessage unknown_kind;
  unknown_kind.add_text(1, "axis");
  unknown_kind.add_integer(20, 99);
  WireMessage no_name;
  no_name.add_integer(3, 1);
  return {
      {"UnknownOperator", with_node(node("Frobnicate", {"x"}, {"y"}, {}, "frob")), unsupported, "Frobnicate", "frob"},
      {"UnknownDomain", with_node(node("FusedConv", {"x"}, {"y"}, {}, "fused", "com.microsoft")), unsupported,
       "com.microsoft.FusedConv", "fused"},
      {"OperatorNewerThanOpset", with_node(node("Gelu", {"x"}, {"y"}, {}, "gelu"), 13), unsupported, "opset 20",
       "gelu"},
      {"NoOperator", with_node(node("", {"x"}, {"y"}, {}, "nothing")), unsupported, "nothing", "nothing"},
      {"AttributeTypeLies", with_node(node("Softmax", {"x"}, {"y"}, {lie}, "softmax")), bad_input, "axis", "softmax"},
      {"AttributeOfTwoTypes", with_node(node("Softmax", {"x"}, {"y"}, {both}, "softmax")), bad_input, "two types",
       "softmax"},
      {"AttributeOfUnknownType", with_node(node("Softmax", {"x"}, {"y"}, {unknown_kind}, "softmax")), bad_input,
       "unknown type 99", "softmax"},
      {"AttributeWithoutName", with_node(node("Softmax", {"x"}, {"y"}, {no_name}, "softmax")), bad_input, "no name",
       "softmax"},
      {"AttributeOfWrongType", with_node(node("Softmax", {"x"}, {"y"}, {attribute("axis", 1.5f)}, "softmax")),
       bad_input, "axis", "softmax"},
      {"AttributeOfWrongTypeInOldForm",
       with_node(node("Squeeze", {"x"}, {"y"}, {attribute("axes", "all")}, "squeeze"), 11), bad_input, "axes",
       "squeeze"},
      {"AttributeTwice",
       with_node(node("Softmax", {"x"}, {"y"}, {attribute("axis", 1), attribute("axis", 0)}, "softmax")), bad_input,
       "twice", "softmax"},
      {"AttributeNotInSchema", with_node(node("Relu", {"x"}, {"y"}, {attribute("bogus", 1)}, "relu")), bad_input,
       "bogus", "relu"},
      {"AttributeMissing", with_node(node("Concat", {"x"}, {"y"}, {}, "concat")), bad_input, "axis", "concat"},
      {"AxisOutOfRange", with_node(node("Softmax", {"x"}, {"y"}, {attribute("axis", 17)}, "softmax")), bad_input, "17",
       "softmax"},
      {"CastToNothing", with_node(node("Cast", {"x"}, {"y"}, {attribute("to", 4711)}, "cast")), bad_input, "4711",
       "cast"},
      {"TooManyInputs", with_node(node("Relu", {"x", "x", "x"}, {"y"}, {}, "relu")), bad_input, "3 inputs", "relu"},
      {"NoInputs", with_node(node("Relu", {}, {"y"}, {}, "relu")), bad_input, "0 inputs", "relu"},
      {"RequiredInputLeftOut", with_node(node("Relu", {""}, {"y"}, {}, "relu")), bad_input, "left out", "relu"},
      {"NoOutputs", with_node(node("Relu", {"x"}, {}, {}, "relu")), bad_input, "0 outputs", "relu"},
      {"ConstantWithoutValue", with_node(node("Constant", {}, {"y"}, {}, "constant")), bad_input, "value", "constant"},
      {"ReferenceOutsideOfFunction",
       with_node(node("Softmax", {"x"}, {"y"}, {reference_attribute("axis", "a", 2)}, "softmax")), bad_input,
       "function", "softmax"},
      {"GraphAttributeMissing", with_node(node("If", {"x"}, {"y"}, {}, "if")), bad_input, "branch", "if"},
  };
}

std::vector<Case> function_cases() {
  Messages recursive;
  recursive.push_back(function("f", {"a"}, {"b"}, {node("f", {"a"}, {"b"}, {}, "again", "local")}));
  Messages mutual;
  mutual.push_back(function("f", {"a"}, {"b"}, {node("g", {"a"}, {"b"}, {}, "", "local")}));
  mutual.push_back(function("g", {"a"}, {"b"}, {node("f", {"a"}, {"b"}, {}, "", "local")}));
  GraphParts branch;
  branch.nodes = {node("f", {"a"}, {"t"}, {}, "", "local")};
  branch.outputs = {value("t")};
  const WireMessage body = graph(std::move(branch));
  Messages through_if;
  through_if.push_back(function(
      "f", {"a"}, {"b"},
      {node("If", {"a"}, {"b"}, {graph_attribute("then_branch", body), graph_attribute("else_branch", body)})}));
  Messages duplicate;
  duplicate.push_back(function("f", {"a"}, {"b"}, {node("Relu", {"a"}, {"b"})}));
  duplicate.push_back(function("f", {"a"}, {"b"}, {node("Neg", {"a"}, {"b"})}));
  Messages incomplete;
  incomplete.push_back(function("f", {"a"}, {"b"}, {node("Relu", {"a"}, {"c"})}));
  Messages chain;
  chain.push_back(function("f0", {"a"}, {"b"}, {node("Relu", {"a"}, {"b"})}));
  for (int i = 1; i < 100; ++i) {
    chain.push_back(function("f" + std::to_string(i), {"a"}, {"b"},
                             {node("f" + std::to_string(i - 1), {"a"}, {"b"}, {}, "", "local")}));
  }
  const auto call = [](const char* name) { return node(name, {"x"}, {"y"}, {}, "call", "local"); };
  return {
      {"RecursiveFunction", with_node(call("f"), 21, recursive), bad_input, "calls itself", "call"},
      {"MutuallyRecursive", with_node(call("f"), 21, mutual), bad_input, "calls itself", "call"},
      {"RecursiveThroughIf", with_node(call("f"), 21, through_if), bad_input, "calls itself", "call"},
      {"FunctionTwice", with_node(call("f"), 21, duplicate), bad_input, "twice"},
      {"FunctionWithoutResult", with_node(call("f"), 21, incomplete), bad_input, "does not compute", "call"},
      {"DeepFunctions", with_node(call("f99"), 21, chain), limit, "deep", "call"},
      {"BillionLaughs", with_node(call("f11"), 21, laughing_functions(12)), limit, "functions are expanded", "call"},
      {"TooManyArguments",
       with_node(node("f", {"x", "x"}, {"y"}, {}, "call", "local"), 21,
                 {function("f", {"a"}, {"b"}, {node("Relu", {"a"}, {"b"})})}),
       bad_input, "too many", "call"},
  };
}

class OnnxHostile : public testing::TestWithParam<Case> {};

TEST_P(OnnxHostile, EndsAsItMust) {
  const Case& hostile = GetParam();
  const auto owner = std::make_shared<const std::string>(hostile.bytes);
  const auto outcome =
      hostile::outcome_of([&] { onnx::read_bytes(std::as_bytes(std::span(*owner)), owner, {}, "hostile/model.onnx"); });
  hostile::expect_outcome(outcome, hostile.exit_code, hostile.says, hostile.node);
  if (hostile.exit_code != accepted) {
    EXPECT_EQ(outcome.file, "hostile/model.onnx");
  }
  EXPECT_LT(hostile::peak_memory_bytes(), 256L << 20);
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Wire, OnnxHostile, testing::ValuesIn(wire_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Tensors, OnnxHostile, testing::ValuesIn(tensor_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Sparse, OnnxHostile, testing::ValuesIn(sparse_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Graphs, OnnxHostile, testing::ValuesIn(graph_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Nodes, OnnxHostile, testing::ValuesIn(node_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Functions, OnnxHostile, testing::ValuesIn(function_cases()), case_name);

}  // namespace
}  // namespace adze
