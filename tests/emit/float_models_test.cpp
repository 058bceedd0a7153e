// Float networks as C agree with the engine.
#include <gtest/gtest.h>

#include "adze/base/random.h"
#include "adze/engine/session.h"
#include "adze/graph/text.h"
#include "tests/emit/compile.h"

namespace adze {
namespace {

constexpr const char* network = R"(graph "small" {
  input %x: f32[1, 2, 5, 6]
  constant %w: f32[4, 2, 3, 3] = [0.1, -0.2, 0.3, 0.4, -0.5, 0.6, 0.7, 0.8, -0.9, 1.0, 0.1, 0.2, -0.3, 0.4, 0.5, 0.6, -0.7, 0.8, 0.9, 0.1, 0.2, 0.3, -0.4, 0.5, 0.6, 0.7, 0.8, 0.9, -0.1, 0.2, 0.3, 0.4, 0.5, -0.6, 0.7, 0.8, 0.9, 0.1, 0.2, -0.3, 0.4, 0.5, 0.6, 0.7, -0.8, 0.9, 0.1, 0.2, 0.3, -0.4, 0.5, 0.6, 0.7, 0.8, -0.9, 0.1, 0.2, 0.3, 0.4, 0.5, -0.6, 0.7, 0.8, 0.9, 0.1, -0.2, 0.3, 0.4, 0.5, 0.6, 0.7, -0.8]
  constant %b: f32[4] = [0.5, -0.5, 0.25, 0.0]
  constant %c: f32[4, 1, 1] = [1.0, 2.0, -1.0, 0.5]
  constant %g: f32[4, 3] = [0.1, 0.2, 0.3, -0.1, 0.5, 0.2, 0.3, -0.4, 0.1, 0.2, 0.2, -0.2]
  %y = Conv(%x, %w, %b) "conv" { dilations = [1, 1], kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 1] }
  %r = Relu(%y) "relu"
  %m = Mul(%r, %c) "scale"
  %p = MaxPool(%m) "pool" { kernel_shape = [2, 2], pads = [0, 0, 0, 0], strides = [1, 2] }
  %a = GlobalAveragePool(%p) "mean"
  %f = Flatten(%a) "flat"
  %d = Gemm(%f, %g) "dense"
  %s = Softmax(%d) "softmax"
  output %s
  output %p
}
)";

TEST(FloatModels, AgreeWithTheEngineAsC) {
  const Graph graph = parse_graph(network);
  Random random(3);
  emit::EmitOptions options;
  Session session(graph, {});
  for (int run = 0; run < 2; ++run) {
    Tensor input(DType::F32, {1, 2, 5, 6});
    for (float& value : input.mutable_data<float>()) value = static_cast<float>(random.normal());
    options.golden.push_back({{input}, session.run(std::vector{input})});
  }
  const auto ran = testing::compile_and_run(emit::emit_c(graph, options), "net");
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.output, "equal 54 of 54\n");
}

TEST(Emit, RefusesAnOperatorByNodeAndName) {
  const Graph graph = parse_graph(R"(graph "odd" {
  input %x: f32[4]
  %y = Erf(%x) "strange"
  output %y
}
)");
  try {
    emit::emit_c(graph);
    FAIL() << "not refused";
  } catch (const UnsupportedError& error) {
    EXPECT_NE(std::string(error.what()).find("\"strange\", operator Erf"), std::string::npos) << error.what();
  }
  emit::EmitOptions options;
  options.core = "cortex-m99";
  EXPECT_THROW(emit::emit_c(graph, options), UsageError);
  options.core = "generic";
  options.name = "9 lives";
  EXPECT_THROW(emit::emit_c(graph, options), UsageError);
}

}  // namespace
}  // namespace adze
