#include "adze/quantize/channel_codes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "adze/engine/session.h"

namespace adze::quantize {

namespace {

/// The codes of a QuantizeLinear as real numbers; between the last two of a float type the step is wider.
struct Ends {
  double low = 0, high = 0;
  double low_step = 0, high_step = 0;
};

std::optional<Ends> ends_of(DType dtype, double scale, double zero_point) {
  if (is_integer(dtype)) {
    const auto real = [&](std::int64_t code) { return scale * (static_cast<double>(code) - zero_point); };
    return Ends{real(integer_min(dtype)), real(integer_max(dtype)), scale, scale};
  }
  double largest = 0, step = 0;
  if (dtype == DType::F8E4M3) largest = 448, step = 32;
  if (dtype == DType::F8E5M2) largest = 57344, step = 8192;
  if (largest == 0) return std::nullopt;
  return Ends{-scale * largest, scale * largest, scale * step, scale * step};
}

/// Counts of one activation while samples run.
struct Counter {
  std::string value;
  std::string observed;  ///< the float value in the quantized graph
  Ends ends;
  double scale = 1;
  bool from_zero = false;  ///< a Clip from 0
  bool last_axis = false;
  std::vector<std::int64_t> total, lowest, highest, cut_off, codes;

  void see(const Tensor& tensor) {
    if (tensor.dtype() != DType::F32 || tensor.size() == 0) return;
    const std::int64_t rank = tensor.rank();
    const std::int64_t axis = rank < 2 ? 0 : last_axis && rank == 3 ? 2 : 1;
    const std::int64_t channels = rank < 2 ? 1 : tensor.dim(axis);
    std::int64_t inner = 1;
    for (std::int64_t i = axis + 1; i < rank; ++i) inner *= tensor.dim(i);
    if (rank < 2) inner = tensor.size();
    const auto wanted = static_cast<std::size_t>(channels);
    if (total.size() < wanted) {
      for (auto* counts : {&total, &lowest, &highest, &cut_off}) counts->resize(wanted);
    }
    const auto values = tensor.data<float>();
    const auto run = static_cast<std::size_t>(inner);
    for (std::size_t at = 0, channel = 0; at < values.size(); at += run, channel = (channel + 1) % wanted) {
      see_run(values.subspan(at, run), channel);
    }
  }

  void see_run(std::span<const float> values, std::size_t channel) {
    const auto first = static_cast<float>(ends.low + ends.low_step / 2);
    const auto last = static_cast<float>(ends.high - ends.high_step / 2);
    const auto below = from_zero ? -INFINITY : static_cast<float>(ends.low - ends.low_step / 2);
    const auto above = static_cast<float>(ends.high + ends.high_step / 2);
    std::int64_t low = 0, high = 0, lost = 0;
    for (const float value : values) {
      low += value <= first;
      high += value >= last;
      lost += (value < below) | (value > above);
    }
    total[channel] += std::ssize(values);
    lowest[channel] += low;
    highest[channel] += high;
    cut_off[channel] += lost;
    if (codes.empty()) return;
    const auto inverse = static_cast<float>(1 / scale), start = static_cast<float>(ends.low / scale);
    const auto most = static_cast<float>(codes.size() - 1);
    for (const float value : values) {
      ++codes[static_cast<std::size_t>(std::lrint(std::clamp(value * inverse - start, 0.0F, most)))];
    }
  }

  ChannelCodes result() const {
    const auto shares = [&](const std::vector<std::int64_t>& counts) {
      std::vector<double> result;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        result.push_back(static_cast<double>(counts[i]) / static_cast<double>(std::max<std::int64_t>(1, total[i])));
      }
      return result;
    };
    return {value, shares(lowest), shares(highest), shares(cut_off), scale, ends.low, codes};
  }
};

bool has_convolution_over_one_axis(const Graph& graph) {
  for (const NodeId id : graph.node_ids()) {
    const Node& node = graph.node(id);
    const auto& shape = node.kind == OpKind::Conv ? graph.value(node.output()).type.shape : std::nullopt;
    if (shape && shape->size() == 3) return true;
  }
  return false;
}

/// Where a Clip narrows the codes, what it reads and lets through.
void look_through_clip(const Graph& graph, const Node& quantize, Counter& counter) {
  const Node* clip = graph.producer_of(quantize.input(0));
  if (clip == nullptr || clip->kind != OpKind::Clip) return;
  const Tensor* low = graph.constant(clip->input(1));
  const Tensor* high = graph.constant(clip->input(2));
  if (low == nullptr || high == nullptr) return;
  counter.observed = graph.value(clip->input(0)).name;
  counter.ends.low = std::max<double>(counter.ends.low, low->get_double(0));
  counter.ends.high = std::min<double>(counter.ends.high, high->get_double(0));
  counter.from_zero = counter.ends.low == 0;
}

std::optional<Counter> counter_of(const Graph& graph, const Node& node) {
  constexpr double most_codes = 256;  // wider types have no pictures of their codes
  if (node.kind != OpKind::QuantizeLinear || graph.constant(node.input(0)) != nullptr) return std::nullopt;
  const Tensor* scale = graph.constant(node.input(1));
  const Tensor* zero_point = graph.constant(node.input(2));
  if (scale == nullptr || zero_point == nullptr || scale->size() != 1) return std::nullopt;
  Counter counter;
  counter.observed = graph.value(node.input(0)).name;
  constexpr std::string_view suffix = "_quantize";  // insert.cpp; what stands in front may be called otherwise by now
  counter.value =
      node.name.ends_with(suffix) ? node.name.substr(0, node.name.size() - suffix.size()) : counter.observed;
  counter.scale = scale->get_double(0);
  const bool integer = is_integer(zero_point->dtype());
  const auto ends = ends_of(zero_point->dtype(), counter.scale, integer ? zero_point->get_double(0) : 0);
  if (!ends) return std::nullopt;
  counter.ends = *ends;
  look_through_clip(graph, node, counter);
  const double num_codes = std::round((counter.ends.high - counter.ends.low) / counter.scale) + 1;
  if (integer && num_codes <= most_codes) counter.codes.assign(static_cast<std::size_t>(num_codes), 0);
  return counter;
}

}  // namespace

std::vector<ChannelCodes> channel_codes(const Graph& quantized, const CalibrationData& data, std::int64_t max_samples,
                                        ProgressSink& progress) {
  std::vector<Counter> counters;
  std::map<std::string, std::size_t, std::less<>> by_name;
  const bool last_axis = !has_convolution_over_one_axis(quantized);
  for (const NodeId id : topological_order(quantized)) {
    auto counter = counter_of(quantized, quantized.node(id));
    if (!counter || !by_name.emplace(counter->observed, counters.size()).second) continue;
    counter->last_axis = last_axis;
    counters.push_back(std::move(*counter));
  }
  if (counters.empty()) return {};
  Session session(quantized, float_session_options());
  session.observe([&](std::string_view name, const Tensor& tensor) {
    if (const auto found = by_name.find(name); found != by_name.end()) counters[found->second].see(tensor);
  });
  run_samples(session, data, max_samples, "look at codes", progress);
  std::vector<ChannelCodes> result;
  for (const Counter& counter : counters) result.push_back(counter.result());
  return result;
}

}  // namespace adze::quantize
