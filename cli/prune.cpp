#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/encode/sparse.h"
#include "adze/prune/float_weights.h"
#include "adze/prune/gradients.h"
#include "adze/prune/sensitivity.h"
#include "adze/prune/widen.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/slim.h"
#include "cli/prune_cost.h"
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
  // Training leaves -0, whose bits are not all 0: it would be stored as a value.
  for (const prune::Layer& layer : prune::weight_layers(graph)) {
    std::vector<float> weights = prune::weight_matrix(graph, layer);
    for (float& weight : weights) {
      if (weight == 0) weight = 0;
    }
    prune::set_weight_matrix(graph, layer, weights);
  }
  if (arguments.no_slim || arguments.keep_batch_norms) return graph;
  return slim(std::move(graph), {}, console.progress()).graph;
}

class Pruning {
 public:
  Pruning(Console& console, const PruneArguments& arguments)
      : console_(console), arguments_(arguments), seed_(static_cast<std::uint64_t>(console.options.seed)) {
    graph_ = prepared(arguments_, console_);
    options_ = arguments_.prune_options(seed_);
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
    const bool tunes = arguments_.training.epochs > 0;
    if (tunes && !data_.training) throw UsageError("--tune-epochs trains", "give --data");
    if (tunes) {
      inputs_.tune = [this](const Graph& graph, std::int64_t round) { return training_.tuned(graph, graph_, round); };
    }
  }

  ExitCode run() {
    if (arguments_.dry_run) return dry_run();
    if (arguments_.sensitivity) return show_sensitivity();
    if (arguments_.staircase) return measure_staircase();
    if (arguments_.output.empty()) throw UsageError("say where to write the pruned network", "-o pruned.onnx");
    console_.check_output(arguments_.output);
    if (!arguments_.report.empty()) console_.check_output(arguments_.report);
    const prune::PruneOutcome outcome = pruned();
    const Graph result = finished(outcome.graph, arguments_, console_);
    if (const auto lost = slice_lost(outcome.graph)) {
      show_pruning(console_, outcome, options_);
      console_.line(cat("nothing is written: ", *lost));
      return ExitCode::GoalMissed;
    }
    save_model(result, arguments_.output, {21, false, arguments_.sparse});
    if (!options_.channels) show_sparse_size(result);
    console_.model("input", arguments_.model);
    console_.model("output", arguments_.output);
    show_pruning(console_, outcome, options_);
    show_steps(outcome);
    tell_of_limit(outcome);
    ModelFigures before = model_figures(graph_, "before", arguments_.model);
    ModelFigures after = model_figures(result, "after", arguments_.output);
    show_speed(console_, graph_, result,
               options_.channels ? std::nullopt : std::optional<prune::Pattern>(options_.pattern), before, after);
    console_.table(before_after_table(before, after));
    if (!arguments_.report.empty()) {
      write_pruning_report(console_, outcome, arguments_, graph_, result,
                           training_.pictures(outcome, dense_ ? dense_->top1 : 0));
    }
    console_.line(cat("next: adze evaluate ", arguments_.output, " --data …; adze bench ", arguments_.output));
    return ExitCode::Done;
  }

 private:
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

  /// What the weights take when zeros are told by bits or runs.
  void show_sparse_size(const Graph& graph) {
    std::int64_t dense = 0, compact = 0;
    for (const prune::Layer& layer : prune::weight_layers(graph)) {
      dense += graph.constant(layer.weight)->num_bytes();
      compact += encode::sparse_size(*graph.constant(layer.weight)).bytes;
    }
    console_.line(cat("weights of layers: ", bytes_text(dense), " dense, ", bytes_text(compact),
                      " with zeros as bits or runs",
                      arguments_.sparse ? "" : " (--sparse writes sparse initializers)"));
    console_.results()["sparse_bytes"] = compact;
    console_.results()["dense_bytes"] = dense;
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
    if (trains && !inputs_.tune) throw UsageError("this schedule trains", "give --data and --tune-epochs");
    if (arguments_.schedule == "gradual" || arguments_.schedule == "regrow") {
      return sparse_outcome(graph_, training_.sparse_training(graph_, options_, inputs_), options_.skip);
    }
    if (arguments_.schedule == "lottery") {
      return sparse_outcome(graph_, training_.lottery(graph_, options_), options_.skip);
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
    if (arguments_.slices.empty() && arguments_.max_slice_drop.empty()) return std::nullopt;
    const SliceComparison comparison = compared_slices(pruned);
    show_slices(console_, comparison, *data_.validation);
    if (arguments_.max_slice_drop.empty()) return std::nullopt;
    const SliceResult worst = comparison.worst();
    if (worst.drop() <= parse_fraction(arguments_.max_slice_drop, "--max-slice-drop")) return std::nullopt;
    return cat(worst.name, " lost ", fixed(100 * worst.drop(), 2), " points, more than ", arguments_.max_slice_drop);
  }

  SliceComparison compared_slices(const Graph& pruned) {
    if (!data_.validation) throw UsageError("slices are judged on validation data", "--data, --validation 0.1");
    if (!dense_) dense_ = judged(graph_);
    std::vector<SampleGroup> groups;
    if (!arguments_.slices.empty()) groups = read_sample_groups(arguments_.slices);
    return compare_slices(*dense_, judged(pruned), *data_.validation, groups);
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
      prune::PruneOutcome candidate = prune::prune(graph_, options, inputs_, console_.progress());
      const double drop = dense - judged(candidate.graph).top1;
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
    console_.results()["ratio"] = low;
    return best;
  }

  Console& console_;
  const PruneArguments& arguments_;
  std::uint64_t seed_;
  Graph graph_;
  prune::PruneOptions options_;
  prune::PruneInputs inputs_;
  std::optional<EvaluateResult> dense_;  ///< on validation data
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
