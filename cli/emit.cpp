#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/device/emulate.h"
#include "adze/emit/c/emit.h"
#include "adze/engine/reference/evaluator.h"
#include "adze/engine/session.h"
#include "adze/plan/plan.h"
#include "adze/recipe/model_files.h"
#include "adze/rewrite/simplify.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string target, input, output;
  std::string core = "generic", optimize = "balanced", name = "net";
  std::int64_t golden = 2;
  bool profile = false, no_slim = false, check = false;
};

emit::Optimize optimize_from(const std::string& word) {
  if (word == "speed") return emit::Optimize::Speed;
  if (word == "ram") return emit::Optimize::Ram;
  return word == "size" ? emit::Optimize::Size : emit::Optimize::Balanced;
}

/// Any byte for int8 inputs, normal numbers for the others.
Tensor random_input(const ValueType& type, Random& random) {
  Tensor tensor(type.dtype, *concrete(*type.shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (type.dtype == DType::S8) {
      tensor.set_int(i, static_cast<std::int64_t>(random.below(256)) - 128);
    } else {
      tensor.set_double(i, random.normal());
    }
  }
  return tensor;
}

/// What the engine makes of random inputs.
std::vector<emit::Golden> golden_runs(const Graph& graph, std::int64_t count, std::int64_t seed) {
  Random random(static_cast<std::uint64_t>(seed));
  std::vector<emit::Golden> runs;
  Session session(graph, {});
  for (std::int64_t i = 0; i < count; ++i) {
    emit::Golden run;
    for (const ValueId id : graph.inputs()) run.inputs.push_back(random_input(graph.value(id).type, random));
    run.outputs = session.run(run.inputs);
    runs.push_back(std::move(run));
  }
  return runs;
}

/// A folder for files of this run only.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "adze-emit-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw ModelError(cat("cannot make a folder like ", pattern));
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Compiles the code for its core, runs it under emulation and reports; false when the bytes differ.
bool check(Console& console, const Graph& graph, emit::EmitOptions options) {
  const auto emulated = device::emulated_cores();
  if (std::find(emulated.begin(), emulated.end(), options.core) == emulated.end()) {
    throw UsageError(cat("--check needs a core that can be emulated: ", join(emulated, ", ")));
  }
  options.profile_hooks = true;
  const emit::Emission emission = emit::emit_c(graph, options);
  const TemporaryFolder folder;
  device::EmulationRequest request;
  request.folder = folder.path();
  request.core = options.core;
  request.profile_function = options.name + "_profile";
  for (const auto& file : emission.files) {
    write_file(folder.path() / file.path, file.bytes);
    if (file.path.ends_with(".c")) request.sources.push_back(file.path);
  }
  const device::Emulation ran = device::emulate(request);
  if (!ran.available) {
    console.remark(cat("not checked: ", ran.why_not));
    return true;
  }
  Json layers = Json::array();
  for (const std::int64_t count : ran.layer_instructions) layers.push_back(count);
  Json& results = console.results();
  results["device"] = options.core;
  results["bytes_equal"] = ran.exit_code == 0;
  results["instructions"] = ran.instructions;
  results["ram_bytes"] = ran.ram_bytes();
  results["stack_bytes"] = ran.stack_bytes;
  results["flash_bytes"] = ran.flash_bytes();
  results["layer_instructions"] = layers;
  console.line(cat("emulated ", options.core, ": ", trim(ran.output), ", ", ran.instructions,
                   " instructions an inference, RAM ", ran.ram_bytes(), " bytes (stack ", ran.stack_bytes, "), flash ",
                   ran.flash_bytes(), " bytes"));
  return ran.exit_code == 0;
}

ExitCode run_emit(Console& console, const Arguments& arguments) {
  Graph graph = load_model(arguments.input);
  if (!arguments.no_slim) {
    rewrite::SimplifyOptions options;
    options.evaluate = reference::evaluator();
    rewrite::simplify(graph, options);
  }
  graph = with_unknown_dims(std::move(graph), 1);
  emit::EmitOptions options;
  options.name = arguments.name;
  options.core = arguments.core;
  options.optimize = optimize_from(arguments.optimize);
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
  console.results() = {{"core", arguments.core},
                       {"optimize", arguments.optimize},
                       {"arena_bytes", emission.arena_bytes},
                       {"lower_bound_bytes", emission.lower_bound_bytes},
                       {"weight_bytes", emission.weight_bytes},
                       {"layers", layers},
                       {"files", files}};
  console.line(cat(emission.files.size(), " files in ", arguments.output, ": ", emission.layers.size(), " layers for ",
                   arguments.core));
  console.line(cat("arena ", emission.arena_bytes, " bytes, of which at least ", emission.lower_bound_bytes,
                   " are alive at once; constants ", emission.weight_bytes, " bytes"));
  if (arguments.check && !check(console, graph, options)) return ExitCode::GoalMissed;
  return ExitCode::Done;
}

}  // namespace

Verb emit_verb() {
  return {
      "emit", "Write a network as C99 for microcontrollers: no heap, no file, no runtime",
      "  adze emit c model-int8.onnx -o out/ --core cortex-m4 --check\n"
      "  adze emit c model.tflite -o out/ --core cortex-m55 --optimize ram --name kws\n"
      "  adze emit c model.tflite -o out/ && cc -std=c99 -O2 out/*.c -o net_test -lm && ./net_test\n",
      [](Options& options) -> Action {
        auto arguments = std::make_shared<Arguments>();
        options.positional(arguments->target, "LANGUAGE", "What to write: c");
        options.positional(arguments->input, "MODEL", "Model: ONNX, TFLite or .adze text, or zoo:NAME");
        options.option(arguments->output, "-o,--output", "Folder to write into", Options::Need::Required);
        options.choice(arguments->core, "--core", "Processor core to write for", emit::cores());
        options.choice(arguments->optimize, "--optimize", "What matters most", {"balanced", "speed", "ram", "size"});
        options.option(arguments->name, "--name", "Prefix of files and functions");
        options.option(arguments->golden, "--golden", "Seeded random inputs in the test program; 0: no program");
        options.flag(arguments->profile, "--profile", "Call NAME_profile(layer) before each layer");
        options.flag(arguments->check, "--check",
                     "Compile for the core, run under QEMU, compare bytes, count instructions");
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
