#include "adze/evaluate/latency.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "adze/base/memory.h"
#include "adze/base/random.h"
#include "adze/plan/plan.h"

namespace adze {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// The sample below which a share of all lies (nearest rank).
double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::min(sorted.size() - 1, std::max<std::size_t>(rank, 1) - 1)];
}

void summarize(LatencyResult& result) {
  constexpr double noisy_ratio = 1.3;
  std::vector<double> sorted = result.samples_us;
  std::sort(sorted.begin(), sorted.end());
  result.runs = static_cast<int>(sorted.size());
  result.min_us = sorted.front();
  result.p50_us = percentile(sorted, 0.5);
  result.p90_us = percentile(sorted, 0.9);
  result.p99_us = percentile(sorted, 0.99);
  result.p999_us = percentile(sorted, 0.999);
  result.mean_us = std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(sorted.size());
  result.noisy = result.p90_us > noisy_ratio * result.p50_us;
}

void fill(Tensor& tensor, Random& random) {
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    switch (tensor.dtype()) {
      case DType::S8:
        tensor.set_int(i, static_cast<std::int64_t>(random.below(256)) - 128);
        break;
      case DType::U8:
        tensor.set_int(i, static_cast<std::int64_t>(random.below(256)));
        break;
      default:
        if (is_float(tensor.dtype())) {
          tensor.set_double(i, random.normal());
        } else {
          tensor.set_int(i, static_cast<std::int64_t>(random.below(2)));
        }
    }
  }
}

SessionOptions session_options(const LatencyOptions& options) {
  SessionOptions result;
  result.low_bit_inputs = options.low_bit_inputs;
  result.threads = options.threads;
  result.isa = options.isa;
  result.compute = options.compute;
  result.weight_file = options.weight_file;
  result.tune = options.tune;
  result.tune_file = options.tune_file;
  return result;
}

}  // namespace

