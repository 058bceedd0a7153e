#include "benchmarks/peers/comparison.h"

#include <unistd.h>

#include <cmath>

#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/write.h"
#include "adze/plan/cost.h"
#include "adze/zoo/zoo.h"
#include "benchmarks/peers/way.h"

namespace adze::peers {

namespace {

/// The opset that exporters of quantized models mostly write; ONNX Runtime fuses it fully.
constexpr int opset = 17;

/// A folder that goes when the object goes.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / cat("adze-peers-", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// What one code of the output is worth: the scale of its DequantizeLinear; 1/256 behind a float softmax.
double output_step(const Graph& graph) {
  const Node* producer = graph.producer_of(graph.outputs().at(0));
  if (producer == nullptr || producer->kind != OpKind::DequantizeLinear) return 1.0 / 256;
  return graph.constant(producer->input(1))->get_double(0);
}

Difference difference_of(const Tensor& ours, const Tensor& theirs, double step) {
  if (ours.shape() != theirs.shape()) throw ModelError("the outputs of the two engines have different shapes");
  Difference result;
  std::int64_t near = 0, equal = 0;
  for (std::int64_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(ours.get_double(i) - theirs.get_double(i));
    result.largest = std::max(result.largest, difference);
    near += difference < 1.5 * step ? 1 : 0;
    equal += difference < 0.5 * step ? 1 : 0;
  }
  result.within_a_step = static_cast<double>(near) / static_cast<double>(ours.size());
  result.equal = static_cast<double>(equal) / static_cast<double>(ours.size());
  return result;
}

double largest_of(const Tensor& tensor) {
  double result = 0;
  for (std::int64_t i = 0; i < tensor.size(); ++i) result = std::max(result, std::abs(tensor.get_double(i)));
  return result;
}

std::string milliseconds(double seconds) {
  return fixed(1e3 * seconds, seconds < 1e-3 ? 4 : seconds < 1e-2 ? 3 : 2);
}

/// One network in one precision.
struct Match {
  const Request& request;
  OnnxRuntime& runtime;
  const std::function<void(const std::string&)>& note;
  std::string network, precision;
  std::filesystem::path model;
  Graph graph;
  std::vector<Tensor> inputs;
  const Way& way;

  SessionOptions session_options(int threads) const {
    SessionOptions options;
    options.threads = threads;
    options.isa = request.isa.empty() ? std::string(way.isa) : request.isa;
    options.compute = way.compute;
    return options;
  }

  std::vector<Tensor> their_outputs(Fusion fusion) {
    OnnxRuntimeSession session(runtime, model, 1, fusion);
    session.bind(inputs);
    session.run();
    return session.outputs();
  }

  void agree(Comparison& result) {
    const Tensor ours = Session(graph, session_options(1)).run(inputs).at(0);
    const double step = output_step(graph);
    result.agreements.push_back({network, precision, largest_of(ours),
                                 difference_of(ours, their_outputs(Fusion::All).at(0), step),
                                 difference_of(ours, their_outputs(Fusion::None).at(0), step)});
  }

  void measure(Comparison& result, int threads) {
    Session ours(graph, session_options(threads));
    OnnxRuntimeSession theirs(runtime, model, threads);
    theirs.bind(inputs);
    theirs.run();
    std::vector<Tensor> outputs = ours.run(inputs);  // kept by both engines from run to run
    std::vector<Contestant> both{{[&] { ours.run_into(inputs, outputs); }, {}, {}}, {[&] { theirs.run(); }, {}, {}}};
    measure_interleaved(both, request.seconds);
    Line line{network, precision, threads, compute_cost(graph).macs, ours.isa(), {}, {}, {}, {}};
    line.ours_cpu = both[0].cpu;
    line.ours_wall = both[0].wall;
    line.theirs_cpu = both[1].cpu;
    line.theirs_wall = both[1].wall;
    note(cat(network, " ", precision, ", threads ", threads, ": adze ", milliseconds(line.ours().median), " ms (min ",
             milliseconds(line.ours().minimum), "), ONNX Runtime ", milliseconds(line.theirs().median), " (min ",
             milliseconds(line.theirs().minimum), "), ratio ", fixed(line.ratio(), 2)));
    result.lines.push_back(std::move(line));
  }

  void measure_starts(Comparison& result, const std::filesystem::path& library) {
    Start start{network, precision, {}, {}, {}};
    const std::filesystem::path weight_file = model.string() + ".weights";
    const Shape& shape = inputs.at(0).shape();
    const std::string isa = session_options(1).isa;
    start.ours = measure_start({"adze", model, {}, {}, isa, shape});
    measure_start({"adze", model, {}, weight_file, isa, shape});  // writes the file
    start.ours_cached = measure_start({"adze", model, {}, weight_file, isa, shape});
    start.theirs = measure_start({"onnxruntime", model, library, {}, {}, shape});
    result.starts.push_back(std::move(start));
    std::filesystem::remove(weight_file);
  }
};

}  // namespace

Comparison compare(const Request& request, const std::filesystem::path& library,
                   const std::function<void(const std::string&)>& note) {
  const TemporaryFolder folder;
  OnnxRuntime runtime(library);
  Comparison result;
  for (const std::string& network : request.networks) {
    for (const std::string& precision : request.precisions) {
      const Way& way = way_named(precision);
      zoo::ZooOptions options;
      options.quantized = way.quantized;
      const std::filesystem::path model = folder.path() / "model.onnx";
      onnx::write(zoo::build(network, options), model, {.opset = opset});
      Match match{request, runtime, note, network, precision, model, onnx::read(model), {}, way};
      match.inputs = random_inputs(match.graph, 1);
      match.agree(result);
      for (const int threads : request.threads) {
        if (threads == 1 || way.more_threads) match.measure(result, threads);
      }
      if (request.start && way.starts) match.measure_starts(result, library);
      if (request.layers && way.more_threads) {
        add_layers(result.layers, {network, precision, match.graph, match.session_options(1), match.inputs});
      }
    }
  }
  return result;
}

}  // namespace adze::peers
