#include "adze/quantize/diagnose.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "adze/quantize/placement.h"
#include "adze/quantize/static.h"

namespace adze::quantize {

namespace {

constexpr double least_coverage = 0.1, most_saturated = 0.01, most_change = 0.05, most_drift = 0.05;

/// The share of the codes that some value seen has.
double coverage_of(const Histogram& histogram, const ActivationReport& report) {
  const double step = report.affine.scale;
  const auto codes = static_cast<std::size_t>(std::lround((report.high - report.low) / step)) + 1;
  std::vector<bool> used(codes, false);
  const auto code_of = [&](double value) {
    const double code = std::nearbyint((value - report.low) / step);
    return static_cast<std::size_t>(std::clamp<double>(code, 0, static_cast<double>(codes - 1)));
  };
  for (const Histogram::Bin& bin : histogram.bins()) {
    if (bin.count > 0) used[code_of(bin.center())] = true;
  }
  return static_cast<double>(std::count(used.begin(), used.end(), true)) / static_cast<double>(codes);
}

double distance_of(const Histogram& first, const Histogram& second) {
  if (first.count() == 0 || second.count() == 0) return 0;
  std::map<double, std::pair<double, double>> counts;
  for (const Histogram::Bin& bin : first.bins()) counts[bin.center()].first += static_cast<double>(bin.count);
  for (const Histogram::Bin& bin : second.bins()) counts[bin.center()].second += static_cast<double>(bin.count);
  double a = 0, b = 0, furthest = 0;
  for (const auto& [value, count] : counts) {
    a += count.first / static_cast<double>(first.count());
    b += count.second / static_cast<double>(second.count());
    furthest = std::max(furthest, std::abs(a - b));
  }
  return furthest;
}

Histogram merged(const std::vector<ValueId>& sources, const Observations& observations) {
  Histogram all;
  for (const ValueId source : sources) {
    const auto found = observations.histograms.find(source);
    if (found != observations.histograms.end()) all.merge(found->second);
  }
  return all;
}

CalibrationData part_of(const CalibrationData& data, std::int64_t first, std::int64_t count) {
  return {count, [batch = data.batch, first](std::int64_t index) { return batch(first + index); }};
}

}  // namespace

Observations HalvedObservations::all() const {
  Observations sum = first;
  sum.merge(second);
  return sum;
}

HalvedObservations observe_halves(const Graph& graph, std::span<const ValueId> values, const CalibrationData& data,
                                  std::int64_t max_samples, ProgressSink& progress) {
  HalvedObservations result;
  const std::int64_t half = (data.num_batches + 1) / 2;
  if (max_samples > 0 || half == data.num_batches) {  // too few to halve, or cut somewhere by a number of samples
    result.first = observe(graph, values, data, max_samples, progress);
    return result;
  }
  result.first = observe(graph, values, part_of(data, 0, half), 0, progress);
  result.second = observe(graph, values, part_of(data, half, data.num_batches - half), 0, progress);
  return result;
}

std::vector<ActivationDiagnosis> diagnose(const Graph& graph, const HalvedObservations& observations,
                                          const PtqOptions& options) {
  const Placement placement = place_quantizers(graph, options);
  const Observations all = observations.all();
  const QuantizeReport whole = insert_quantizers(graph, placement, all, options).report;
  const bool has_halves = observations.second.num_samples > 0;
  const QuantizeReport half =
      has_halves ? insert_quantizers(graph, placement, observations.first, options).report : whole;
  std::vector<ActivationDiagnosis> result;
  for (std::size_t i = 0; i < whole.activations.size(); ++i) {
    const ActivationReport& report = whole.activations[i];
    const auto& sources = placement.groups[placement.quantizers[i].group].sources;
    ActivationDiagnosis one{report.value, report.low, report.high, 0, report.saturated, 0, 0, {}};
    one.coverage = coverage_of(merged(sources, all), report);
    const double width = report.high - report.low;
    const double other = half.activations[i].high - half.activations[i].low;
    one.change = width > 0 ? std::abs(other - width) / width : 0;
    if (has_halves) one.drift = distance_of(merged(sources, observations.first), merged(sources, observations.second));
    if (one.coverage < least_coverage) one.remarks.emplace_back("narrow");
    if (one.saturated > most_saturated) one.remarks.emplace_back("saturates");
    if (one.change > most_change) one.remarks.emplace_back("not settled");
    if (one.drift > most_drift) one.remarks.emplace_back("drifts");
    result.push_back(std::move(one));
  }
  return result;
}

}  // namespace adze::quantize