std::vector<Tensor> random_inputs(const std::vector<Port>& ports, std::uint64_t seed) {
  Random random(seed);
  std::vector<Tensor> inputs;
  for (const Port& port : ports) {
    const auto shape = port.type.is_tensor() && port.type.shape ? concrete(*port.type.shape) : std::nullopt;
    if (!shape || port.type.dtype == DType::Undefined || port.type.dtype == DType::String) {
      throw ModelError("input \"" + port.name + "\" is " + type_text(port.type) + ": its type must be known", {},
                       "give its shape");
    }
    Tensor tensor(port.type.dtype, *shape);
    fill(tensor, random);
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed) {
  std::vector<Port> ports;
  for (const ValueId id : graph.inputs()) ports.push_back({graph.value(id).name, graph.value(id).type});
  try {
    return random_inputs(ports, seed);
  } catch (const Error& error) {
    rethrow_with_place(error, {graph.source_file, "", ""});
  }
}

namespace {

/// A network that is run again and again.
class Timed {
 public:
  Timed(const Graph& graph, const LatencyOptions& options)
      : shaped_(with_unknown_dims(with_input_shapes(graph, options.input_shapes), 1)),
        session_(shaped_, session_options(options)),
        inputs_(random_inputs(shaped_, options.seed)),
        outputs_(session_.run(inputs_)) {}

  /// Runs for so long, the first one not counted when there are more; the median of those that count.
  double turn(double seconds) {
    const auto begin = Clock::now();
    std::vector<double> samples;
    do {
      const auto run_begin = Clock::now();
      session_.run_into(inputs_, outputs_);
      samples.push_back(seconds_since(run_begin) * 1e6);
    } while (seconds_since(begin) < seconds);
    if (samples.size() > 1) samples.erase(samples.begin());
    result.samples_us.insert(result.samples_us.end(), samples.begin(), samples.end());
    std::sort(samples.begin(), samples.end());
    return percentile(samples, 0.5);
  }

  void finish() {
    summarize(result);
    result.isa = session_.isa();
    result.threads = session_.threads();
    result.arena_bytes = session_.arena_bytes();
    result.packed_weight_bytes = session_.packed_weight_bytes();
    result.steps = session_.steps();
  }

  LatencyResult result;

 private:
  Graph shaped_;
  Session session_;
  std::vector<Tensor> inputs_, outputs_;
};

}  // namespace

PairedLatency measure_paired_latency(const Graph& first, const Graph& second, const LatencyOptions& options,
                                     ProgressSink& progress) {
  constexpr double turn_seconds = 0.004;
  const ProgressPhase phase(progress, "measuring latency by turns", 0, "turns");
  Timed a(first, options), b(second, options);
  const auto warm_up = Clock::now();
  do {
    a.turn(turn_seconds);
    b.turn(turn_seconds);
  } while (seconds_since(warm_up) < options.warm_up_seconds);
  a.result.samples_us.clear();
  b.result.samples_us.clear();
  std::vector<double> ratios;
  const auto begin = Clock::now();
  do {
    check_cancelled();
    const double time = a.turn(turn_seconds);
    ratios.push_back(time / b.turn(turn_seconds));
  } while (static_cast<int>(ratios.size()) < options.max_runs &&
           (seconds_since(begin) < options.seconds || static_cast<int>(ratios.size()) < options.min_runs));
  a.finish();
  b.finish();
  std::sort(ratios.begin(), ratios.end());
  // Places of the order statistics that enclose the median with 95 %: n / 2 ± 0.98 √n (binomial, normal approximation).
  const auto turns = static_cast<double>(ratios.size());
  const double margin = 0.98 / std::sqrt(turns);
  return {std::move(a.result), std::move(b.result), percentile(ratios, 0.5), percentile(ratios, 0.5 - margin),
          percentile(ratios, 0.5 + margin)};
}

LatencyResult measure_latency(Session& session, const std::vector<Tensor>& inputs, const LatencyOptions& options,
                              ProgressSink& progress) {
  LatencyResult result;
  result.isa = session.isa();
  result.threads = session.threads();
  const ProgressPhase phase(progress, "measuring latency", 0, "runs");
  std::vector<Tensor> outputs = session.run(inputs);
  const auto warm_up = Clock::now();
  do {
    check_cancelled();
    session.run_into(inputs, outputs);
  } while (seconds_since(warm_up) < options.warm_up_seconds);
  const auto begin = Clock::now();
  do {
    check_cancelled();
    const auto run_begin = Clock::now();
    session.run_into(inputs, outputs);
    result.samples_us.push_back(seconds_since(run_begin) * 1e6);
  } while (static_cast<int>(result.samples_us.size()) < options.max_runs &&
           (seconds_since(begin) < options.seconds || static_cast<int>(result.samples_us.size()) < options.min_runs));
  summarize(result);
  result.arena_bytes = session.arena_bytes();
  result.packed_weight_bytes = session.packed_weight_bytes();
  if (options.per_layer) {
    session.profile(true);
    const int runs = std::clamp(result.runs, 1, 100);
    for (int i = 0; i < runs; ++i) session.run_into(inputs, outputs);
    result.steps = session.steps();
    session.profile(false);
  }
  return result;
}

LatencyResult measure_latency(const Graph& graph, const LatencyOptions& options, ProgressSink& progress) {
  const Graph shaped = with_unknown_dims(with_input_shapes(graph, options.input_shapes), 1);
  const auto begin = Clock::now();
  Session session(shaped, session_options(options));
  const double creation_ms = 1e3 * seconds_since(begin);
  LatencyResult result = measure_latency(session, random_inputs(shaped, options.seed), options, progress);
  result.creation_ms = creation_ms;
  return result;
}

LatencyResult measure_latency(const std::filesystem::path& model, const std::function<Graph()>& read,
                              const LatencyOptions& options, ProgressSink& progress) {
  const PeakMemory memory;
  const auto begin = Clock::now();
  SessionOptions opening = session_options(options);
  opening.input_shapes = options.input_shapes;
  Session session = Session::open(model, read, opening);
  const double creation_ms = 1e3 * seconds_since(begin);
  std::vector<Port> ports = session.inputs();
  for (Port& port : ports) {
    const auto given = options.input_shapes.find(port.name);
    if (given != options.input_shapes.end()) port.type.shape = symbolic(given->second);
    if (!port.type.shape || !concrete(*port.type.shape)) return measure_latency(read(), options, progress);
  }
  const std::vector<Tensor> inputs = random_inputs(ports, options.seed);
  session.run(inputs);
  const std::int64_t peak_memory_bytes = memory.growth();
  LatencyResult result = measure_latency(session, inputs, options, progress);
  result.creation_ms = creation_ms;
  result.peak_memory_bytes = peak_memory_bytes;
  return result;
}

}  // namespace adze
