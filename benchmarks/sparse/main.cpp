// Weights that are mostly 0: single 1x1 layers against our dense kernel and XNNPACK's SpMM, and MobileNetV1 against our
// dense network and ONNX Runtime's. One thread, by turns in one process.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/infer.h"
#include "adze/prune/masks.h"
#include "adze/zoo/zoo.h"
#include "benchmarks/peers/onnxruntime.h"
#include "benchmarks/peers/timing.h"
#include "benchmarks/sparse/xnnpack.h"

namespace adze::peers {
namespace {

struct Arguments {
  double seconds = 2;
  std::string isa, network = "mobilenetv1";
  std::filesystem::path library;
};

Tensor normal(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  Tensor tensor(DType::F32, shape);
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random.normal());
  return tensor;
}

/// Zeros by magnitude, the same share of every 1x1 layer; nothing for zeros = 0.
Graph pruned(Graph graph, double zeros, const char* unit) {
  const prune::Pattern pattern = prune::parse_pattern(unit);
  for (const prune::Layer& layer : prune::weight_layers(graph)) {
    const bool is_point = graph.node(layer.node).kind == OpKind::Conv && layer.kernel == 1 && layer.groups == 1;
    if (!is_point || zeros == 0) continue;
    std::vector<double> scores;
    for (const float weight : prune::weight_matrix(graph, layer)) scores.push_back(std::abs(weight));
    prune::apply_mask(graph, layer, prune::choose_mask(scores, layer, pattern, zeros));
  }
  return graph;
}

Graph point_layer(std::int64_t inputs, std::int64_t outputs, std::int64_t side) {
  Graph graph;
  const ValueId x = graph.add_input("x", ValueType::tensor(DType::F32, SymbolicShape{1, inputs, side, side}));
  graph.add_output(graph.add(
      OpKind::Conv,
      {x, graph.add_constant("w", normal({outputs, inputs, 1, 1}, 1)), graph.add_constant("b", normal({outputs}, 2))},
      {}, "layer"));
  infer_types(graph);
  return graph;
}

SessionOptions options_of(const Arguments& arguments) {
  SessionOptions options;
  options.threads = 1;
  options.isa = arguments.isa;
  return options;
}

/// A layer in adze: the least time of its step alone.
class TimedLayer {
 public:
  TimedLayer(const Graph& graph, const Tensor& input, const SessionOptions& options)
      : session_(graph, options), inputs_{input}, outputs_(session_.run(inputs_)) {
    session_.profile(true);
  }
  void run() { session_.run_into(inputs_, outputs_); }
  const Tensor& output() const { return outputs_.at(0); }
  StepInfo step() const {
    for (const StepInfo& step : session_.steps()) {
      if (step.name == "layer") return step;
    }
    throw InternalError("the layer's step has another name");
  }

 private:
  Session session_;
  std::vector<Tensor> inputs_, outputs_;
};

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max<double>(largest, std::abs(a[i] - b[i]));
  return largest;
}

std::string cell(double seconds, double dense) {
  return cat(fixed(1e6 * seconds, 1), " (", fixed(dense / seconds, 2), "×)");
}

void compare_layer(const Arguments& arguments, const Xnnpack* xnnpack, std::int64_t inputs, std::int64_t outputs,
                   std::int64_t side, double zeros) {
  const Graph dense = point_layer(inputs, outputs, side), single = pruned(dense, zeros, "weights");
  const Tensor x = normal({1, inputs, side, side}, 3);
  const SessionOptions options = options_of(arguments);
  TimedLayer ours_dense(dense, x, options), ours(single, x, options),
      blocks(pruned(dense, zeros, "block=8x1"), x, options);
  double theirs = 1e9;
  Tensor y(DType::F32, {1, outputs, side, side});
  std::unique_ptr<XnnpackSparse> peer;
  if (xnnpack != nullptr) {
    const auto constant = [&](std::size_t i) {
      return single.constant(single.node(*single.node_ids().begin()).input(i));
    };
    peer = std::make_unique<XnnpackSparse>(*xnnpack, inputs, outputs, side, constant(1)->data<float>(),
                                           constant(2)->data<float>());
    peer->bind(x.data<float>().data(), y.mutable_data<float>().data());
  }
  const double end = thread_seconds() + arguments.seconds;
  while (thread_seconds() < end) {
    for (int i = 0; i < 8; ++i) ours_dense.run();
    for (int i = 0; i < 8; ++i) ours.run();
    for (int i = 0; i < 8; ++i) blocks.run();
    for (int i = 0; i < 8 && peer; ++i) {
      const double begin = thread_seconds();
      peer->run();
      theirs = std::min(theirs, thread_seconds() - begin);
    }
  }
  if (peer && largest_difference(y.data<float>(), ours.output().data<float>()) > 1e-2) {
    throw InternalError("XNNPACK computes something else");
  }
  const double base = ours_dense.step().least_seconds, mine = ours.step().least_seconds;
  std::printf(
      "| %ld → %ld, %ld × %ld | %.0f %% | %.1f | %s | %s | %s | %s |\n", inputs, outputs, side, side, 100 * zeros,
      1e6 * base, cell(mine, base).c_str(), cell(blocks.step().least_seconds, base).c_str(),
      peer ? cell(theirs, base).c_str() : "-",
      peer ? cat(fixed(theirs / mine, 2), "×, ", fixed(theirs / blocks.step().least_seconds, 2), "×").c_str() : "-");
  std::fflush(stdout);
}

