#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/encode/sparse.h"
#include "adze/graph/facts.h"
#include "adze/prune/float_weights.h"
#include "adze/prune/gradients.h"
#include "adze/prune/sensitivity.h"
#include "adze/prune/widen.h"
#include "adze/prune/zeros.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/slim.h"
#include "cli/model_zeros.h"
#include "cli/prune_cost.h"
#include "cli/prune_report.h"
#include "cli/prune_slices.h"
#include "cli/prune_speed.h"
#include "cli/prune_training.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

/// Rewritten without changing what it computes. Batch norms stay apart until the end: they are scored and trained.
Graph prepared(const PruneArguments& arguments, Console& console) {
  Graph graph = prune::with_float_weights(load_model(arguments.model));
  if (arguments.no_slim) return graph;
  SlimOptions options;
  options.skip = {"fold-batch-norms", "fold-scales"};
  return slim(std::move(graph), options, console.progress()).graph;
}

Graph finished(Graph graph, const PruneArguments& arguments, Console& console) {
  if (!arguments.no_slim && !arguments.keep_batch_norms) graph = slim(std::move(graph), {}, console.progress()).graph;
  // Training leaves -0, whose bits are not all 0: it would be stored as a value.
  for (const prune::Layer& layer : prune::weight_layers(graph)) {
    std::vector<float> weights = prune::weight_matrix(graph, layer);
    for (float& weight : weights) {
      if (weight == 0) weight = 0;
    }
    prune::set_weight_matrix(graph, layer, weights);
  }
  if (weight_facts(graph).zeros) prune::note_zeros(graph);
  return graph;
}

/// Said before hours of training, not after.
void check_format(const std::string& output) {
  const std::string extension = std::filesystem::path(output).extension().string();
  if (extension == ".onnx" || extension == ".tflite" || extension == ".adze") return;
  throw UsageError(cat("cannot write a model as ", adze::quoted(output)),
                   "a name that ends in .onnx or .tflite, or in .adze for text");
}

class Pruning {
 public:
  Pruning(Console& console, const PruneArguments& arguments)
      : console_(console), arguments_(arguments), seed_(static_cast<std::uint64_t>(console.options.seed)) {
    arguments_.check();
    options_ = arguments_.prune_options(seed_);
    graph_ = prepared(arguments_, console_);
    prune::check_unquantized(graph_);
    prune::check_finite_weights(graph_);
    for (const std::string& pattern : options_.skip) prune::check_names_something(graph_, pattern);
    for (const prune::OwnRatio& own : options_.own) prune::check_names_something(graph_, own.pattern);
    if (arguments_.has_data()) open();
    if (arguments_.staircase || arguments_.on_steps || arguments_.target_latency > 0) {
      inputs_.cost = arguments_.device.empty() ? engine_cost(console_) : device_cost(console_, arguments_.device);
    }
    if (!arguments_.start.empty()) {
      inputs_.start = load_model(arguments_.start);
    } else if (arguments_.schedule == "gradual") {
      inputs_.start = graph_;  // movement: since this training began
    }
    if (arguments_.training.epochs > 0) {
      train::plugin();  // says now when there is none
      training_.open_state();
    }
    if (arguments_.training.epochs > 0 || reports_accuracy()) {
      inputs_.tune = [this](const Graph& graph, std::int64_t round) { return after_cut(graph, round); };
    }
  }

  ExitCode run() {
    if (arguments_.dry_run) return dry_run();
    if (arguments_.sensitivity) return show_sensitivity();
    if (arguments_.staircase) return measure_staircase();
    if (arguments_.output.empty()) throw UsageError("say where to write the pruned network", "-o pruned.onnx");
    console_.check_output(arguments_.output);
    check_format(arguments_.output);
    if (!arguments_.report.empty()) console_.check_output(arguments_.report);
    const prune::PruneOutcome outcome = pruned();
    if (!arguments_.max_drop.empty() && nothing_went(outcome)) {
      console_.line(cat("nothing is written: no ratio that was tried costs at most ", arguments_.max_drop,
                        "; train after pruning (--tune-epochs), or allow more"));
      return ExitCode::GoalMissed;
    }
    const Graph result = finished(outcome.graph, arguments_, console_);
    if (const auto lost = slice_lost(outcome.graph)) {
      show_pruning(console_, outcome, options_);
      console_.line(cat("nothing is written: ", *lost));
      return ExitCode::GoalMissed;
    }
    save_model(result, arguments_.output, {21, false, arguments_.sparse});
    console_.model("input", arguments_.model);
    console_.model("output", arguments_.output);
    show_pruning(console_, outcome, options_);
    show_steps(outcome);
    show_zeros(console_, result);
    if (options_.channels && !options_.depth && nothing_went(outcome)) {
      console_.line("nothing went: a larger --ratio, a lower --min-units or --round-to, or fewer --skip");
    }
    tell_of_limit(outcome);
    ModelFigures before = model_figures(graph_, "before", arguments_.model);
    ModelFigures after = model_figures(result, "after", arguments_.output);
    show_speed(console_, graph_, result,
               options_.channels ? std::nullopt : std::optional<prune::Pattern>(options_.pattern), before, after);
    if (!options_.channels) add_sparse_sizes(result, before, after);
    if (dense_ && pruned_) {
      before.accuracy = accuracy_figure(*dense_);
      after.accuracy = accuracy_figure(*pruned_);
    }
    console_.table(before_after_table(before, after));
    if (!arguments_.report.empty()) write_report(outcome, before, after);
    console_.line(cat("next: adze evaluate ", arguments_.output, " --data …; adze bench ", arguments_.output));
    return ExitCode::Done;
  }

