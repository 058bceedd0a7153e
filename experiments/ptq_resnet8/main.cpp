// What int8 costs the MLPerf Tiny image classifier: every calibrator and form, over several draws of the calibration
// samples, on all test pictures. Prints the table of README.md.
//   ptq_resnet8 MODEL.tflite CIFAR10_FOLDER [SAMPLES] [SEEDS]
#include <cstdio>
#include <cstdlib>

#include "adze/base/text.h"
#include "adze/data/dataset.h"
#include "adze/engine/session.h"
#include "adze/evaluate/evaluate.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/quantize/ptq.h"
#include "adze/rewrite/simplify.h"

using namespace adze;

namespace {

EvaluateResult evaluate_graph(const Graph& graph, const Dataset& test) {
  Session session(graph);
  return evaluate([&](std::span<const Tensor> inputs) { return session.run(inputs); }, test);
}

std::vector<quantize::PtqCandidate> candidates() {
  auto all = quantize::standard_candidates();
  quantize::PtqOptions options;
  options.calibrator = quantize::Calibrator::Max;
  options.weights = quantize::Granularity::PerTensor;
  all.push_back({"int8-max-per-tensor", options});
  options = {};
  options.activations = quantize::Symmetry::Symmetric;
  all.push_back({"int8-mse-symmetric", options});
  options = {};
  options.final_activation = quantize::FinalActivation::Integer;
  all.push_back({"int8-mse-integer-softmax", options});
  return all;
}

void print_row(const std::string& name, std::uint64_t seed, const EvaluateResult& exact, const EvaluateResult& result) {
  std::int64_t only_float = 0, only_int8 = 0, equal = 0;
  for (std::size_t i = 0; i < exact.labels.size(); ++i) {
    const bool a = exact.predictions[i] == exact.labels[i];
    const bool b = result.predictions[i] == exact.labels[i];
    only_float += a && !b ? 1 : 0;
    only_int8 += b && !a ? 1 : 0;
    equal += exact.predictions[i] == result.predictions[i] ? 1 : 0;
  }
  const double agreement = 100.0 * static_cast<double>(equal) / static_cast<double>(exact.samples);
  std::printf("| %s | %d | %.2f %% | %+.2f | %.2f %% | %.2f |\n", name.c_str(), static_cast<int>(seed),
              100 * result.top1, 100 * (result.top1 - exact.top1), agreement, mcnemar(only_float, only_int8).mid_p);
  std::fflush(stdout);
}

void measure(const Graph& source, const Dataset& test, const std::shared_ptr<Dataset>& train, std::int64_t samples,
             int seeds) {
  const EvaluateResult exact = evaluate_graph(source, test);
  std::printf("| form | seed | top-1 | change | agreement | p |\n|---|---|---|---|---|---|\n");
  std::printf("| float | | %.2f %% | | | |\n", 100 * exact.top1);
  const Graph graph = quantize::prepared(source);
  for (int i = 0; i < seeds; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    const auto data = quantize::calibration_from(train, samples, 32, seed);
    const auto observations =
        quantize::observe(graph, quantize::values_to_observe(graph, {}), data, 0, silent_progress());
    for (const quantize::PtqCandidate& candidate : candidates()) {
      const bool is_static = candidate.options.mode == quantize::Mode::Static;
      if (!is_static && i > 0) continue;
      const Graph quantized = is_static ? quantize::quantize_observed(graph, observations, candidate.options).graph
                                        : quantize::quantize(source, {}, candidate.options).graph;
      print_row(candidate.name, seed, exact, evaluate_graph(quantized, test));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: ptq_resnet8 MODEL.tflite CIFAR10_FOLDER [SAMPLES] [SEEDS]\n");
    return 2;
  }
  try {
    Graph graph = tflite::read(argv[1]);
    graph.metadata["adze.rounding"] = "onnx";
    rewrite::simplify(graph, {});
    const Preprocessing preprocessing = preprocessing_of(graph);
    const std::filesystem::path folder(argv[2]);
    const auto train = open_dataset(folder / "train", preprocessing);
    const auto test = open_dataset(folder / "test", preprocessing);
    measure(graph, *test, train, argc > 3 ? std::atoll(argv[3]) : 256, argc > 4 ? std::atoi(argv[4]) : 3);
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
