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
#include "adze/prune/widen.h"
#include "adze/prune/zeros.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/slim.h"
#include "cli/model_zeros.h"
#include "cli/prune_cost.h"
#include "cli/prune_judge.h"
#include "cli/prune_report.h"
#include "cli/prune_sensitivity.h"
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
    if (arguments_.training.epochs > 0 || judge_.reports_accuracy()) {
      inputs_.tune = [this](const Graph& graph, std::int64_t round) { return after_cut(graph, round); };
    }
  }

  ExitCode run() {
    if (arguments_.dry_run) return dry_run();
    if (arguments_.sensitivity) return show_sensitivity(console_, graph_, options_, inputs_);
    if (arguments_.staircase) return measure_staircase();
    if (arguments_.output.empty()) throw UsageError("say where to write the pruned network", "-o pruned.onnx");
    console_.check_output(arguments_.output);
    check_format(arguments_.output);
    if (!arguments_.report.empty()) console_.check_output(arguments_.report);
    const prune::PruneOutcome outcome = pruned();
    if (!arguments_.max_drop.empty() && nothing_went(outcome)) return refuse_all(outcome);
    const Graph result = finished(outcome.graph, arguments_, console_);
    if (const auto lost = judge_.slice_lost(outcome.graph)) return refuse(outcome, *lost);
    save_model(result, arguments_.output, {21, false, arguments_.sparse});
    console_.model("input", arguments_.model);
    console_.model("output", arguments_.output);
    show_pruning(console_, outcome, options_);
    show_steps(outcome);
    show_zeros(console_, result);
    if (arguments_.sparse) show_sparse_initializers(console_, result);
    if (options_.channels && !options_.depth && nothing_went(outcome)) {
      console_.line("nothing went: a larger --ratio, a lower --min-units or --round-to, or fewer --skip");
    }
    tell_of_limit(outcome);
    ModelFigures before = model_figures(graph_, "before", arguments_.model);
    ModelFigures after = model_figures(result, "after", arguments_.output);
    show_speed(console_, graph_, result,
               options_.channels ? std::nullopt : std::optional<prune::Pattern>(options_.pattern), before, after);
    if (!options_.channels) add_sparse_sizes(result, before, after);
    judge_.add_accuracies(before, after);
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

  /// Judges and trains what a round cut.
  Graph after_cut(const Graph& graph, std::int64_t round) {
    const bool reports = judge_.reports_accuracy();
    if (reports) rounds_[round].cut = judge_.judged(graph).top1;
    if (arguments_.training.epochs == 0) return graph;
    const auto& ratio = judge_.searching();
    const std::string name = ratio ? cat("ratio-", fixed(*ratio, 4)) : cat("round-", round);
    Graph tuned = training_.tuned(graph, graph_, round, name);
    if (reports) rounds_[round].accuracy = judge_.judged(tuned).top1;
    return tuned;
  }

  /// refusal: why nothing but the page is written.
  void write_report(const prune::PruneOutcome& outcome, const ModelFigures& before, const ModelFigures& after,
                    const std::string& refusal = {}) {
    PruningPage page;
    page.refusal = refusal;
    page.before = before;
    page.after = after;
    page.pictures = training_.pictures();
    page.tried = judge_.tried();
    page.slices = judge_.slices();
    if (data_.validation) page.class_names = data_.validation->class_names();
    page.rounds = round_figures(outcome, options_, rounds_, training_.rounds());
    write_pruning_report(console_, outcome, arguments_, options_, graph_, std::move(page));
  }

  /// Says why nothing is written; the page shows what was refused.
  ExitCode refuse(const prune::PruneOutcome& outcome, const std::string& why) {
    console_.model("input", arguments_.model);
    show_pruning(console_, outcome, options_);
    console_.line(cat("refused, no network is written: ", why));
    console_.results()["refusal"] = why;
    if (arguments_.report.empty()) return ExitCode::GoalMissed;
    ModelFigures before = model_figures(graph_, "before", arguments_.model);
    ModelFigures after = model_figures(finished(outcome.graph, arguments_, console_), "refused", {});
    before.file_bytes = 0;  // there is no second file to compare it with
    if (!options_.channels) {
      before.sparse_bytes = sparse_bytes(graph_);
      after.sparse_bytes = sparse_bytes(outcome.graph);
    }
    judge_.add_accuracies(before, after);
    write_report(outcome, before, after, why);
    return ExitCode::GoalMissed;
  }

  /// Where no ratio keeps within --max-drop: the smallest that was tried shows why.
  ExitCode refuse_all(const prune::PruneOutcome& uncut) {
    const prune::PruneOutcome& smallest = judge_.refused() ? judge_.refused()->outcome : uncut;
    judge_.slice_lost(smallest.graph);
    return refuse(smallest, judge_.why_nothing());
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
    if (!arguments_.max_drop.empty()) return judge_.prune_within_drop(options_, inputs_);
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

  Console& console_;
  const PruneArguments& arguments_;
  std::uint64_t seed_;
  Graph graph_;
  prune::PruneOptions options_;
  prune::PruneInputs inputs_;
  std::map<std::int64_t, PruningRoundFigures> rounds_;  ///< their accuracies
  TrainingData data_;
  PruneTraining training_{console_, arguments_, data_};
  PruneJudge judge_{console_, arguments_, data_, graph_};
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