 private:
  static bool nothing_went(const prune::PruneOutcome& outcome) {
    return outcome.before.parameters == outcome.after.parameters &&
           std::all_of(outcome.layers.begin(), outcome.layers.end(),
                       [](const auto& layer) { return layer.zeros == 0; });
  }

  /// Says when fewer weights became 0 than were asked for.
  void tell_of_limit(const prune::PruneOutcome& outcome) {
    std::int64_t weights = 0, zeros = 0;
    for (const prune::LayerOutcome& layer : outcome.layers) {
      weights += layer.weights;
      zeros += layer.zeros;
    }
    const double share = static_cast<double>(zeros) / static_cast<double>(std::max<std::int64_t>(1, weights));
    const bool shares = !options_.channels && options_.pattern.kind != prune::Pattern::Kind::NM;
    constexpr double noticeable = 0.01;
    if (!shares || arguments_.ratio == PruneArguments::not_given || share > arguments_.ratio - noticeable) return;
    console_.line(cat(fixed(100 * share, 1), " % of all layers' weights are 0, not ", fixed(100 * arguments_.ratio, 1),
                      " %: no layer loses more than --max-ratio ", arguments_.max_ratio, ", and --skip keeps others"));
  }

  static std::int64_t sparse_bytes(const Graph& graph) {
    std::int64_t bytes = 0;
    for (const prune::Layer& layer : prune::weight_layers(graph)) {
      bytes += encode::sparse_size(*graph.constant(layer.weight)).bytes;
    }
    return bytes;
  }

  /// What the weights take when zeros are told by bits or runs.
  void add_sparse_sizes(const Graph& result, ModelFigures& before, ModelFigures& after) {
    before.sparse_bytes = sparse_bytes(graph_);
    after.sparse_bytes = sparse_bytes(result);
    console_.results()["sparse_bytes"] = after.sparse_bytes;
    console_.results()["dense_bytes"] = after.weight_bytes;
    if (!arguments_.sparse) console_.line("zeros take room as other numbers do: --sparse writes sparse initializers");
  }

  /// Is the page to show accuracy? Only with labels.
  bool reports_accuracy() {
    if (arguments_.report.empty() || !data_.validation || searching_) return false;
    if (!labelled_) labelled_ = data_.validation->size() > 0 && data_.validation->label(0) >= 0;
    return *labelled_;
  }

  /// Judges and trains what a round cut.
  Graph after_cut(const Graph& graph, std::int64_t round) {
    if (reports_accuracy()) rounds_[round].cut = judged(graph).top1;
    if (arguments_.training.epochs == 0) return graph;
    const std::string name = searching_ ? cat("ratio-", fixed(*searching_, 4)) : cat("round-", round);
    Graph tuned = training_.tuned(graph, graph_, round, name);
    if (reports_accuracy()) rounds_[round].accuracy = judged(tuned).top1;
    return tuned;
  }

