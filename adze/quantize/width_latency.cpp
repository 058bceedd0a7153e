#include "adze/quantize/width_latency.h"

#include <ctime>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/graph/text.h"
#include "adze/plan/plan.h"
#include "adze/quantize/bits.h"
#include "adze/quantize/pack_codes.h"

namespace adze::quantize {

namespace {

constexpr int whole_bits = 8;

struct StoredWidths {
  OpKind kind;
  std::vector<int> bits;
};
/// Operators whose codes of fewer bits are stored and run in fewer; all others are whole or float.
const StoredWidths widths_by_operator[] = {
    {OpKind::Gemm, {2, 4, whole_bits, float_bits}},
    {OpKind::MatMul, {2, 4, whole_bits, float_bits}},
};

double now_us(bool thread_time) {
  timespec now{};
  clock_gettime(thread_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The median and its standard error from the median deviation, as of a normal distribution.
MeasuredTime summary(const std::vector<double>& samples) {
  MeasuredTime result{median(samples), 0};
  std::vector<double> deviations;
  for (const double sample : samples) deviations.push_back(std::abs(sample - result.us));
  result.error_us = 1.2533 * 1.4826 * median(deviations) / std::sqrt(static_cast<double>(samples.size()));
  return result;
}

/// A network ready to run again and again.
class Runner {
 public:
  Runner(const Graph& graph, int threads) : session_(graph, options(threads)), inputs_(random_inputs(graph, 1)) {
    outputs_ = session_.run(inputs_);
  }
  double run_us() {
    session_.run_into(inputs_, outputs_);  // brings the weights back that the other network drove out of the caches
    const bool thread_time = session_.threads() == 1;
    const double begin = now_us(thread_time);
    session_.run_into(inputs_, outputs_);
    return now_us(thread_time) - begin;
  }
  void profile(bool on) { session_.profile(on); }
  /// Of the fastest calls of the steps of that name.
  double steps_us(const std::string& name) const {
    double seconds = 0;
    for (const StepInfo& step : session_.steps()) seconds += step.name == name ? step.least_seconds : 0;
    return 1e6 * seconds;
  }

 private:
  static SessionOptions options(int threads) {
    SessionOptions result;
    result.threads = threads;
    return result;
  }
  Session session_;
  std::vector<Tensor> inputs_, outputs_;
};

template <typename Body>
void for_rounds(const LatencyTrialOptions& settings, Body body) {
  const double begin = now_us(false);
  for (int round = 0; round < settings.most_rounds; ++round) {
    check_cancelled();
    if (round >= settings.least_rounds && now_us(false) - begin > 1e6 * settings.seconds) return;
    body(round);
  }
}

/// b minus a.
MeasuredTime difference(Runner& a, Runner& b, const LatencyTrialOptions& settings) {
  std::vector<double> samples;
  for_rounds(settings, [&](int round) {
    const bool a_first = round % 2 == 0;
    const double first = (a_first ? a : b).run_us(), second = (a_first ? b : a).run_us();
    samples.push_back(a_first ? second - first : first - second);
  });
  return summary(samples);
}

int stored_bits(const Node& layer, int bits) {
  const std::vector<int> widths = stored_widths(layer);
  return *std::find_if(widths.begin(), widths.end(), [&](int width) { return width >= bits; });
}

}  // namespace

std::vector<int> stored_widths(const Node& layer) {
  for (const StoredWidths& widths : widths_by_operator) {
    if (widths.kind == layer.kind) return widths.bits;
  }
  return {whole_bits, float_bits};
}

LatencyTrials::LatencyTrials(const Trials& trials, const PtqOptions& options, const LatencyTrialOptions& settings)
    : trials_(trials), options_(options), settings_(settings), activation_bits_(options.bits.activations) {
  if (settings_.threads == 0) settings_.threads = num_threads();
  Runner runner(stored({}), settings_.threads);
  std::vector<double> samples;
  for_rounds(settings_, [&](int) { samples.push_back(runner.run_us()); });
  base_ = summary(samples);
}

Graph LatencyTrials::stored(const std::vector<LayerBits>& layer_bits) const {
  PtqOptions options = options_;
  options.layer_bits = layer_bits;
  for (const NodeId id : trials_.layers()) {
    options.layer_bits.push_back({trials_.graph().node(id).name, {whole_bits, activation_bits_}});
  }
  Graph graph = trials_.quantized(options.layer_bits);
  pack_codes(graph);
  return with_unknown_dims(std::move(graph), 1);
}

MeasuredTime LatencyTrials::change(const std::vector<LayerBits>& layer_bits) const {
  Runner base(stored({}), settings_.threads), other(stored(layer_bits), settings_.threads);
  return difference(base, other, settings_);
}

WidthTime LatencyTrials::layer_change(NodeId layer, int bits) const {
  WidthTime result{problem(layer), stored_bits(trials_.graph().node(layer), bits), 0, 0, false};
  if (result.bits == whole_bits) return result;
  const std::string& name = trials_.graph().node(layer).name;
  Runner base(stored({}), settings_.threads), other(stored({{name, {bits, activation_bits_}}}), settings_.threads);
  const MeasuredTime whole = difference(base, other, settings_);
  result.change_us = whole.us;
  result.error_us = whole.error_us;
  constexpr double clear = 4;  // standard errors
  if (result.bits == float_bits || std::abs(whole.us) >= clear * whole.error_us) return result;
  base.profile(true);
  other.profile(true);
  for_rounds(settings_, [&](int) {
    base.run_us();
    other.run_us();
  });
  const double before = base.steps_us(name), after = other.steps_us(name);
  if (before == 0 || after == 0) return result;  // its steps have other names: fused into others
  result.change_us = after - before;
  result.of_steps = true;
  return result;
}

std::string LatencyTrials::problem(NodeId layer) const {
  const Graph& graph = trials_.graph();
  const Node& node = graph.node(layer);
  std::string text = cat(this_machine().cpu, ", ", join(this_machine().isa, " "), ", ", settings_.threads,
                         " threads: ", op_name(node.kind), " a", activation_bits_);
  for (const ValueId input : node.inputs) {
    if (input != ValueId::None) text += cat(" ", type_text(graph.value(input).type));
  }
  for (const auto& [key, attribute] : node.attributes) {
    if (const auto* number = std::get_if<std::int64_t>(&attribute)) text += cat(" ", key, "=", *number);
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&attribute)) {
      text += cat(" ", key, "=");
      for (const std::int64_t number : *numbers) text += cat(number, ",");
    }
  }
  return text;
}

std::vector<std::vector<WidthTime>> width_times(const LatencyTrials& latency, const Trials& trials,
                                                const std::vector<LayerCurve>& curves, std::vector<WidthTime>& known,
                                                const std::function<void()>& save, ProgressSink& progress) {
  std::vector<std::vector<WidthTime>> result;
  ProgressPhase phase(progress, "time widths", std::ssize(curves), "layers");
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const NodeId layer = trials.layers()[i];
    const std::string problem = latency.problem(layer);
    result.emplace_back();
    for (const WidthPoint& point : curves[i].points) {
      const auto found = std::find_if(known.begin(), known.end(), [&](const WidthTime& one) {
        return one.problem == problem && one.bits == stored_bits(trials.graph().node(layer), point.bits);
      });
      if (found != known.end()) {
        result.back().push_back(*found);
        continue;
      }
      known.push_back(latency.layer_change(layer, point.bits));
      result.back().push_back(known.back());
      save();
    }
    phase.advance(1, curves[i].node);
  }
  return result;
}

double parse_latency(const std::string& text, double int8_us) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit(trim(end));
  double factor = 0;
  if (unit == "%") factor = int8_us / 100;
  if (unit == "us" || unit == "µs") factor = 1;
  if (unit == "ms") factor = 1e3;
  if (unit == "s") factor = 1e6;
  if (end == text.c_str() || factor == 0 || !(number > 0) || !std::isfinite(number)) {
    throw UsageError(cat("times are written 3ms, 250us or 80% of int8's, got ", adze::quoted(text)));
  }
  return number * factor;
}

}  // namespace adze::quantize
