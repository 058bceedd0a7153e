#include "cli/optimize_result.h"

#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/hash.h"
#include "adze/base/text.h"
#include "adze/recipe/model_files.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

Json figures_json(const ModelFigures& figures) {
  Json json = {{"file_bytes", figures.file_bytes},
               {"weight_bytes", figures.weight_bytes},
               {"parameters", figures.parameters},
               {"macs", figures.macs},
               {"peak_activation_bytes", figures.peak_activation_bytes},
               {"arena_bytes", figures.arena_bytes}};
  if (figures.accuracy) {
    json["top1"] = figures.accuracy->value;
    json["correct"] = figures.accuracy->correct;
    json["samples"] = figures.accuracy->samples;
    json["interval"] = {figures.accuracy->low, figures.accuracy->high};
  }
  if (figures.latency) {
    json["p50_us"] = figures.latency->p50_us;
    json["p90_us"] = figures.latency->p90_us;
    json["p99_us"] = figures.latency->p99_us;
    json["min_us"] = figures.latency->min_us;
  }
  return json;
}

void add_file(ModelFigures& figures, const std::filesystem::path& file) {
  FileIdentity identity = identify_file(file);
  figures.path = file.string();
  figures.file_bytes = identity.bytes;
  figures.sha256 = std::move(identity.sha256);
}

}  // namespace

void prepare_folder(const Console& console, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw ModelError(cat("cannot create the output folder: ", error.message()), {folder.string(), "", ""});
  if (!console.options.force && std::filesystem::exists(folder / "report.html", error)) {
    throw UsageError(cat("the folder ", adze::quoted(folder.string()), " holds results already"),
                     "another folder, or -f to overwrite");
  }
}

ExitCode present(Console& console, OptimizeOutcome& outcome, const std::filesystem::path& original,
                 const std::filesystem::path& folder) {
  Report& report = outcome.report;
  const std::filesystem::path model = folder / "model.onnx";
  save_model(outcome.graph, model);
  add_file(report.before, original);
  add_file(*report.after, model);
  write_file(folder / "recipe.toml", report.recipe);
  write_file(folder / "report.json", report_json(report) + "\n");
  write_file(folder / "report.html", report_html(report));

  Json trials = Json::array();
  for (const TrialFigures& trial : report.trials) {
    Json one = figures_json(trial.figures);
    one["name"] = trial.name;
    one["within_limits"] = trial.within_limits;
    one["verdict"] = trial.verdict;
    one["drop"] = trial.drop;
    one["drop_interval"] = {trial.drop_low, trial.drop_high};
    trials.push_back(std::move(one));
  }
  console.results() = {{"chosen",
                        {{"name", report.after->name},
                         {"within_limit", outcome.within_limit},
                         {"before", figures_json(report.before)},
                         {"after", figures_json(*report.after)}}},
                       {"trials", trials},
                       {"model", model.string()},
                       {"report", (folder / "report.html").string()},
                       {"recipe", (folder / "recipe.toml").string()}};
  console.table(trials_table(report.trials));
  console.line("");
  console.table(before_after_table(report.before, *report.after));
  console.line("");
  for (const std::string& note : report.notes) console.line(note);
  console.line(cat("model   ", model.string()));
  console.line(cat("recipe  ", (folder / "recipe.toml").string(), "   (adze recipe run ",
                   (folder / "recipe.toml").string(), " ", original.string(), " -o …)"));
  console.line(cat("report  ", (folder / "report.html").string()));
  if (outcome.within_limit && outcome.test_within_limit) return ExitCode::Done;
  console.remark(outcome.within_limit
                     ? "goal missed: the choice kept to the limit on validation samples, but not on the test samples"
                     : "goal missed: no candidate keeps to the limit; the best one was written");
  return ExitCode::GoalMissed;
}

}  // namespace adze::cli