  void write_report(const prune::PruneOutcome& outcome, const ModelFigures& before, const ModelFigures& after) {
    PruningPage page;
    page.before = before;
    page.after = after;
    page.pictures = training_.pictures();
    page.tried = tried_;
    page.slices = slices_;
    if (data_.validation) page.class_names = data_.validation->class_names();
    for (std::size_t i = 0; i < outcome.rounds.size(); ++i) {
      const prune::RoundOutcome& round = outcome.rounds[i];
      PruningRoundFigures figures = rounds_[static_cast<std::int64_t>(i) + 1];
      figures.name = cat(options_.depth ? "step " : "round ", i + 1);
      figures.macs = round.size.macs;
      figures.parameters = round.size.parameters;
      figures.left =
          static_cast<double>(round.size.macs) / static_cast<double>(std::max<std::int64_t>(1, outcome.before.macs));
      if (!options_.channels) figures.left = weights_left(outcome, round);
      if (i < training_.rounds().size()) {
        figures.name = training_.rounds()[i].name;
        figures.accuracy = training_.rounds()[i].accuracy;
      }
      page.rounds.push_back(std::move(figures));
    }
    write_pruning_report(console_, outcome, arguments_, options_, graph_, std::move(page));
  }

  /// The share of all layers' weights that is not 0.
  static double weights_left(const prune::PruneOutcome& outcome, const prune::RoundOutcome& round) {
    double left = 0, all = 0;
    for (std::size_t i = 0; i < std::min(round.left.size(), outcome.layers.size()); ++i) {
      left += round.left[i] * static_cast<double>(outcome.layers[i].weights);
      all += static_cast<double>(outcome.layers[i].weights);
    }
    return all > 0 ? left / all : 1;
  }

  void open() {
    data_ = arguments_.training.open_data(graph_, console_.options);
    const auto indices = sample_indices(*data_.training, arguments_.samples, seed_);
    auto batches = calibration_data(graph_, data_.training, indices);
    inputs_.batches = {batches.num_batches, batches.batch};
    inputs_.gradients = [this](const Graph& graph) {
      constexpr std::int64_t batch_size = 16;
      const int threads = console_.options.threads > 0 ? static_cast<int>(console_.options.threads) : 0;
      return prune::training_gradients(graph, data_.training, arguments_.gradient_batches, batch_size, seed_,
                                       std::max(1, threads));
    };
  }

  prune::PruneOutcome pruned() {
    const bool trains = arguments_.penalty != "none" || arguments_.schedule == "gradual" ||
                        arguments_.schedule == "regrow" || arguments_.schedule == "lottery";
    if (trains && arguments_.training.epochs == 0)
      throw UsageError("this schedule trains", "give --data and --tune-epochs");
    if (arguments_.schedule == "gradual" || arguments_.schedule == "regrow") {
      Graph sparse = training_.sparse_training(graph_, options_, inputs_);
      return sparse_outcome(graph_, std::move(sparse), options_.skip, training_.rounds());
    }
    if (arguments_.schedule == "lottery") {
      Graph ticket = training_.lottery(graph_, options_);
      return sparse_outcome(graph_, std::move(ticket), options_.skip, training_.rounds());
    }
    if (!arguments_.max_drop.empty()) return prune_within_drop();
    Graph start = arguments_.penalty == "none" ? graph_ : training_.under_penalty(graph_);
    prune::PruneOutcome outcome = prune::prune(std::move(start), options_, inputs_, console_.progress());
    if (arguments_.widen > 0) widen(outcome);
    return outcome;
  }

  void widen(prune::PruneOutcome& outcome) {
    const auto macs = static_cast<std::int64_t>(arguments_.widen * static_cast<double>(outcome.before.macs));
    prune::Widened wide = prune::widened_to(outcome.graph, macs, 0.01, seed_);
    console_.line(cat("widened by ", fixed(wide.factor, 3)));
    outcome.graph = std::move(wide.graph);
    if (inputs_.tune) outcome.graph = inputs_.tune(outcome.graph, options_.rounds + 1);
    outcome.after = prune::size_of(outcome.graph);
  }

  ExitCode dry_run() {
    const prune::Groups groups = prune::find_groups(graph_);
    show_groups(console_, graph_, groups, prune::score_groups(graph_, groups, options_, inputs_, console_.progress()));
    return ExitCode::Done;
  }

  /// What is measured, by name and size.
  struct Measured {
    std::string name;
    std::int64_t size;
    std::vector<double> errors;
  };

  ExitCode show_sensitivity() {
    const std::vector<double> ratios = {0.1, 0.25, 0.5, 0.75, 0.9};
    if (options_.depth) throw UsageError("blocks and layers go whole", "adze prune --unit … says what each does");
    const std::vector<Measured> measured = options_.channels ? sensitive_groups(ratios) : sensitive_layers(ratios);
    Table table({options_.channels ? "group" : "layer", options_.channels ? "units" : "weights", "10 %", "25 %", "50 %",
                 "75 %", "90 %"},
                cat("Squared error of the outputs over their square when a share of one ",
                    options_.channels ? "group goes" : "layer's weights becomes 0"));
    for (const Measured& one : measured) {
      std::vector<std::string> row = {one.name, cat(one.size)};
      for (const double error : one.errors) row.push_back(fixed(error, 5));
      table.add_row(row);
      console_.results()["sensitivity"].push_back({{"group", one.name}, {"ratios", ratios}, {"errors", one.errors}});
    }
    console_.table(table);
    return ExitCode::Done;
  }

