#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/data/npy.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/runner.h"
#include "adze/recipe/slim.h"
#include "cli/data_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

struct Arguments {
  std::string model;
  std::vector<std::string> inputs, outputs, shapes;
  std::string executor = "engine", compute = "f32";
};

/// "name=file.npy" or "file.npy" for the next input; no input at all: random ones.
std::vector<Tensor> read_inputs(const Graph& graph, const Arguments& arguments, std::uint64_t seed) {
  if (arguments.inputs.empty()) return random_inputs(graph, seed, parse_shapes(arguments.shapes));
  std::vector<std::optional<Tensor>> found(graph.inputs().size());
  std::size_t next = 0;
  for (const std::string& text : arguments.inputs) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      if (next >= found.size()) throw UsageError(cat("the model has ", found.size(), " inputs, more files were given"));
      found[next++] = read_npy(text);
      continue;
    }
    const std::string name = text.substr(0, equals);
    std::vector<std::string> names;
    bool known = false;
    for (std::size_t i = 0; i < found.size(); ++i) {
      names.push_back(graph.value(graph.inputs()[i]).name);
      if (names.back() != name) continue;
      found[i] = read_npy(text.substr(equals + 1));
      known = true;
    }
    if (!known) throw UsageError(cat("the model has no input ", adze::quoted(name), "; it has: ", join(names, ", ")));
  }
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Value& value = graph.value(graph.inputs()[i]);
    if (!found[i])
      throw UsageError(cat("input ", adze::quoted(value.name), " is missing"), cat("--input ", value.name, "=x.npy"));
    inputs.push_back(*found[i]);
  }
  return inputs;
}

ExitCode run_model(Console& console, const Arguments& arguments) {
  for (const std::string& output : arguments.outputs) console.check_output(output);
  const Graph graph = load_model(arguments.model);
  if (arguments.outputs.size() > graph.outputs().size()) {
    throw UsageError(cat("the model has ", graph.outputs().size(), " outputs, more files were named"));
  }
  const std::vector<Tensor> inputs = read_inputs(graph, arguments, static_cast<std::uint64_t>(console.options.seed));
  const auto runner = make_runner(graph, arguments.executor == "reference" ? Executor::Reference : Executor::Engine,
                                  compute_from_name(arguments.compute));
  const std::vector<Tensor> outputs = runner(inputs);
  console.model("model", arguments.model);
  auto& list = console.results()["outputs"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = graph.value(graph.outputs()[i]).name;
    std::string head;
    constexpr std::int64_t shown = 8;
    if (outputs[i].dtype() != DType::String) {
      for (std::int64_t k = 0; k < std::min(shown, outputs[i].size()); ++k) {
        head += cat(k > 0 ? ", " : "", static_cast<float>(outputs[i].get_double(k)));
      }
    }
    nlohmann::ordered_json entry = {{"name", name}, {"type", type_text(outputs[i])}};
    if (i < arguments.outputs.size()) {
      write_npy(arguments.outputs[i], outputs[i]);
      entry["file"] = arguments.outputs[i];
    }
    list.push_back(std::move(entry));
    console.line(cat(name, "  ", type_text(outputs[i]), "  [", head, outputs[i].size() > shown ? ", …" : "", "]",
                     i < arguments.outputs.size() ? cat("  → ", arguments.outputs[i]) : ""));
  }
  return ExitCode::Done;
}

}  // namespace

Verb run_verb() {
  return {
      "run", "Run a model once on inputs from .npy files, or on random ones",
      "  adze run model.onnx --input x.npy --output y.npy\n"
      "  adze run model.onnx --input image=x.npy --input mask=m.npy\n"
      "  adze run model.onnx --seed 7                  random inputs\n"
      "  adze run model.onnx --input x.npy --executor reference\n",
      [](Options& options) -> Action {
        auto arguments = std::make_shared<Arguments>();
        options.positional(arguments->model, "MODEL", "Model file: ONNX, TFLite or .adze text");
        options.option(arguments->inputs, "-i,--input",
                       "Input file, FILE.npy or NAME=FILE.npy (repeat for more inputs)");
        options.option(arguments->outputs, "-o,--output", "File for an output, in order (may be repeated)");
        options.option(arguments->shapes, "--shapes", "Shape of a random input, NAME:1x3x224x224 (may be repeated)");
        options.choice(arguments->executor, "--executor", "What runs it", {"engine", "reference"});
        options.choice(arguments->compute, "--compute",
                       "Numbers that the engine's float convolutions and matrix products multiply", {"f32", "bf16"});
        return [arguments](Console& console) { return run_model(console, *arguments); };
      }};
}

}  // namespace adze::cli
