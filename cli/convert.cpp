#include <filesystem>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/recipe/model_files.h"
#include "adze/rewrite/take_weights.h"
#include "cli/model_zeros.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

struct Arguments {
  std::string input, output, weights;
  std::int64_t opset = 21;
  bool external_data = false, sparse = false, plain_codes = false;
};

ExitCode convert(Console& console, const Arguments& arguments) {
  console.check_output(arguments.output);
  if (arguments.sparse && std::filesystem::path(arguments.output).extension() != ".onnx") {
    throw UsageError("--sparse writes ONNX's sparse initializers", "an output that ends in .onnx");
  }
  Graph graph = load_model(arguments.input);
  if (!arguments.weights.empty()) {
    const int taken = rewrite::take_weights(graph, load_model(arguments.weights));
    console.line(cat(taken, " constants from ", arguments.weights));
    console.results()["weights_taken"] = taken;
  }
  save_model(graph, arguments.output,
             {static_cast<int>(arguments.opset), arguments.external_data, arguments.sparse, !arguments.plain_codes});
  console.model("input", arguments.input);
  console.model("output", arguments.output);
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(arguments.output));
  console.results()["nodes"] = graph.num_alive_nodes();
  console.results()["file_bytes"] = bytes;
  console.line(cat("wrote ", arguments.output, ": ", graph.num_alive_nodes(), " nodes, ", bytes_text(bytes)));
  if (arguments.sparse) show_sparse_initializers(console, graph);
  show_zeros(console, load_model(arguments.output));
  return ExitCode::Done;
}

}  // namespace

Verb convert_verb() {
  return {"convert", "Read a model and write it in another format or opset",
          "  adze convert model.tflite model.onnx\n"
          "  adze convert model.onnx old.onnx --opset 13\n"
          "  adze convert model.onnx model.adze            readable text\n"
          "  adze convert big.onnx out.onnx --external-data\n"
          "  adze convert pruned.onnx small.onnx --sparse\n"
          "  adze convert zoo:gpt,cache,batch=0 cached.onnx --weights gpt.onnx\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->input, "INPUT",
                               "Model file: ONNX, TFLite or .adze text; or zoo:NAME (see docs/zoo.md)");
            options.positional(arguments->output, "OUTPUT", "File to write: .onnx, .tflite or .adze");
            options.option(arguments->weights, "--weights",
                           "Model whose weights are taken, by equal names and shapes: another form of the network");
            options.option(arguments->opset, "--opset", "ONNX opset to write");
            options.flag(arguments->external_data, "--external-data", "Put the weights into a second file");
            options.flag(arguments->sparse, "--sparse", "Write weights that are mostly 0 as sparse initializers");
            options.flag(arguments->plain_codes, "--plain-codes",
                         "Weights of 1 and 2 bits as bytes, for readers that know no functions of a model");
            return [arguments](Console& console) { return convert(console, *arguments); };
          }};
}

}  // namespace adze::cli
