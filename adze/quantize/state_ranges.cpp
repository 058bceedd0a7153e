// Which states there are, where their scales differ, and what calibration says of their ranges.
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/quantize/states.h"

namespace adze::quantize {

namespace {

/// Keys differ most by channel, values by token (Liu et al., arXiv:2402.02750, figure 2).
StateScales chosen(StateScales wanted, bool grows, const std::string& name) {
  if (!grows && (wanted == StateScales::Auto || wanted == StateScales::Head)) return StateScales::Tensor;
  if (wanted != StateScales::Auto) return wanted;
  // The last word counts: past_key_values.0.value.
  const std::size_t key = name.rfind("key"), value = name.rfind("value");
  const bool is_key = key != std::string::npos && (value == std::string::npos || key > value);
  return is_key ? StateScales::Channel : StateScales::Token;
}

Shape scale_shape(const SymbolicShape& shape, const StatePlan& plan) {
  Shape result(shape.size(), 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i);
    const bool inside = plan.growing_axis ? i > 0 && axis != *plan.growing_axis : i + 1 == shape.size();
    const bool head = plan.scales == StateScales::Head && i == 1 && shape.size() > 3;
    if (shape[i].is_known() && inside && (plan.scales == StateScales::Channel || head)) result[i] = shape[i].value;
  }
  return result;
}

/// Sums over the values of one scale.
struct Moments {
  double count = 0, sum = 0, squares = 0, low = INFINITY, high = -INFINITY;

  void add(double value) {
    count += 1;
    sum += value;
    squares += value * value;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class StateObserver {
 public:
  StateObserver(const Graph& graph, const StatePlan& plan, const PtqOptions& options)
      : plan_(plan), options_(options), by_histogram_(plan.scales != StateScales::Channel) {
    input_ = graph.value(graph.inputs()[plan.pair.input]).name;
    output_ = graph.value(graph.outputs()[plan.pair.output]).name;
    const auto count = static_cast<std::size_t>(num_elements(plan.scale_shape));
    by_histogram_ ? histograms_.resize(count) : moments_.resize(count);
  }

  void see(std::string_view name, const Tensor& tensor) {
    if (name == input_ && plan_.growing_axis) past_ = tensor.dim(*plan_.growing_axis);
    if (name == output_) add(tensor);
  }

  std::vector<Range> ranges() const {
    std::vector<Range> result;
    const IntegerGrid grid = narrowed(activation_grid(DType::S8, false), dtype_bits(options_.state.dtype) < 8 ? 4 : 8);
    for (const Histogram& histogram : histograms_) {
      const bool averaged = options_.calibrator == Calibrator::MovingAverage;
      const Calibrator calibrator = averaged ? Calibrator::Max : options_.calibrator;
      result.push_back(choose_range(histogram, calibrator, grid, options_.percentile));
    }
    for (const Moments& moments : moments_) result.push_back(range_of(moments, grid.high - grid.low + 1));
    return result;
  }

 private:
  /// What this call appended, or all of a state that it replaced.
  void add(const Tensor& tensor) {
    const Shape& shape = tensor.shape();
    const auto values = tensor.data<float>();
    std::vector<std::vector<float>> groups(by_histogram_ ? histograms_.size() : 0);
    Shape place(shape.size(), 0);
    for (const float value : values) {
      const bool is_new = !plan_.growing_axis || place[static_cast<std::size_t>(*plan_.growing_axis)] >= past_;
      if (is_new) {
        std::size_t scale = 0;
        for (std::size_t i = 0; i < shape.size(); ++i) {
          if (plan_.scale_shape[i] > 1)
            scale = scale * static_cast<std::size_t>(shape[i]) + static_cast<std::size_t>(place[i]);
        }
        if (by_histogram_) {
          groups[scale].push_back(value);
        } else {
          moments_[scale].add(value);
        }
      }
      for (std::size_t i = shape.size(); i-- > 0 && ++place[i] == shape[i];) place[i] = 0;
    }
    for (std::size_t i = 0; i < groups.size(); ++i) histograms_[i].add(groups[i]);
  }

  Range range_of(const Moments& moments, double levels) const {
    if (moments.count == 0) return {};
    if (!std::isfinite(moments.squares))
      throw ModelError(cat("calibration: state ", adze::quoted(output_), " is not finite"));
    if (options_.calibrator == Calibrator::Max) return {moments.low, moments.high};
    const double mean = moments.sum / moments.count;
    const double deviation = std::sqrt(std::max(0.0, moments.squares / moments.count - mean * mean));
    const double threshold = aciq_threshold(deviation * std::sqrt(2 / std::numbers::pi), deviation, levels);
    // One deviation more than what few samples showed.
    return {std::max(moments.low - deviation, mean - threshold), std::min(moments.high + deviation, mean + threshold)};
  }

  const StatePlan& plan_;
  const PtqOptions& options_;
  bool by_histogram_;
  std::string input_, output_;
  std::int64_t past_ = 0;
  std::vector<Histogram> histograms_;
  std::vector<Moments> moments_;
};

}  // namespace

std::vector<StatePlan> plan_states(const Graph& graph, const StateOptions& options) {
  std::vector<StatePlan> plans;
  for (const StatePair& pair : find_states(graph)) {
    const Value& input = graph.value(graph.inputs()[pair.input]);
    if (input.type.dtype != DType::F32) continue;
    if (!input.type.shape) throw ModelError(cat("the rank of state ", adze::quoted(input.name), " is not known"));
    StatePlan plan;
    plan.pair = pair;
    plan.growing_axis = growing_axis(graph, graph.inputs()[pair.input]);
    plan.scales = chosen(options.scales, plan.growing_axis.has_value(), input.name);
    plan.scale_shape = scale_shape(*input.type.shape, plan);
    plans.push_back(std::move(plan));
  }
  if (plans.empty()) {
    throw UsageError("the network has no state of floats that is kept between calls",
                     "name pairs with --state INPUT=OUTPUT");
  }
  return plans;
}

std::int64_t observe_states(const Graph& graph, std::vector<StatePlan>& plans, const CalibrationData& data,
                            const PtqOptions& options, ProgressSink& progress) {
  if (options.state.dtype == DType::F16) return 0;
  std::vector<StateObserver> observers;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].scales == StateScales::Token) continue;
    observers.emplace_back(graph, plans[i], options);
    places.push_back(i);
  }
  if (observers.empty()) return 0;
  Session session(graph, float_session_options());
  session.observe([&](std::string_view name, const Tensor& tensor) {
    for (StateObserver& observer : observers) observer.see(name, tensor);
  });
  const std::int64_t samples = run_samples(session, data, options.max_samples, "calibrate states", progress);
  for (std::size_t i = 0; i < places.size(); ++i) plans[places[i]].ranges = observers[i].ranges();
  return samples;
}

}  // namespace adze::quantize
