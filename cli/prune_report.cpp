#include "cli/prune_report.h"

#include <algorithm>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/report/curves.h"

namespace adze::cli {

namespace {

/// "0 3 5"
std::string numbers_text(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> words;
  for (const std::int64_t number : numbers) words.push_back(cat(number));
  return join(words, " ");
}

/// By what it was decided.
std::string why_text(const PruneArguments& arguments, const prune::PruneOptions& options) {
  if (options.depth) return "What goes is what changes the outputs least, measured anew after each part that went.";
  std::string text;
  if (arguments.schedule == "regrow") {
    text = "While training, the smallest weights were exchanged for those with the largest gradients.";
  } else if (arguments.schedule == "gradual") {
    const std::string by = arguments.goes_by_magnitude() ? "of the smallest magnitude"
                                                         : cat("with the smallest score by ", arguments.criterion);
    text = cat("While training, the weights ", by, " went, more and more.");
  } else if (arguments.schedule == "lottery") {
    text =
        "After each training the weights of the smallest magnitude went, and the others went back to what they were "
        "before it.";
  } else if (options.surgeon) {
    text =
        "Weights went whose absence, with the others corrected, changes the layers' outputs least (optimal brain "
        "surgeon).";
  } else {
    text = cat("What has the smallest score by ", arguments.criterion, " went");
    switch (options.spread) {
      case prune::Spread::Global:
        text += cat(": one threshold for all ", options.channels ? "groups" : "layers");
        break;
      case prune::Spread::ByGroup:
        text += cat(": the same share of each ", options.channels ? "group" : "layer");
        break;
      default:
        text += ": of each as much as costs the outputs the same";
    }
    text += cat("; none lost more than ", fixed(100 * arguments.max_ratio, 0), " %.");
    if (options.on_steps) {
      text +=
          " Cuts keep as many channels as cost the same by the measured staircase, and those that cross no step are "
          "refused (notes).";
    }
    if (options.channels) {
      text +=
          " Scores of different groups are compared after they were divided or ordered within their group "
          "(--normalize). What must go together is one group.";
    }
  }
  return text;
}

/// What is left of each group or layer, round by round, and the smallest, mean and largest of them.
PictureFigure trend_picture(const std::vector<PruningFigures>& pruning, const std::vector<PruningRoundFigures>& rounds,
                            bool channels) {
  Curve low{"least", {{0, 100}}, false, true}, mean{"mean", {{0, 100}}}, high{"most", {{0, 100}}, false, true};
  std::vector<Curve> curves;
  for (const PruningFigures& one : pruning) {
    Curve curve{one.name, {{0, 100}}};
    curve.faint = true;
    for (std::size_t round = 0; round < one.left.size(); ++round) {
      curve.points.emplace_back(static_cast<double>(round + 1), 100 * one.left[round]);
    }
    curves.push_back(std::move(curve));
  }
  for (std::size_t round = 0; round < rounds.size(); ++round) {
    double least = 1, most = 0, sum = 0, count = 0;
    for (const PruningFigures& one : pruning) {
      if (round >= one.left.size()) continue;
      least = std::min(least, one.left[round]);
      most = std::max(most, one.left[round]);
      sum += one.left[round];
      ++count;
    }
    const auto x = static_cast<double>(round + 1);
    low.points.emplace_back(x, 100 * least);
    mean.points.emplace_back(x, 100 * sum / std::max(1.0, count));
    high.points.emplace_back(x, 100 * most);
  }
  curves.insert(curves.end(), {low, mean, high});
  const std::string what = channels ? "group" : "layer";
  CurveDrawing drawing{cat("What is left of each ", what, " (grey), and of all"), "", "% left"};
  drawing.x = rounds.empty() ? "round" : std::string(rounds[0].name.substr(0, rounds[0].name.find(' ')));
  drawing.x_whole = true;
  return {"What is left", curves_svg(curves, drawing)};
}

std::optional<PictureFigure> accuracy_picture(const PruningPage& page, bool channels) {
  Curve cut{"right after cutting", {}, false, true}, after{"after training", {}};
  if (page.before.accuracy) {
    cut.points.emplace_back(0, 100 * page.before.accuracy->value);
    after.points.emplace_back(0, 100 * page.before.accuracy->value);
  }
  for (const PruningRoundFigures& round : page.rounds) {
    if (round.cut) cut.points.emplace_back(100 * (1 - round.left), 100 * *round.cut);
    if (round.accuracy) after.points.emplace_back(100 * (1 - round.left), 100 * *round.accuracy);
  }
  std::vector<Curve> curves;
  for (const Curve& curve : {cut, after}) {
    if (curve.points.size() > (page.before.accuracy ? 1U : 0U)) curves.push_back(curve);
  }
  if (curves.empty()) return std::nullopt;
  return PictureFigure{"Accuracy", curves_svg(curves, {"Validation accuracy against what is gone",
                                                       channels ? "% of the MACs gone" : "% of the weights 0", "%"})};
}

PictureFigure tried_picture(const PruningPage& page) {
  Curve curve{"ratios that were tried", page.tried};
  std::sort(curve.points.begin(), curve.points.end());
  for (auto& [ratio, accuracy] : curve.points) ratio *= 100, accuracy *= 100;
  return {"Ratios",
          curves_svg({curve}, {"Validation accuracy against the ratio", "% of units or weights that go", "%"})};
}

PictureFigure staircase_picture(const prune::PruneOutcome& outcome, std::string_view unit) {
  std::vector<Curve> curves;
  for (const prune::Staircase& one : outcome.staircases) {
    Curve curve{outcome.groups.at(one.group).name, {}, true, false};
    for (std::size_t i = 0; i < one.kept.size(); ++i) {
      curve.points.emplace_back(static_cast<double>(one.kept[i]), one.costs[i]);
    }
    curves.push_back(std::move(curve));
  }
  return {"Staircase", curves_svg(curves, {"Cost against kept channels", "channels kept of one group",
                                           cat("whole network, ", unit)})};
}

PruningFigures group_figures(const prune::GroupOutcome& group) {
  PruningFigures figures;
  figures.name = group.name;
  figures.size = group.size;
  figures.removed = numbers_text(group.removed);
  figures.smallest_kept = group.smallest_kept;
  if (!group.scores.empty()) figures.largest_removed = *std::max_element(group.scores.begin(), group.scores.end());
  const bool scored = group.rounds.size() == group.removed.size() &&
                      static_cast<std::int64_t>(group.removed.size() + group.kept.size()) == group.size;
  if (!scored) return figures;  // parts that were gone around
  figures.scores.resize(static_cast<std::size_t>(group.size));
  figures.went.resize(static_cast<std::size_t>(group.size));
  for (std::size_t i = 0; i < group.removed.size(); ++i) {
    figures.scores.at(static_cast<std::size_t>(group.removed[i])) = group.scores[i];
    figures.went.at(static_cast<std::size_t>(group.removed[i])) = group.rounds[i];
  }
  for (const auto& [unit, score] : group.kept) figures.scores.at(static_cast<std::size_t>(unit)) = score;
  return figures;
}

void add_pruning(Report& report, const prune::PruneOutcome& outcome) {
  const auto add = [&](std::size_t index, PruningFigures figures) {
    for (const prune::RoundOutcome& round : outcome.rounds) {
      if (index < round.left.size()) figures.left.push_back(round.left[index]);
    }
    report.pruning.push_back(std::move(figures));
  };
  for (std::size_t g = 0; g < outcome.groups.size(); ++g) add(g, group_figures(outcome.groups[g]));
  if (!outcome.groups.empty()) return;
  for (std::size_t l = 0; l < outcome.layers.size(); ++l) {
    const prune::LayerOutcome& layer = outcome.layers[l];
    PruningFigures figures;
    figures.name = layer.name;
    figures.size = layer.weights;
    figures.removed = cat(layer.zeros, " of ", layer.weights, " weights");
    add(l, std::move(figures));
  }
}

void add_slices(Report& report, const PruningPage& page) {
  if (!page.slices) return;
  const auto class_name = [&](std::int64_t label) {
    const bool known = label >= 0 && label < static_cast<std::int64_t>(page.class_names.size());
    return known ? page.class_names[static_cast<std::size_t>(label)] : cat(label);
  };
  for (const SliceResult& one : page.slices->slices) {
    report.slices.push_back({one.name, one.samples, one.correct_before, one.correct_after});
  }
  for (const NewMistake& one : page.slices->new_mistakes) {
    report.new_mistakes.push_back({one.sample, class_name(one.label), class_name(one.after)});
  }
}

/// The share of all layers' weights that is not 0.
double weights_left(const prune::PruneOutcome& outcome, const prune::RoundOutcome& round) {
  double left = 0, all = 0;
  for (std::size_t i = 0; i < std::min(round.left.size(), outcome.layers.size()); ++i) {
    left += round.left[i] * static_cast<double>(outcome.layers[i].weights);
    all += static_cast<double>(outcome.layers[i].weights);
  }
  return all > 0 ? left / all : 1;
}

}  // namespace

std::vector<PruningRoundFigures> round_figures(const prune::PruneOutcome& outcome, const prune::PruneOptions& options,
                                               const std::map<std::int64_t, PruningRoundFigures>& accuracies,
                                               const std::vector<TrainedRound>& trained) {
  std::vector<PruningRoundFigures> rounds;
  for (std::size_t i = 0; i < outcome.rounds.size(); ++i) {
    const prune::RoundOutcome& round = outcome.rounds[i];
    PruningRoundFigures figures;
    const auto judged = accuracies.find(static_cast<std::int64_t>(i) + 1);
    if (judged != accuracies.end()) figures = judged->second;
    figures.name = cat(options.depth ? "step " : "round ", i + 1);
    figures.macs = round.size.macs;
    figures.parameters = round.size.parameters;
    figures.left =
        static_cast<double>(round.size.macs) / static_cast<double>(std::max<std::int64_t>(1, outcome.before.macs));
    if (!options.channels) figures.left = weights_left(outcome, round);
    if (i < trained.size()) {
      figures.name = trained[i].name;
      figures.accuracy = trained[i].accuracy;
    }
    rounds.push_back(std::move(figures));
  }
  return rounds;
}

void write_pruning_report(Console& console, const prune::PruneOutcome& outcome, const PruneArguments& arguments,
                          const prune::PruneOptions& options, const Graph& before, PruningPage page) {
  Report report;
  report.title = cat("Pruning ", arguments.model);
  if (!page.refusal.empty()) report.refusal = cat("Refused, no network is written: ", page.refusal);
  report.command = console.command_line();
  report.seed = static_cast<std::uint64_t>(console.options.seed);
  if (page.before.accuracy) report.data = cat("validation samples of ", arguments.training.data.path);
  report.pruning_why = why_text(arguments, options);
  add_pruning(report, outcome);
  const bool in_rounds = std::any_of(report.pruning.begin(), report.pruning.end(),
                                     [](const PruningFigures& one) { return !one.left.empty(); });
  if (in_rounds) report.pictures.push_back(trend_picture(report.pruning, page.rounds, options.channels));
  if (!page.tried.empty()) report.pictures.push_back(tried_picture(page));
  for (PictureFigure& picture : page.pictures) report.pictures.push_back(std::move(picture));
  if (page.pictures.empty()) {
    if (auto picture = accuracy_picture(page, options.channels)) report.pictures.push_back(std::move(*picture));
  }
  if (!outcome.staircases.empty()) {
    report.pictures.push_back(staircase_picture(outcome, arguments.device.empty() ? "µs" : "instructions"));
  }
  add_slices(report, page);
  for (const std::string& text : outcome.refused) report.notes.push_back(cat("refused: ", text));
  for (const prune::FixedAxis& axis : outcome.fixed) {
    report.notes.push_back(cat(before.value(axis.value).name, " stays whole: ", axis.why));
  }
  for (const prune::GroupOutcome& group : outcome.groups) {
    if (!group.inexact.empty()) report.notes.push_back(cat(group.name, ": ", group.inexact));
  }
  report.before = std::move(page.before);
  report.after = std::move(page.after);
  report.pruning_rounds = std::move(page.rounds);
  write_file(arguments.report, report_html(report));
  console.line(cat(arguments.report, " written"));
}

}  // namespace adze::cli
