// Random integer networks as C compute what the engine and the reference compute. ADZE_RANDOM_GRAPHS=N runs N of them.
#include <gtest/gtest.h>

#include <cstdlib>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/engine/session.h"
#include "adze/graph/text.h"
#include "tests/emit/compile.h"
#include "tests/emit/random_network.h"

namespace adze {
namespace {

Tensor random_input(const Graph& graph, Random& random) {
  Tensor tensor(DType::S8, *concrete(*graph.value(graph.inputs()[0]).type.shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.set_int(i, static_cast<std::int64_t>(random.below(256)) - 128);
  }
  return tensor;
}

TEST(RandomNetworks, GiveTheBytesOfEngineAndReferenceAsC) {
  const char* wanted = std::getenv("ADZE_RANDOM_GRAPHS");
  const int count = wanted != nullptr ? std::max(1, std::atoi(wanted)) : 4;
  constexpr const char* cores[] = {"generic", "cortex-m4", "cortex-m55"};
  using emit::Optimize;
  constexpr Optimize goals[] = {Optimize::Size, Optimize::Size, Optimize::Ram, Optimize::Ram, Optimize::Speed};
  for (int i = 0; i < count; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    const Graph graph = testing::random_integer_network(seed);
    emit::EmitOptions options;
    options.core = cores[i % 3];
    options.optimize = goals[i % 5];
    Random random(seed + 77);
    Session session(graph, {});
    for (int run = 0; run < 2; ++run) {
      const Tensor input = random_input(graph, random);
      const std::vector<Tensor> expected = reference::run_tensors(graph, {input});
      ASSERT_TRUE(identical(session.run(std::vector{input})[0], expected[0])) << seed;
      options.golden.push_back({{input}, expected});
    }
    std::string compiler = "cc -std=c99 -O0 -Wall -Wextra -Wconversion -Werror";
    if (i % 4 == 3) compiler += " -fsanitize=undefined -fno-sanitize-recover=undefined";
    const auto ran = testing::compile_and_run(emit::emit_c(graph, options), "net", compiler);
    PrintOptions print;
    print.constant_data = false;
    ASSERT_EQ(ran.exit_code, 0) << seed << " " << options.core << " " << ran.output << "\n"
                                << print_graph(graph, print);
  }
}

}  // namespace
}  // namespace adze