void compare_network(const Arguments& arguments, double zeros) {
  const Graph dense = zoo::build(arguments.network);
  const auto& type = dense.value(dense.inputs().at(0)).type;
  const std::vector<Tensor> inputs{normal(concrete(type.shape.value()).value(), 4)};
  const SessionOptions options = options_of(arguments);
  struct Ours {
    const char* name;
    Session session;
    std::vector<Tensor> outputs;
  };
  std::vector<std::unique_ptr<Ours>> all;
  const auto add = [&](const char* name, const Graph& graph) {
    all.emplace_back(new Ours{name, Session(graph, options), {}});
    all.back()->outputs = all.back()->session.run(inputs);
  };
  add("adze, dense", dense);
  add("adze, single weights", pruned(dense, zeros, "weights"));
  add("adze, blocks of 8×1", pruned(dense, zeros, "block=8x1"));
  std::vector<Contestant> contestants;
  for (const auto& one : all) {
    contestants.push_back({[&one, &inputs] { one->session.run_into(inputs, one->outputs); }, {}, {}});
  }
  std::unique_ptr<OnnxRuntime> runtime;
  std::unique_ptr<OnnxRuntimeSession> theirs;
  if (!arguments.library.empty()) {
    const auto file = std::filesystem::temp_directory_path() / cat("adze-sparse-benchmark-", ::getpid(), ".onnx");
    onnx::write(dense, file);
    runtime = std::make_unique<OnnxRuntime>(arguments.library);
    theirs = std::make_unique<OnnxRuntimeSession>(*runtime, file, 1);
    std::filesystem::remove(file);
    theirs->bind(inputs);
    contestants.push_back({[&] { theirs->run(); }, {}, {}});
  }
  measure_interleaved(contestants, 2 * arguments.seconds);
  std::printf(
      "\n| %s, 1×1 layers with %.0f %% zeros | least, ms | median, ms | against our dense | against ONNX Runtime |\n"
      "|---|---:|---:|---:|---:|\n",
      arguments.network.c_str(), 100 * zeros);
  const auto ratio = [](double a, double b) { return b > 0 ? cat(fixed(a / b, 2), "×") : std::string("-"); };
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    const Times& cpu = contestants[i].cpu;
    const std::string name = i < all.size() ? all[i]->name : cat("ONNX Runtime ", runtime->version(), ", dense");
    std::printf("| %s | %.2f | %.2f | %s | %s |\n", name.c_str(), 1e3 * cpu.minimum, 1e3 * cpu.median,
                ratio(contestants[0].cpu.minimum, cpu.minimum).c_str(),
                theirs ? ratio(contestants.back().cpu.minimum, cpu.minimum).c_str() : "-");
  }
}

void run(Arguments& arguments) {
  if (arguments.library.empty()) arguments.library = OnnxRuntime::installed_library(ADZE_SOURCE_DIR);
  const auto xnnpack = Xnnpack::open();
  if (!xnnpack) std::fprintf(stderr, "XNNPACK is not installed (Debian: libxnnpack0): its column stays empty\n");
  std::printf(
      "| 1×1 layer | zeros | dense, µs | single weights, µs | blocks of 8×1, µs | XNNPACK, single weights, µs "
      "| XNNPACK's time against single weights, blocks |\n|---|---:|---:|---:|---:|---:|---:|\n");
  for (const auto& [inputs, outputs, side] :
       {std::tuple{64, 256, 56}, {256, 256, 14}, {512, 512, 14}, {1024, 1024, 7}}) {
    for (const double zeros : {0.8, 0.9}) compare_layer(arguments, xnnpack.get(), inputs, outputs, side, zeros);
  }
  compare_network(arguments, 0.9);
}

}  // namespace
}  // namespace adze::peers

int main(int argc, char** argv) {
  adze::peers::Arguments arguments;
  CLI::App app("Times weights that are mostly 0, f32, one thread.");
  app.add_option("--seconds", arguments.seconds, "For each layer; default 2")->check(CLI::Range(0.01, 600.0));
  app.add_option("--isa", arguments.isa, "Highest instruction set for adze; the others have no such cap");
  app.add_option("--network", arguments.network, "Of the zoo; default mobilenetv1");
  app.add_option("--library", arguments.library, "libonnxruntime.so; default what tests/witness/setup installed");
  CLI11_PARSE(app, argc, argv);
  try {
    adze::peers::run(arguments);
  } catch (const adze::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