  std::vector<Measured> sensitive_layers(const std::vector<double>& ratios) {
    const std::vector<prune::Layer> layers = prune::weight_layers(graph_, options_.skip);
    const auto scores = prune::score_weights(graph_, layers, options_, inputs_, console_.progress());
    std::vector<Measured> result;
    for (const prune::GroupSensitivity& one : prune::measure_weight_sensitivity(
             graph_, layers, scores, options_.pattern, ratios, inputs_.batches, console_.progress())) {
      const prune::Layer& layer = layers[one.group];
      result.push_back({graph_.node(layer.node).name, layer.rows * layer.columns, one.errors});
    }
    return result;
  }

  std::vector<Measured> sensitive_groups(const std::vector<double>& ratios) {
    const prune::Groups groups = prune::find_groups(graph_);
    const auto scores = prune::score_groups(graph_, groups, options_, inputs_, console_.progress());
    std::vector<Measured> result;
    for (const prune::GroupSensitivity& one :
         prune::measure_sensitivity(graph_, groups, scores, ratios, inputs_.batches, console_.progress())) {
      const prune::Group& group = groups.groups[one.group];
      result.push_back({group.name, group.size, one.errors});
    }
    return result;
  }

  ExitCode measure_staircase() {
    const prune::Groups groups = prune::find_groups(graph_);
    const auto scores = prune::score_groups(graph_, groups, options_, inputs_, console_.progress());
    prune::StaircaseOptions staircase = options_.staircase;
    staircase.multiple = options_.limits.round_to;
    std::vector<std::string> names;
    for (const prune::Group& group : groups.groups) names.push_back(group.name);
    const auto measured =
        prune::measure_staircases(graph_, groups, scores, inputs_.cost, staircase, console_.progress());
    show_staircases(console_, names, measured, cost_unit(), arguments_.drawing);
    return ExitCode::Done;
  }

  std::string_view cost_unit() const { return arguments_.device.empty() ? "µs" : "instructions"; }

  void show_steps(const prune::PruneOutcome& outcome) {
    for (const std::string& text : outcome.refused) console_.line(cat("refused: ", text));
    console_.results()["refused"] = outcome.refused;
    if (!outcome.staircases.empty()) {
      std::vector<std::string> names;
      for (const prune::GroupOutcome& group : outcome.groups) names.push_back(group.name);
      show_staircases(console_, names, outcome.staircases, cost_unit(), arguments_.drawing);
    }
    if (outcome.cost_before <= 0) return;
    console_.line(cat(cost_unit(), ": ", fixed(outcome.cost_before, 0), " → ", fixed(outcome.cost_after, 0), " (",
                      fixed(100 * outcome.cost_after / outcome.cost_before, 1), " %)"));
    console_.results()["cost"] = {
        {"unit", cost_unit()}, {"before", outcome.cost_before}, {"after", outcome.cost_after}};
  }

  /// Shows what slices lost; says which lost more than it may.
  std::optional<std::string> slice_lost(const Graph& pruned) {
    const bool asked = !arguments_.slices.empty() || !arguments_.max_slice_drop.empty();
    if (!asked && !reports_accuracy()) return std::nullopt;
    slices_ = compared_slices(pruned);
    if (asked) show_slices(console_, *slices_, *data_.validation);
    if (arguments_.max_slice_drop.empty()) return std::nullopt;
    const SliceResult worst = slices_->worst();
    if (worst.drop() <= parse_fraction(arguments_.max_slice_drop, "--max-slice-drop")) return std::nullopt;
    return cat(worst.name, " lost ", fixed(100 * worst.drop(), 2), " points, more than ", arguments_.max_slice_drop);
  }

  SliceComparison compared_slices(const Graph& pruned) {
    if (!data_.validation) throw UsageError("slices are judged on validation data", "--data, --validation 0.1");
    if (!dense_) dense_ = judged(graph_);
    std::vector<SampleGroup> groups;
    if (!arguments_.slices.empty()) groups = read_sample_groups(arguments_.slices);
    pruned_ = judged(pruned);
    return compare_slices(*dense_, *pruned_, *data_.validation, groups);
  }

