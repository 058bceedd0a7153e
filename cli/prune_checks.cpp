#include "adze/base/text.h"
#include "cli/prune_options.h"

namespace adze::cli {

namespace {

void at_least(std::int64_t value, std::int64_t least, const char* option) {
  if (value < least) throw UsageError(cat(option, " is ", value), cat("a number from ", least));
}

void check_ranges(const PruneArguments& given) {
  at_least(given.rounds, 0, "--rounds");
  at_least(given.round_to, 1, "--round-to");
  at_least(given.min_units, 1, "--min-units");
  at_least(given.samples, 1, "--samples");
  at_least(given.gradient_batches, 1, "--gradient-batches");
  at_least(given.judge_samples, 0, "--judge-samples");
  at_least(given.change_every, 1, "--change-every");
  at_least(given.training.epochs, 0, "--tune-epochs");
  at_least(given.penalty_epochs, 0, "--penalty-epochs");
  at_least(given.points, 2, "--points");
  if (!(given.widen >= 0)) throw UsageError(cat("--widen is ", given.widen), "a share of the first MACs, such as 1.0");
  if (!(given.rewind >= 0)) throw UsageError(cat("--rewind is ", given.rewind), "an epoch, such as 1 or 0.5");
  if (!given.max_drop.empty()) parse_fraction(given.max_drop, "--max-drop");
  if (!given.max_slice_drop.empty()) parse_fraction(given.max_slice_drop, "--max-slice-drop");
}

/// An option without effect is a mistake better told at once.
void check_use(const PruneArguments& given) {
  const auto needs = [](bool set, bool used, const char* option, const char* what) {
    if (set && !used) throw UsageError(cat(option, " does nothing here"), what);
  };
  const bool in_rounds = given.schedule == "iterative" || given.schedule == "lottery";
  const bool measures = given.staircase || given.on_steps || given.target_latency > 0;
  const bool trains = given.training.epochs > 0 || given.penalty_epochs > 0;
  needs(given.rounds > 0, in_rounds, "--rounds", "add --schedule iterative (or lottery), or leave it out");
  needs(given.distil, trains, "--distil", "add --tune-epochs: the dense network teaches while training");
  needs(!given.state.empty(), trains, "--state", "it keeps trainings: add --tune-epochs, or leave it out");
  needs(given.control, given.schedule == "lottery", "--control", "add --schedule lottery, or leave it out");
  needs(given.rewind > 0, given.schedule == "lottery", "--rewind", "add --schedule lottery, or leave it out");
  needs(!given.device.empty(), measures, "--device", "add --staircase, --on-steps or --target-latency");
  needs(!given.drawing.empty(), given.staircase || given.on_steps, "--drawing", "add --staircase or --on-steps");
  const bool only_shows = given.dry_run || given.sensitivity || given.staircase;
  needs(!given.report.empty(), !only_shows, "--report",
        "leave out --dry-run, --sensitivity or --staircase (--drawing)");
  needs(!given.start.empty(), given.criterion.find("movement") != std::string::npos, "--start",
        "add --criterion movement, or leave it out");
  needs(given.sparse, only_shows || given.output.ends_with(".onnx"), "--sparse",
        "sparse initializers are ONNX's: an output that ends in .onnx");
}

void check_data(const PruneArguments& given) {
  if (given.has_data()) return;
  const auto needs = [](bool set, const char* option, const char* why) {
    if (set) throw UsageError(cat(option, " ", why), "give --data");
  };
  needs(given.training.epochs > 0, "--tune-epochs", "trains");
  needs(given.reconstruct, "--reconstruct", "measures layers' inputs");
  needs(given.surgeon, "--surgeon", "measures layers' inputs");
  needs(given.sensitivity, "--sensitivity", "is measured on data");
  needs(given.spread == "sensitivity", "--spread sensitivity", "is measured on data");
  const bool judged = !given.max_drop.empty() || !given.slices.empty() || !given.max_slice_drop.empty();
  if (judged) throw UsageError("limits on accuracy are judged on labelled data", "give --data (and --validation 0.1)");
}

}  // namespace

void PruneArguments::check() const {
  check_ranges(*this);
  check_use(*this);
  check_data(*this);
}

}  // namespace adze::cli
