#include "adze/report/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/base/version.h"
#include "adze/report/assets.h"

namespace adze {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ModelFigures& model) {
  Json json = {{"name", model.name},
               {"path", model.path},
               {"sha256", model.sha256},
               {"file_bytes", model.file_bytes},
               {"weight_bytes", model.weight_bytes},
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
          {"saturated", histogram.saturated}};
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
          {"largest_removed", pruning.largest_removed}};
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

/// "-74.9 %"; "same" when nothing changed.
std::string change_text(double before, double after) {
  if (before == after) return "same";
  if (before == 0) return "-";
  const double percent = 100 * (after - before) / before;
  return cat(percent > 0 ? "+" : "", fixed(percent, 1), " %");
}

std::string replaced(std::string text, std::string_view key, std::string_view value) {
  const std::size_t place = text.find(key);
  if (place != std::string::npos) text.replace(place, key.size(), value);
  return text;
}

/// JSON inside a script element: "</" must not end the element.
std::string safe_in_script(std::string json) {
  for (std::size_t place = json.find("</"); place != std::string::npos; place = json.find("</", place + 3)) {
    json.replace(place, 2, "<\\/");
  }
  return json;
}

}  // namespace

std::string accuracy_text(const AccuracyFigure& accuracy) {
  return cat(fixed(100 * accuracy.value, 2), " % (", fixed(100 * accuracy.low, 2), "–", fixed(100 * accuracy.high, 2),
             ")");
}

std::string latency_text(double microseconds) {
  if (microseconds < 1000) return cat(fixed(microseconds, microseconds < 10 ? 2 : 1), " µs");
  return cat(fixed(microseconds / 1000, 2), " ms");
}

Table before_after_table(const ModelFigures& before, const ModelFigures& after) {
  Table table({"", before.name, after.name, "change"});
  const auto add = [&](const char* label, double a, double b, std::string a_text, std::string b_text) {
    table.add_row({label, std::move(a_text), std::move(b_text), change_text(a, b)});
  };
  const auto add_bytes = [&](const char* label, std::int64_t a, std::int64_t b) {
    add(label, static_cast<double>(a), static_cast<double>(b), bytes_text(a), bytes_text(b));
  };
  const auto add_count = [&](const char* label, std::int64_t a, std::int64_t b) {
    add(label, static_cast<double>(a), static_cast<double>(b), count_text(a), count_text(b));
  };
  add_bytes("file", before.file_bytes, after.file_bytes);
  add_bytes("weights", before.weight_bytes, after.weight_bytes);
  add_count("parameters", before.parameters, after.parameters);
  add_count("MACs", before.macs, after.macs);
  add_bytes("peak activations", before.peak_activation_bytes, after.peak_activation_bytes);
  add_bytes("arena", before.arena_bytes, after.arena_bytes);
  if (before.accuracy && after.accuracy) {
    const double points = 100 * (after.accuracy->value - before.accuracy->value);
    table.add_row({cat(before.accuracy->metric, " (95 % interval)"), accuracy_text(*before.accuracy),
                   accuracy_text(*after.accuracy), cat(points > 0 ? "+" : "", fixed(points, 2), " points")});
  }
  if (before.latency && after.latency) {
    const auto add_latency = [&](const char* label, double a, double b) {
      add(label, a, b, latency_text(a), latency_text(b));
    };
    add_latency("latency p50", before.latency->p50_us, after.latency->p50_us);
    add_latency("latency p90", before.latency->p90_us, after.latency->p90_us);
    add_latency("latency p99", before.latency->p99_us, after.latency->p99_us);
  }
  return table;
}

Table trials_table(const std::vector<TrialFigures>& trials) {
  Table table({"recipe", "file", "accuracy", "drop (95 %)", "p50", "verdict"});
  for (const TrialFigures& trial : trials) {
    const auto& figures = trial.figures;
    table.add_row({trial.name, bytes_text(figures.file_bytes),
                   figures.accuracy ? cat(fixed(100 * figures.accuracy->value, 2), " %") : "-",
                   cat(fixed(100 * trial.drop, 2), " (", fixed(100 * trial.drop_low, 2), " … ",
                       fixed(100 * trial.drop_high, 2), ")"),
                   figures.latency ? latency_text(figures.latency->p50_us) : "-", trial.verdict});
  }
  return table;
}

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
               {"notes", report.notes},
               {"before", to_json(report.before)},
               {"after", report.after ? to_json(*report.after) : Json(nullptr)},
               {"trials", all_to_json(report.trials)},
               {"layers", all_to_json(report.layers)},
               {"histograms", all_to_json(report.histograms)},
               {"error_histograms", all_to_json(report.error_histograms)},
               {"weight_histograms", all_to_json(report.weight_histograms)},
               {"sensitivity", all_to_json(report.sensitivity)},
               {"epochs", all_to_json(report.epochs)},
               {"pruning", all_to_json(report.pruning)},
               {"pictures", all_to_json(report.pictures)}};
  Json steps = Json::array();
  for (const StepFigures& step : report.steps) {
    steps.push_back({{"name", step.name}, {"changes", step.changes}, {"seconds", step.seconds}});
  }
  json["steps"] = std::move(steps);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string report_html(const Report& report) {
  std::string page(assets::report_html);
  page = replaced(std::move(page), "/*@uplot.css@*/", assets::uplot_css);
  page = replaced(std::move(page), "/*@report.css@*/", assets::report_css);
  page = replaced(std::move(page), "/*@uplot.js@*/", assets::uplot_js);
  page = replaced(std::move(page), "/*@report.js@*/", assets::report_js);
  return replaced(std::move(page), "/*@data@*/", safe_in_script(report_json(report)));
}

}  // namespace adze
