// Random integer networks give the reference's bytes on emulated Cortex-M4 and M55 too: the hand-written instructions.
// ADZE_RANDOM_GRAPHS=N runs N of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "adze/base/files.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/device/emulate.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/text.h"
#include "tests/emit/compile.h"
#include "tests/emit/random_network.h"

namespace adze {
namespace {

device::Emulation emulate(const Graph& graph, const std::string& core, std::uint64_t seed) {
  Random random(seed);
  Tensor input(DType::S8, *concrete(*graph.value(graph.inputs()[0]).type.shape));
  for (std::int64_t i = 0; i < input.size(); ++i) {
    input.set_int(i, static_cast<std::int64_t>(random.below(256)) - 128);
  }
  emit::EmitOptions options;
  options.core = core;
  options.optimize = seed % 4 == 0 ? emit::Optimize::Speed : emit::Optimize::Ram;
  options.profile_hooks = true;
  options.golden = {{{input}, reference::run_tensors(graph, {input})}};
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / cat("adze_emulated_", getpid());
  std::filesystem::create_directories(folder);
  device::EmulationRequest request;
  request.folder = folder;
  request.core = core;
  for (const auto& file : emit::emit_c(graph, options).files) {
    write_file(folder / file.path, file.bytes);
    if (file.path.ends_with(".c")) request.sources.push_back(file.path);
  }
  const device::Emulation ran = device::emulate(request);
  std::filesystem::remove_all(folder);
  return ran;
}

TEST(EmulatedNetworks, GiveTheBytesOfTheReference) {
  const char* wanted = std::getenv("ADZE_RANDOM_GRAPHS");
  const int count = wanted != nullptr ? std::max(1, std::atoi(wanted)) : 2;
  constexpr const char* cores[] = {"cortex-m4", "cortex-m55"};
  for (int i = 0; i < count; ++i) {
    const auto seed = static_cast<std::uint64_t>(1000 + i);
    const Graph graph = testing::random_integer_network(seed);
    const device::Emulation ran = emulate(graph, cores[i % 2], seed);
    if (!ran.available) GTEST_SKIP() << "skipped: " << ran.why_not;
    PrintOptions print;
    print.constant_data = false;
    ASSERT_EQ(ran.exit_code, 0) << seed << " " << cores[i % 2] << " " << ran.output << "\n"
                                << print_graph(graph, print);
  }
}

}  // namespace
}  // namespace adze
