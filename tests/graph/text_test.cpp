#include "adze/graph/text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/graph/compare.h"
#include "adze/graph/verify.h"

namespace adze {
namespace {

constexpr std::string_view sample = R"(graph "kws" {
  doc "two\nlines"
  producer "nobody"
  metadata "adze.rounding" = "onnx"
  input %x: f32[batch, 3, 32, 32]
  input %"a b": seq(s64[*])
  constant %w: f32[2] = [1.0, 0.5]
  constant %b: bool[2] = [true, false]
  constant %t: string[2] = ["q\"uote", "x"]
  constant %n: s4[3] = [-8, 7, 0]
  %y = Conv(%x, %w, _) "conv_1" { group = 1, pads = [1, 1, 1, 1] } meta { "k" = "v" } : f32[batch, 2, 32, 32]
  %p:0, _ = MaxPool(%y) "pool" { auto_pad = "VALID", kernel_shape = [2, 2], pads = ints[] } : f32[*]
  %r = Relu(%p:0) "relu" : ?
  %e = Elu(%r) "elu" { alpha = 1.0e-30 } : ?[?, "odd dim"]
  output %e
}
)";

std::string reprinted(std::string_view text) {
  return print_graph(parse_graph(text));
}

TEST(GraphText, PrintsWhatItParsed) {
  const Graph graph = parse_graph(sample);
  EXPECT_EQ(graph.doc, "two\nlines");
  EXPECT_EQ(graph.value(graph.find_value("a b")).type.kind, ValueType::Kind::Sequence);
  const std::string once = print_graph(graph);
  EXPECT_EQ(reprinted(once), once);
  EXPECT_FALSE(structural_difference(graph, parse_graph(once)));
  EXPECT_NE(
      once.find(
          R"(%y = Conv(%x, %w, _) "conv_1" { group = 1, pads = [1, 1, 1, 1] } meta { "k" = "v" } : f32[batch, 2, 32, 32])"),
      std::string::npos);
  EXPECT_NE(once.find(R"({ alpha = 1e-30 } : ?[?, "odd dim"])"), std::string::npos);
  EXPECT_NE(once.find("input %\"a b\": seq(s64[*])"), std::string::npos);
}

/// A graph that returns one constant.
Graph graph_of(Tensor tensor) {
  Graph graph;
  graph.add_output(graph.add(OpKind::Identity, {graph.add_constant("c", std::move(tensor))}));
  return graph;
}

void expect_round_trip(const Tensor& tensor) {
  const Graph graph = graph_of(tensor);
  const std::string text = print_graph(graph);
  const Graph back = parse_graph(text);
  const Tensor* constant = back.constant(back.find_value("c"));
  ASSERT_NE(constant, nullptr);
  EXPECT_TRUE(identical(*constant, tensor)) << text;
  EXPECT_EQ(print_graph(back), text);
}

TEST(GraphText, KeepsEveryBitOfConstantsOfEveryType) {
  Random random(3);
  for (int d = 1; d < num_dtypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    if (dtype == DType::String) continue;
    for (const std::int64_t count : {0, 1, 5, 32, 33, 34, 35}) {
      Tensor tensor(dtype, {count});
      for (std::byte& byte : tensor.mutable_bytes())
        byte = static_cast<std::byte>(random.below(dtype == DType::Bool ? 2 : 256));
      if ((dtype == DType::S4 || dtype == DType::U4) && count % 2 == 1) tensor.mutable_bytes().back() &= std::byte{15};
      expect_round_trip(tensor);
    }
  }
  expect_round_trip(Tensor::from<std::string>({3}, {"", std::string("a\0b\x7f\n\\\"", 7), "ü"}));
  expect_round_trip(Tensor::scalar<std::int64_t>(std::numeric_limits<std::int64_t>::min()));
}

TEST(GraphText, KeepsFloatsExactly) {
  const float infinity = std::numeric_limits<float>::infinity();
  expect_round_trip(Tensor::from<float>(
      {8}, {infinity, -infinity, -0.0f, 1e-45f, 3.4028235e38f, 0.1f, 16777217.0f, std::bit_cast<float>(0xffc12345u)}));
  Graph graph = graph_of(Tensor::scalar(1.0f));
  graph.node(NodeId{0}).kind = OpKind::Elu;
  graph.node(NodeId{0}).set("alpha", std::bit_cast<float>(0x7fc00001u));
  const Graph back = parse_graph(print_graph(graph));
  EXPECT_EQ(std::bit_cast<std::uint32_t>(back.node(NodeId{0}).get_float("alpha")), 0x7fc00001u);
}