  EvaluateResult judged(const Graph& graph) {
    EvaluateOptions options;
    options.batch_size = batch_size_for(graph, 32);
    options.samples = arguments_.judge_samples;
    options.seed = seed_;
    EvaluateResult result = evaluate(make_runner(graph), *data_.validation, options, console_.progress());
    if (result.task != Task::Classification) throw UsageError("a limit on accuracy needs data with class labels");
    return result;
  }

  /// The largest of 32 ratios that costs no more accuracy than allowed, by halving.
  prune::PruneOutcome prune_within_drop() {
    if (!data_.validation) throw UsageError("--max-drop is judged on validation data", "--data, --validation 0.1");
    const double allowed = parse_fraction(arguments_.max_drop, "--max-drop");
    dense_ = judged(graph_);
    const double dense = dense_->top1;
    prune::PruneOptions options = options_;
    options.target_macs.reset();
    options.target_params.reset();
    options.target_latency.reset();
    options.ratio = 0;
    prune::PruneInputs untuned = inputs_;
    untuned.tune = {};
    prune::PruneOutcome best = prune::prune(graph_, options, untuned, console_.progress());
    double low = 0, high = options_.limits.max_ratio;
    for (int step = 0; step < 5; ++step) {
      options.ratio = (low + high) / 2;
      searching_ = options.ratio;
      prune::PruneOutcome candidate = prune::prune(graph_, options, inputs_, console_.progress());
      const double drop = dense - judged(candidate.graph).top1;
      tried_.emplace_back(options.ratio, dense - drop);
      console_.line(cat("ratio ", fixed(options.ratio, 3), ": ", fixed(100 * drop, 2), " points lost of ",
                        fixed(100 * dense, 2), " %"));
      console_.results()["tried"].push_back({{"ratio", options.ratio}, {"drop", drop}});
      const bool spares_slices =
          arguments_.max_slice_drop.empty() || compared_slices(candidate.graph).worst().drop() <=
                                                   parse_fraction(arguments_.max_slice_drop, "--max-slice-drop");
      if (drop <= allowed && spares_slices) {
        low = options.ratio;
        best = std::move(candidate);
      } else {
        high = options.ratio;
      }
    }
    searching_.reset();
    tried_.emplace_back(0, dense);
    console_.results()["ratio"] = low;
    return best;
  }

  Console& console_;
  const PruneArguments& arguments_;
  std::uint64_t seed_;
  Graph graph_;
  prune::PruneOptions options_;
  prune::PruneInputs inputs_;
  std::optional<EvaluateResult> dense_, pruned_;  ///< on validation data
  std::optional<SliceComparison> slices_;
  std::map<std::int64_t, PruningRoundFigures> rounds_;  ///< their accuracies
  std::optional<double> searching_;                     ///< the ratio that --max-drop tries now
  std::vector<std::pair<double, double>> tried_;        ///< by it: ratios and accuracies
  std::optional<bool> labelled_;
  TrainingData data_;
  PruneTraining training_{console_, arguments_, data_};
};

}  // namespace

Verb prune_verb() {
  return {"prune", "Remove channels, or zero weights, that matter least",
          "  adze prune model.onnx --dry-run\n"
          "  adze prune model.onnx -o small.onnx --ratio 0.3 --criterion l1\n"
          "  adze prune model.onnx -o small.onnx --target-macs 0.5 --criterion taylor --data cifar10 --reconstruct\n"
          "  adze prune model.onnx -o small.onnx --target-macs 0.5 --schedule iterative --rounds 5 --tune-epochs 3 \\\n"
          "    --data cifar10 --augment \"crop=4 flip\"\n"
          "  adze prune model.onnx -o sparse.onnx --unit 2:4 --surgeon --data cifar10\n"
          "  adze prune model.onnx -o small.onnx --max-drop 0.5% --max-slice-drop 3% --data cifar10\n"
          "  adze prune model.onnx -o small.onnx --target-latency 0.7 --on-steps --device cortex-m4\n"
          "  adze prune model.onnx -o sparse.onnx --unit weights --ratio 0.8 --schedule gradual --tune-epochs 5 --data "
          "cifar10\n"
          "  adze prune start.onnx -o ticket.onnx --unit weights --schedule lottery --rounds 10 --state rounds --data "
          "digits\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<PruneArguments>();
            arguments->training.epochs = 0;
            arguments->declare(options);
            return [arguments](Console& console) { return Pruning(console, *arguments).run(); };
          }};
}

}  // namespace adze::cli
