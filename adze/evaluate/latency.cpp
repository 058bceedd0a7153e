#include "adze/evaluate/latency.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

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

}  // namespace

std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed) {
  Random random(seed);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    const auto shape = input.type.is_tensor() && input.type.shape ? concrete(*input.type.shape) : std::nullopt;
    if (!shape || input.type.dtype == DType::Undefined || input.type.dtype == DType::String) {
      throw ModelError("input \"" + input.name + "\" is " + type_text(input.type) + ": its type must be known",
                       {graph.source_file, "", ""}, "give its shape");
    }
    Tensor tensor(input.type.dtype, *shape);
    fill(tensor, random);
    inputs.push_back(std::move(tensor));
  }
  return inputs;
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
  SessionOptions session_options;
  session_options.threads = options.threads;
  session_options.isa = options.isa;
  session_options.weight_file = options.weight_file;
  session_options.tune = options.tune;
  session_options.tune_file = options.tune_file;
  const auto begin = Clock::now();
  Session session(shaped, session_options);
  const double creation_ms = 1e3 * seconds_since(begin);
  LatencyResult result = measure_latency(session, random_inputs(shaped, options.seed), options, progress);
  result.creation_ms = creation_ms;
  return result;
}

}  // namespace adze
