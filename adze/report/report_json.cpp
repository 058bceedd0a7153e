#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "adze/base/machine.h"
#include "adze/base/version.h"
#include "adze/report/report.h"

namespace adze {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ModelFigures& model) {
  Json json = {{"name", model.name},
               {"path", model.path},
               {"sha256", model.sha256},
               {"file_bytes", model.file_bytes},
               {"weight_bytes", model.weight_bytes},
               {"sparse_bytes", model.sparse_bytes},
               {"parameters", model.parameters},
               {"macs", model.macs},
               {"peak_activation_bytes", model.peak_activation_bytes},
               {"arena_bytes", model.arena_bytes}};
  if (model.accuracy) {
    json["accuracy"] = {{"metric", model.accuracy->metric},   {"value", model.accuracy->value},
                        {"low", model.accuracy->low},         {"high", model.accuracy->high},
                        {"correct", model.accuracy->correct}, {"samples", model.accuracy->samples}};
  }
  if (model.latency) {
    json["latency"] = {{"p50_us", model.latency->p50_us}, {"p90_us", model.latency->p90_us},
                       {"p99_us", model.latency->p99_us}, {"min_us", model.latency->min_us},
                       {"runs", model.latency->runs},     {"threads", model.latency->threads},
                       {"isa", model.latency->isa}};
  }
  return json;
}

Json to_json(const TrialFigures& trial) {
  return {{"name", trial.name},
          {"verdict", trial.verdict},
          {"within_limits", trial.within_limits},
          {"chosen", trial.chosen},
          {"drop", trial.drop},
          {"drop_low", trial.drop_low},
          {"drop_high", trial.drop_high},
          {"p_value", trial.p_value},
          {"seconds", trial.seconds},
          {"figures", to_json(trial.figures)}};
}

Json optional_number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json to_json(const LayerFigures& layer) {
  return {{"name", layer.name},
          {"op", layer.op},
          {"output", layer.output},
          {"weight_type", layer.weight_type},
          {"macs", layer.macs},
          {"parameters", layer.parameters},
          {"weight_bytes", layer.weight_bytes},
          {"sqnr_db", optional_number(layer.sqnr_db)},
          {"weight_sqnr_db", optional_number(layer.weight_sqnr_db)},
          {"saturated", optional_number(layer.saturated)}};
}

Json to_json(const HistogramFigure& histogram) {
  return {{"name", histogram.name},
          {"low", histogram.low},
          {"high", histogram.high},
          {"counts", histogram.counts},
          {"chosen_low", histogram.chosen_low},
          {"chosen_high", histogram.chosen_high},
          {"scale", histogram.scale},
          {"zero_point", histogram.zero_point},
          {"saturated", histogram.saturated},
          {"after", histogram.after}};
}

/// Shares to five places: a page is no place for more.
Json rounded(const std::vector<double>& shares) {
  Json array = Json::array();
  for (const double share : shares) array.push_back(std::round(share * 1e5) / 1e5);
  return array;
}

Json to_json(const SaturationFigure& figure) {
  return {{"name", figure.name},
          {"channels", figure.channels},
          {"lowest", rounded(figure.lowest)},
          {"highest", rounded(figure.highest)},
          {"cut_off", rounded(figure.cut_off)},
          {"most_cut_off", figure.most_cut_off},
          {"worst_channel", figure.worst_channel}};
}

/// Two hexadecimal digits for each number: 80 is 0, 01 and ff are minus and plus the limit.
std::string shades(std::span<const float> values, std::span<const float> limits) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  const std::size_t run = values.size() / std::max<std::size_t>(1, limits.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float limit = limits[i / run];
    const float share = limit > 0 ? std::clamp(values[i] / limit, -1.0F, 1.0F) : 0.0F;
    const auto shade = static_cast<unsigned>(128 + std::lrint(share * 127));
    text += digits[shade / 16];
    text += digits[shade % 16];
  }
  return text;
}

/// Each kernel relative to its own largest weight, the differences relative to the largest of all.
Json to_json(const KernelFigure& figure) {
  std::vector<float> difference(figure.before.size());
  float largest = 0;
  for (std::size_t i = 0; i < difference.size(); ++i) {
    difference[i] = figure.after[i] - figure.before[i];
    largest = std::max(largest, std::abs(difference[i]));
  }
  std::vector<float> limits;
  const auto area = static_cast<std::size_t>(figure.colours * figure.height * figure.width);
  for (std::size_t at = 0; at < figure.before.size(); at += area) {
    float limit = 0;
    for (std::size_t i = at; i < at + area; ++i) limit = std::max(limit, std::abs(figure.before[i]));
    limits.push_back(limit);
  }
  const float whole[] = {largest};
  return {{"name", figure.name},
          {"bits", figure.bits},
          {"height", figure.height},
          {"width", figure.width},
          {"columns", figure.columns},
          {"colours", figure.colours},
          {"by_input", figure.by_input},
          {"before", shades(figure.before, limits)},
          {"after", shades(figure.after, limits)},
          {"difference", shades(difference, whole)},
          {"difference_limit", largest}};
}

