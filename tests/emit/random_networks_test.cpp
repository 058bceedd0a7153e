// Random integer networks as C compute what the engine and the reference compute, whatever they are optimized for.
// ADZE_RANDOM_GRAPHS=N runs N of them, ADZE_RANDOM_BEGIN=I leaves out those before I.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

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
  const ValueType& type = graph.value(graph.inputs()[0]).type;
  Tensor tensor(type.dtype, *concrete(*type.shape));
  const std::int64_t low = integer_min(type.dtype), high = integer_max(type.dtype);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.set_int(i, static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1))) + low);
  }
  return tensor;
}

/// For every goal, and with the arena in two memories: each code that differs once.
std::map<std::string, emit::Emission> emissions(const Graph& graph, emit::EmitOptions options) {
  using emit::Optimize;
  std::map<std::string, emit::Emission> found;
  const auto add = [&] {
    emit::Emission emission = emit::emit_c(graph, options);
    const auto code = std::find_if(emission.files.begin(), emission.files.end(),
                                   [](const emit::EmittedFile& file) { return file.path == "net.c"; });
    const std::string text = code->bytes;
    return found.emplace(text, std::move(emission)).first->second.arena_bytes;
  };
  for (const Optimize goal : {Optimize::Speed, Optimize::Balanced, Optimize::Ram, Optimize::Size}) {
    options.optimize = goal;
    options.memories.clear();
    const std::int64_t bytes = add();
    if (goal == Optimize::Balanced || bytes < 64) continue;
    options.memories = {{"fast", bytes / 2}, {"large", 1 << 20}};
    add();
  }
  return found;
}

void check_networks(DType dtype) {
  const char* wanted = std::getenv("ADZE_RANDOM_GRAPHS");
  const char* begin = std::getenv("ADZE_RANDOM_BEGIN");
  const int count = wanted != nullptr ? std::max(1, std::atoi(wanted)) : 2;
  constexpr const char* cores[] = {"generic", "cortex-m4", "cortex-m55"};
  for (int i = begin != nullptr ? std::atoi(begin) : 0; i < count; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    const Graph graph = testing::random_integer_network(seed, dtype);
    emit::EmitOptions options;
    options.core = cores[i % 3];
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
    PrintOptions print;
    print.constant_data = false;
    for (const auto& [text, emission] : emissions(graph, options)) {
      const auto ran = testing::compile_and_run(emission, "net", compiler);
      ASSERT_EQ(ran.exit_code, 0) << seed << " " << options.core << " " << ran.output << "\n"
                                  << print_graph(graph, print);
    }
  }
}

TEST(RandomNetworks, GiveTheBytesOfEngineAndReferenceAsC) {
  check_networks(DType::S8);
}

TEST(RandomNetworks, OfSixteenBitsGiveThemToo) {
  check_networks(DType::S16);
}

}  // namespace
}  // namespace adze
