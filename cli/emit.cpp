#include <filesystem>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/emit/c/emit.h"
#include "adze/graph/facts.h"
#include "adze/recipe/model_files.h"
#include "cli/device_run.h"
#include "cli/golden_runs.h"
#include "cli/model_zeros.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string target, input, output;
  std::string core = "generic", device, optimize = "balanced", name = "net", rounding = "tflm", weights = "arrays";
  std::vector<std::string> stateful;
  std::int64_t golden = 2;
  bool profile = false, no_slim = false, check = false, integer_io = false;
};

/// Compiles the same code with profiling hooks, runs it on the emulated core and compares. Missing tools are a remark.
ExitCode check(Console& console, const Graph& graph, const emit::EmitOptions& options, const Arguments& arguments) {
  if (options.core == "generic") {
    throw UsageError("--check needs a core to emulate", cat("--core ", join(device::emulated_cores(), ", --core ")));
  }
  if (options.golden.empty()) throw UsageError("--check compares golden inputs, but --golden is 0");
  const std::string device = arguments.device.empty() ? options.core : arguments.device;
  const DeviceRun run = run_on_device(graph, options, device::load_profile(device));
  if (!run.emulation.available) {
    console.results()["check"] = run.emulation.why_not;
    console.remark(cat("not checked: ", run.emulation.why_not));
    return ExitCode::Done;
  }
  console.line("");
  show_device_run(console, run);
  return run.bytes_equal ? ExitCode::Done : ExitCode::GoalMissed;
}

ExitCode run_emit(Console& console, const Arguments& arguments) {
  Graph graph = emittable(load_model(arguments.input), !arguments.no_slim, arguments.integer_io);
  if (!arguments.stateful.empty()) graph.metadata["adze.state"] = join(arguments.stateful, ",");
  const std::string core = arguments.device.empty() ? arguments.core : device::load_profile(arguments.device).core;
  if (arguments.rounding != "model") graph.metadata["adze.rounding"] = arguments.rounding;
  emit::EmitOptions options;
  options.name = arguments.name;
  options.core = core.empty() ? "generic" : core;
  if (!arguments.device.empty()) options.memories = memories_of(device::load_profile(arguments.device));
  options.optimize = optimize_from(arguments.optimize);
  options.weights_object = arguments.weights == "object";
  options.profile_hooks = arguments.profile;
  options.golden = golden_runs(graph, arguments.golden, console.options.seed);
  const emit::Emission emission = emit::emit_c(graph, options);
  const std::filesystem::path folder = arguments.output;
  for (const auto& file : emission.files) {
    const auto path = folder / file.path;
    if (std::filesystem::exists(path) && !console.options.force) {
      throw UsageError(cat(path.string(), " exists; --force overwrites it"));
    }
  }
  std::filesystem::create_directories(folder);
  for (const auto& file : emission.files) write_file(folder / file.path, file.bytes);
  console.model("input", arguments.input);
  Json layers = Json::array(), files = Json::array();
  for (const auto& layer : emission.layers) {
    layers.push_back({{"name", layer.name}, {"op", layer.op}, {"macs", layer.macs}});
  }
  for (const auto& file : emission.files) files.push_back(file.path);
  console.results() = {{"core", options.core},
                       {"optimize", arguments.optimize},
                       {"arena_bytes", emission.arena_bytes},
                       {"lower_bound_bytes", emission.lower_bound_bytes},
                       {"weight_bytes", emission.weight_bytes},
                       {"layers", layers},
                       {"files", files}};
  console.line(cat(emission.files.size(), " files in ", arguments.output, ": ", emission.layers.size(), " layers for ",
                   options.core));
  console.line(cat("arena ", emission.arena_bytes, " bytes, lower bound ", emission.lower_bound_bytes, ", gap ",
                   emission.memory.arena_bytes - emission.lower_bound_bytes, "; constants ", emission.weight_bytes,
                   " bytes"));
  for (const MemoryRange& memory : emission.memory.memories) {
    console.line(cat("in ", memory.name, " ", memory.used, " of ", memory.bytes, " bytes"));
  }
  const bool zeros_kept = show_zeros(console, graph);
  if (weight_facts(graph).zeros) {
    console.line("zeros are stored and multiplied as other weights are: on a device, fewer channels save (adze prune)");
  }
  if (!arguments.check) return ExitCode::Done;
  const ExitCode checked = check(console, graph, options, arguments);
  return zeros_kept ? checked : ExitCode::GoalMissed;
}

}  // namespace

Verb emit_verb() {
  return {
      "emit", "Write a network as C99 for microcontrollers: no heap, no file, no runtime",
      "  adze emit c model-int8.onnx -o out/ --core cortex-m4\n"
      "  adze emit c model.tflite -o out/ --core cortex-m55 --optimize ram --name kws\n"
      "  adze emit c model.tflite -o out/ --device nrf52840 --check\n"
      "  adze emit c model.tflite -o out/ && cc -std=c99 -O2 out/*.c -o net_test -lm && ./net_test\n",
      [](Options& options) -> Action {
        auto arguments = std::make_shared<Arguments>();
        options.positional(arguments->target, "LANGUAGE", "What to write: c");
        options.positional(arguments->input, "MODEL", "Model: ONNX, TFLite or .adze text, or zoo:NAME");
        options.option(arguments->output, "-o,--output", "Folder to write into", Options::Need::Required);
        options.choice(arguments->core, "--core", "Processor core to write for", emit::cores());
        options.option(arguments->device, "--device", "Device to write for, instead of --core: adze device list");
        options.choice(arguments->optimize, "--optimize", "What matters most", {"balanced", "speed", "ram", "size"});
        options.option(arguments->name, "--name", "Prefix of files and functions");
        options.choice(arguments->rounding, "--rounding",
                       "Integer rounding: fixed point as TFLite-Micro, or as the model says for this computer",
                       {"tflm", "litert", "onnx", "model"});
        options.choice(arguments->weights, "--weights",
                       "Where tables stand: as C arrays, or in a file that an assembler source takes in (GCC, Clang)",
                       {"arrays", "object"});
        options.option(arguments->stateful, "--stateful",
                       "INPUT=OUTPUT: keep the output for the next call's input; may be repeated");
        options.option(arguments->golden, "--golden", "Seeded random inputs in the test program; 0: no program");
        options.flag(arguments->profile, "--profile", "Call NAME_profile(layer) before each layer");
        options.flag(arguments->check, "--check",
                     "Compile, run on the emulated core, compare with the engine, count instructions");
        options.flag(arguments->integer_io, "--integer-io",
                     "Inputs and outputs as bytes where the model quantizes them itself: no float copy is kept");
        options.flag(arguments->no_slim, "--no-slim", "Do not simplify the model first");
        return [arguments](Console& console) {
          if (arguments->target != "c") {
            throw UsageError(cat("cannot write ", arguments->target, ", expected c"));
          }
          return run_emit(console, *arguments);
        };
      }};
}

}  // namespace adze::cli
