// Whole networks of the zoo in adze and in ONNX Runtime, on the same model file, by turns in one process.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "adze/base/text.h"
#include "benchmarks/peers/busy.h"
#include "benchmarks/peers/comparison.h"
#include "benchmarks/peers/tables.h"
#include "benchmarks/peers/targets.h"
#include "benchmarks/peers/way.h"

namespace adze::peers {
namespace {

struct Arguments {
  Request request{target_networks(), ways_here(), {1, 2}, 1.5, "", true, true};
  std::filesystem::path library, markdown_file;
  bool quick = false, busy = false, no_start = false;
  StartRequest start;
};

void declare(CLI::App& app, Arguments& arguments) {
  Request& request = arguments.request;
  app.add_option("--networks", request.networks,
                 "Networks of the zoo, settings allowed; default the twelve that have targets");
  app.add_option("--precision", request.precisions,
                 "fp32, int8, int8-avx2, int8-amx, bf16; default all that this machine has")
      ->check(CLI::IsMember(all_ways()));
  app.add_option("--threads", request.threads, "Numbers of threads; default 1 2")->check(CLI::Range(1, 256));
  app.add_option("--seconds", request.seconds, "Measuring time for each engine and line; default 1.5")
      ->check(CLI::Range(0.01, 600.0));
  app.add_option("--isa", request.isa, "Highest instruction set for adze; ONNX Runtime has no such cap");
  app.add_option("--library", arguments.library, "libonnxruntime.so; default what tests/witness/setup installed");
  app.add_option("--markdown", arguments.markdown_file, "Write the tables into this file");
  app.add_flag("--no-start", arguments.no_start, "Leave creation time and memory out");
  app.add_flag("--quick", arguments.quick, "All networks shortly, 1 thread, without creation and memory");
  app.add_flag("--busy", arguments.busy,
               "Instead: keep one core busy with another process and compare 1 and 2 threads of adze");
  CLI::Option_group* own = app.add_option_group("own", "used by the program itself");
  own->group("");
  own->add_option("--start", arguments.start.engine)->check(CLI::IsMember({"adze", "onnxruntime"}));
  own->add_option("--model", arguments.start.model);
  own->add_option("--weight-file", arguments.start.weight_file);
  own->add_option("--shape", arguments.start.input);
}

int report_busy(const Request& request) {
  int slow = 0;
  for (const BusyLine& line : measure_busy(request.networks, request.precisions, request.isa, request.seconds)) {
    const bool bad = line.slowdown() > 0.1;
    slow += bad ? 1 : 0;
    std::printf("%-20s %s  1 thread %9.1f us, 2 threads %9.1f us  %+5.1f %%%s\n", line.network.c_str(),
                line.precision.c_str(), 1e6 * line.one_thread, 1e6 * line.two_threads, 100 * line.slowdown(),
                bad ? "  slower by more than 10 %" : "");
    std::fflush(stdout);
  }
  return slow == 0 ? 0 : 5;
}

int run(Arguments& arguments, const std::string& command) {
  if (!arguments.start.engine.empty()) {
    arguments.start.library = arguments.library;
    arguments.start.isa = arguments.request.isa;
    answer_start(arguments.start);
    return 0;
  }
  if (arguments.busy) {
    std::erase_if(arguments.request.precisions, [](const auto& name) { return name != "fp32" && name != "int8"; });
    return report_busy(arguments.request);
  }
  if (arguments.library.empty()) arguments.library = OnnxRuntime::installed_library(ADZE_SOURCE_DIR);
  if (arguments.library.empty()) {
    throw UsageError("ONNX Runtime is not installed", "run tests/witness/setup, or name its library with --library");
  }
  if (arguments.quick) {
    arguments.request.threads = {1};
    std::erase_if(arguments.request.precisions, [](const auto& name) { return name != "fp32" && name != "int8"; });
    arguments.request.seconds = std::min(arguments.request.seconds, 0.5);
  }
  arguments.request.start = !arguments.no_start && !arguments.quick;
  arguments.request.layers = !arguments.quick;
  const MachinePeaks peaks = measure_peaks(false);
  const Comparison comparison = compare(arguments.request, arguments.library,
                                        [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); });
  const std::string text = markdown(comparison, peaks, OnnxRuntime(arguments.library).version(), command);
  std::printf("%s", text.c_str());
  if (!arguments.markdown_file.empty()) replace_tables(arguments.markdown_file, text);
  return 0;
}

}  // namespace
}  // namespace adze::peers

int main(int argc, char** argv) {
  adze::peers::Arguments arguments;
  CLI::App app("Compare adze with ONNX Runtime on the networks of the zoo.");
  adze::peers::declare(app, arguments);
  CLI11_PARSE(app, argc, argv);
  try {
    std::vector<std::string> words{"peers"};
    words.insert(words.end(), argv + 1, argv + argc);
    return adze::peers::run(arguments, adze::join(words, " "));
  } catch (const adze::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