TEST(GraphText, KeepsSubgraphsAndTheirCaptures) {
  const std::string text = R"(graph "g" {
  input %c: bool[]
  input %x: f32[2]
  %y = If(%c) "if" { else_branch = graph "e" {
    capture %outer = %x : f32[2]
    %n = Neg(%outer) "neg" : f32[2]
    output %n
  }, then_branch = graph "t" {
    capture %inner = %x : f32[2]
    %i = Identity(%inner) "id" : f32[2]
    output %i
  } } : f32[2]
  output %y
}
)";
  EXPECT_EQ(reprinted(text), text);
  const Graph graph = parse_graph(text);
  const auto& branch = std::get<Subgraph>(*graph.node(NodeId{0}).find("then_branch"));
  EXPECT_EQ(branch.captured, std::vector{graph.find_value("x")});
}

TEST(GraphText, KeepsAttributesOfEveryType) {
  const std::string text = R"(graph "g" {
  input %s: string[2]
  %a = TfIdfVectorizer(%s) "t" { max_gram_length = 1, max_skip_count = 0, min_gram_length = 1, mode = "TF", ngram_counts = [0], ngram_indexes = [0, 1], pool_strings = ["a", "b c"], weights = [0.5, inf] } : f32[2]
  %o = Optional() "o" { type = type(optional(seq(f16[a, ?]))) } : ?
  %c = Scatter(%a, %a, %a) "s" : f32[2]
  %l = LSTM(%a, %a, %a) "l" { activations = strings[], activation_alpha = floats[] } : ?
  output %c
  output %o
  output %l
}
)";
  const std::string once = reprinted(text);
  EXPECT_EQ(reprinted(once), once);
  EXPECT_NE(once.find("weights = [0.5, inf]"), std::string::npos);
  EXPECT_NE(once.find("type(optional(seq(f16[a, ?])))"), std::string::npos);
  EXPECT_NE(once.find("activation_alpha = floats[], activations = strings[]"), std::string::npos);
}

void expect_error(std::string_view text, std::string_view part) {
  try {
    parse_graph(text);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const ModelError& error) {
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
  }
}

TEST(GraphText, NamesLineAndColumnOfWhatIsWrong) {
  expect_error("", "line 1, column 1: expected graph, found the end of the text");
  expect_error("graph \"g\" {\n  input x: f32[1]\n}", "line 2, column 9: expected a %name");
  expect_error("graph \"g\" {\n  %y = Convv(%x) \"n\"\n}", "line 2, column 8: unknown operator \"Convv\"; is it Conv?");
  expect_error("graph \"g\" {\n  %y = Relu(%x)\n}", "line 2, column 13: %x is not defined above");
  expect_error("graph \"g\" { input %x: f32[1] input %x: f32[1] }", "%x is defined twice");
  expect_error("graph \"g\" { constant %x: f32[3] = [1.0] }", "needs 3 elements, found 1");
  expect_error("graph \"g\" { constant %x: s8[1] = [200] }", "200 does not fit s8");
  expect_error("graph \"g\" { constant %x: f32[4000000000, 4000000000, 4000000000] = base64 \"\" }", "overflows");
  expect_error("graph \"g\" { constant %x: f32[1] = base64 \"AAA\" }", "groups of four");
  expect_error("graph \"g\" { constant %x: f32[1] = base64 \"AAAA\" }", "needs 4 bytes, found 3");
  expect_error("graph \"g\" { input %x: f32[1] %y = Relu(%x) { alpha = 1.0 } }", "Relu has no attribute \"alpha\"");
  expect_error("graph \"g\" { input %x: f33[1] }", "unknown dtype");
  expect_error("graph \"g\" {} x", "expected the end of the text");
  expect_error("graph \"g", "the quoted text does not end");
  expect_error("graph \"g\" { input %x: f32[1] %y = Relu(%x, %x) output %y }", "has 2 inputs, expected 1");
}

TEST(GraphText, RefusesDeepNesting) {
  std::string type = "f32[1]";
  for (int i = 0; i < 10'000; ++i) type.insert(0, "seq(");
  expect_error(cat("graph \"g\" { input %x: ", type), "nested more than 64 deep");
}

TEST(GraphText, NeverCrashesOnMutants) {
  Random random(11);
  const std::string text = reprinted(sample);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string mutant = text;
    for (std::uint64_t k = random.below(4) + 1; k > 0 && !mutant.empty(); --k) {
      const std::size_t at = random.below(mutant.size());
      switch (random.below(4)) {
        case 0:
          mutant[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          mutant.erase(at, random.below(20));
          break;
        case 2:
          mutant.insert(at, mutant.substr(random.below(mutant.size()), random.below(20)));
          break;
        default:
          mutant.resize(at + 1);
          break;
      }
    }
    try {
      print_graph(parse_graph(mutant));
      ++accepted;
    } catch (const ModelError&) {
    }
  }
  EXPECT_GT(accepted, 0);
}

TEST(GraphText, LeavesOutLargeConstantsWhenAsked) {
  const Graph graph = graph_of(Tensor(DType::F32, {100}));
  EXPECT_NE(print_graph(graph, {.constant_data = false}).find("constant %c: f32[100]\n"), std::string::npos);
}

}  // namespace
}  // namespace adze