Json to_json(const ErrorHistogramFigure& histogram) {
  return {{"name", histogram.name},
          {"limit", histogram.limit},
          {"counts", histogram.counts},
          {"sqnr_db", optional_number(histogram.sqnr_db)}};
}

Json to_json(const EpochFigures& epoch) {
  return {{"epoch", epoch.epoch},
          {"loss", epoch.loss},
          {"accuracy", epoch.accuracy},
          {"validation_loss", epoch.validation_loss},
          {"validation_accuracy", epoch.validation_accuracy},
          {"learning_rate", epoch.learning_rate},
          {"samples_per_second", epoch.samples_per_second},
          {"seconds", epoch.seconds},
          {"best", epoch.best}};
}

Json to_json(const PruningFigures& pruning) {
  return {{"name", pruning.name},
          {"size", pruning.size},
          {"left", pruning.left},
          {"removed", pruning.removed},
          {"smallest_kept", pruning.smallest_kept},
          {"largest_removed", pruning.largest_removed},
          {"scores", pruning.scores},
          {"went", pruning.went}};
}

Json to_json(const PruningRoundFigures& round) {
  return {{"name", round.name},
          {"left", round.left},
          {"macs", round.macs},
          {"parameters", round.parameters},
          {"cut", optional_number(round.cut)},
          {"accuracy", optional_number(round.accuracy)}};
}

Json to_json(const SliceFigures& slice) {
  return {{"name", slice.name},
          {"samples", slice.samples},
          {"correct_before", slice.correct_before},
          {"correct_after", slice.correct_after}};
}

Json to_json(const MistakeFigures& mistake) {
  return {{"sample", mistake.sample}, {"label", mistake.label}, {"after", mistake.after}};
}

Json to_json(const PictureFigure& picture) {
  return {{"title", picture.title}, {"svg", picture.svg}};
}

Json to_json(const WeightHistogramFigure& figure) {
  return {{"name", figure.name},     {"bits", figure.bits},
          {"limit", figure.limit},   {"before", figure.before},
          {"after", figure.after},   {"error_limit", figure.error_limit},
          {"errors", figure.errors}, {"sqnr_db", optional_number(figure.sqnr_db)}};
}

Json to_json(const SensitivityFigure& figure) {
  return {{"layer", figure.layer},
          {"weights", figure.weights},
          {"bits", figure.bits},
          {"damage", figure.damage},
          {"chosen", figure.chosen}};
}

template <typename Items>
Json all_to_json(const Items& items) {
  Json array = Json::array();
  for (const auto& item : items) array.push_back(to_json(item));
  return array;
}

}  // namespace

std::string report_json(const Report& report) {
  const Machine& machine = this_machine();
  Json json = {{"schema", "adze.report/1"},
               {"adze", version()},
               {"title", report.title},
               {"command", report.command},
               {"recipe", report.recipe},
               {"data", report.data},
               {"seed", report.seed},
               {"machine", {{"cpu", machine.cpu}, {"cores", machine.cores}, {"isa", machine.isa}}},
               {"refusal", report.refusal},
               {"notes", report.notes},
               {"before", to_json(report.before)},
               {"after", report.after ? to_json(*report.after) : Json(nullptr)},
               {"trials", all_to_json(report.trials)},
               {"layers", all_to_json(report.layers)},
               {"histograms", all_to_json(report.histograms)},
               {"error_histograms", all_to_json(report.error_histograms)},
               {"weight_histograms", all_to_json(report.weight_histograms)},
               {"saturation", all_to_json(report.saturation)},
               {"kernels", all_to_json(report.kernels)},
               {"sensitivity", all_to_json(report.sensitivity)},
               {"epochs", all_to_json(report.epochs)},
               {"pruning", all_to_json(report.pruning)},
               {"pruning_why", report.pruning_why},
               {"pruning_rounds", all_to_json(report.pruning_rounds)},
               {"slices", all_to_json(report.slices)},
               {"new_mistakes", all_to_json(report.new_mistakes)},
               {"pictures", all_to_json(report.pictures)}};
  Json steps = Json::array();
  for (const StepFigures& step : report.steps) {
    steps.push_back({{"name", step.name}, {"changes", step.changes}, {"seconds", step.seconds}});
  }
  json["steps"] = std::move(steps);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace adze
