#include "cli/prune_training.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/data/batches.h"
#include "adze/prune/schedules.h"
#include "adze/prune/zeros.h"
#include "adze/recipe/model_files.h"
#include "adze/report/curves.h"
#include "adze/train/epoch_loader.h"
#include "adze/train/parameters.h"

namespace adze::cli {

namespace {

/// Batches to measure gradients on, by the step alone.
std::function<train::LearnBatch(std::int64_t)> batches_by_step(std::shared_ptr<const Dataset> dataset,
                                                               std::int64_t batch_size, std::uint64_t seed) {
  return [dataset = std::move(dataset), batch_size, seed](std::int64_t step) {
    Random random = Random(seed).split(static_cast<std::uint64_t>(step));
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < std::min(batch_size, dataset->size()); ++i) {
      indices.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(dataset->size()))));
    }
    BatchLoader loader(*dataset, indices, {.batch_size = batch_size, .prefetch = 0});
    const auto batch = loader.next();
    if (!batch) throw ModelError("the training data gives no samples");
    return train::learn_batch(*batch);
  };
}

double best_of(const std::vector<train::EpochResult>& epochs) {
  double best = 0;
  for (const auto& one : epochs) best = std::max(best, one.validation_accuracy);
  return best;
}

/// The first epoch with at least this validation accuracy; 0: none.
std::int64_t epoch_reaching(const std::vector<train::EpochResult>& epochs, double accuracy) {
  for (const auto& one : epochs) {
    if (one.validation_accuracy >= accuracy) return one.epoch;
  }
  return 0;
}

/// What decides the cuts, a line each.
std::string job_text(const PruneArguments& given, std::int64_t seed) {
  return cat("model ", given.model, " ", identify_model(given.model).sha256, "\nunit ", given.unit, "\ncriterion ",
             given.criterion, "\nnormalize ", given.normalization, "\nspread ", given.spread, "\nschedule ",
             given.schedule, "\nrounds ", given.num_rounds(), "\nratio ", given.ratio, "\ntarget-macs ",
             given.target_macs, "\ntarget-params ", given.target_params, "\ntarget-latency ", given.target_latency,
             "\non-steps ", given.on_steps, "\nmax-ratio ", given.max_ratio, "\nround-to ", given.round_to,
             "\nmin-units ", given.min_units, "\nchange-every ", given.change_every, "\npenalty ", given.penalty, " ",
             given.penalty_strength, " ", given.penalty_epochs, "\ntune-epochs ", given.training.epochs, "\ndistil ",
             given.distil, "\nmax-drop ", given.max_drop, "\ndata ", given.training.data.path, "\nskip ",
             join(given.skip, ","), "\nlayer-ratio ", join(given.layer_ratio, ","), "\nseed ", seed, "\n");
}

/// What is not 0 of each layer.
std::vector<double> shares_left(const Graph& graph, const std::vector<std::string>& skip) {
  std::vector<double> left;
  for (const prune::Layer& layer : prune::weight_layers(graph, skip)) left.push_back(1 - zero_share(graph, layer));
  return left;
}

/// Notes what is left of each layer where an epoch ends and the next begins.
train::StepHook shares_by_epoch(const Graph& graph, const std::vector<std::string>& skip, std::int64_t epochs,
                                std::map<std::int64_t, std::vector<double>>& left) {
  std::vector<std::string> names;
  for (const prune::Layer& layer : prune::weight_layers(graph, skip)) names.push_back(graph.value(layer.weight).name);
  return [names, epochs, &left](train::Learner& learner, std::int64_t step, std::int64_t steps) {
    const std::int64_t steps_an_epoch = steps / std::max<std::int64_t>(1, epochs);
    if (step == 0 || steps_an_epoch == 0 || step % steps_an_epoch != 0) return;
    std::vector<double>& shares = left[step / steps_an_epoch];
    shares.clear();
    for (const std::string& name : names) {
      const Tensor weights = learner.parameter(name);
      const auto data = weights.data<float>();
      const auto zeros = std::count(data.begin(), data.end(), 0.0F);
      shares.push_back(1 - static_cast<double>(zeros) / static_cast<double>(std::max<std::size_t>(1, data.size())));
    }
  };
}

}  // namespace

train::TrainOptions PruneTraining::train_options(std::int64_t seed_offset, const Graph* teacher) const {
  train::TrainOptions options =
      arguments_.training.trainer_options(console_.options, arguments_.model.starts_with("zoo:"));
  options.seed += static_cast<std::uint64_t>(seed_offset);
  if (teacher != nullptr && arguments_.distil) {
    options.learner.distill.teachers = {train::with_open_batch(*teacher)};
    train::DistillTerm term;
    term.temperature = arguments_.training.temperature;
    options.learner.distill.terms = {term};
  }
  return options;
}

void PruneTraining::open_state() const {
  if (arguments_.state.empty() || arguments_.schedule == "lottery") return;
  const std::filesystem::path folder = arguments_.state;
  std::filesystem::create_directories(folder);
  const std::string job = job_text(arguments_, console_.options.seed);
  const auto path = folder / "job.txt";
  if (!std::filesystem::exists(path)) return write_file(path, job);
  const auto wanted = split(job, '\n'), found = split(read_text_file(path), '\n');
  for (std::size_t i = 0; i < std::max(wanted.size(), found.size()); ++i) {
    const std::string now = i < wanted.size() ? wanted[i] : "nothing", was = i < found.size() ? found[i] : "nothing";
    if (now != was) {
      throw UsageError(cat(arguments_.state, " holds the trainings of another job: ", adze::quoted(was), " then, ",
                           adze::quoted(now), " now"),
                       "the same options, or another --state");
    }
  }
}

train::TrainResult PruneTraining::trained(const Graph& graph, train::TrainOptions options, const std::string& name,
                                          const train::StepHook& hook) const {
  if (!arguments_.state.empty()) {
    options.checkpoint = std::filesystem::path(arguments_.state) / (name + ".checkpoint");
    options.resume = std::filesystem::exists(options.checkpoint);
  }
  const auto run = [&] {
    return train::train(graph, data_.training, data_.validation, options, console_.progress(), hook);
  };
  try {
    try {
      return run();
    } catch (const UsageError& error) {
      // Cuts that go by measured time may fall elsewhere than in the run that was ended.
      if (!options.resume || error.message().find(": network is") == std::string::npos) throw;
      console_.remark(cat(name, " is trained anew: the cut before it is another now"));
      options.resume = false;
      return run();
    }
  } catch (const Interrupted&) {
    throw Interrupted(arguments_.state.empty()
                          ? "interrupted; nothing was written (with --state FOLDER the same command would go on)"
                          : cat("interrupted in ", name, "; the same command goes on from ", arguments_.state));
  }
}

void PruneTraining::note(const train::TrainResult& result, std::int64_t round, std::string_view what, bool last) {
  for (const train::EpochResult& epoch : result.epochs) {
    console_.results()["tuning"].push_back({{"round", round},
                                            {"epoch", epoch.epoch},
                                            {"loss", epoch.loss},
                                            {"validation_loss", epoch.validation_loss},
                                            {"validation_accuracy", epoch.validation_accuracy}});
  }
  const auto best = static_cast<std::size_t>(std::max<std::int64_t>(1, result.best_epoch) - 1);
  const train::EpochResult& kept = last ? result.epochs.back() : result.epochs.at(best);
  console_.line(cat(what, ": ", fixed(100 * kept.validation_accuracy, 2), " % on validation data after epoch ",
                    kept.epoch, " of ", result.epochs.size()));
}

Graph PruneTraining::tuned(const Graph& graph, const Graph& teacher, std::int64_t round, const std::string& name) {
  train::TrainOptions options = train_options(round, &teacher);
  options.learner.keep_zeros = arguments_.unit != "channels";
  train::TrainResult result = trained(graph, options, name);
  note(result, round, cat("round ", round));
  return std::move(result.graph);
}

Graph PruneTraining::under_penalty(const Graph& graph) {
  prune::Penalty penalty;
  using Kind = prune::Penalty::Kind;
  penalty.kind = arguments_.penalty == "groups"    ? Kind::Groups
                 : arguments_.penalty == "growing" ? Kind::Growing
                 : arguments_.penalty == "cost"    ? Kind::Cost
                                                   : Kind::Scales;
  const double usual = penalty.kind == Kind::Growing ? 10 : 0.01;
  penalty.strength = arguments_.penalty_strength > 0 ? arguments_.penalty_strength : usual;
  penalty.ratio = arguments_.ratio >= 0 ? arguments_.ratio : 0.5;
  train::TrainOptions options = train_options(0);
  if (arguments_.penalty_epochs > 0) options.epochs = arguments_.penalty_epochs;
  options.keep_best = false;  // the last epoch has been pulled at longest
  const auto rate = [schedule = options.schedule, epochs = static_cast<double>(options.epochs)](std::int64_t step,
                                                                                                std::int64_t steps) {
    return train::learning_rate_at(schedule, epochs * static_cast<double>(step) / static_cast<double>(steps), epochs);
  };
  train::TrainResult result = trained(graph, options, "penalty", prune::penalty_hook(graph, penalty, rate));
  note(result, 0, cat("with the penalty on ", arguments_.penalty), true);
  return std::move(result.graph);
}

Graph PruneTraining::sparse_training(const Graph& graph, const prune::PruneOptions& pruning,
                                     const prune::PruneInputs& inputs) {
  train::TrainOptions options = train_options(0, &graph);
  prune::RegrowSchedule schedule;
  schedule.pattern = pruning.pattern;
  schedule.ratio = pruning.ratio;
  schedule.max_ratio = pruning.limits.max_ratio;
  schedule.by_layer = pruning.spread == prune::Spread::ByGroup;
  schedule.interval = arguments_.change_every;
  schedule.skip = pruning.skip;
  schedule.seed = pruning.seed;
  schedule.batch = batches_by_step(data_.training, options.batch_size, pruning.seed);
  const bool regrow = arguments_.schedule == "regrow";
  if (!arguments_.goes_by_magnitude()) {
    schedule.scores = [&](const Graph& now, const std::vector<prune::Layer>& layers) {
      return prune::score_weights(now, layers, pruning, inputs);
    };
  }
  if (regrow && pruning.pattern.kind != prune::Pattern::Kind::Weights) {
    throw UsageError("--schedule regrow moves single weights", "--unit weights");
  }
  options.keep_best = false;  // earlier epochs have fewer zeros
  const train::StepHook changing = regrow ? prune::regrow_hook(graph, schedule) : prune::gradual_hook(graph, schedule);
  std::map<std::int64_t, std::vector<double>> left;
  train::TrainResult result =
      trained(graph, options, arguments_.schedule,
              prune::both(shares_by_epoch(graph, pruning.skip, options.epochs, left), changing));
  note(result, 0, arguments_.schedule, true);
  left[options.epochs] = shares_left(result.graph, pruning.skip);
  for (const train::EpochResult& epoch : result.epochs) {
    if (!left.contains(epoch.epoch)) continue;  // of a run that was ended and gone on with
    rounds_.push_back({cat("epoch ", epoch.epoch), left[epoch.epoch], epoch.validation_accuracy});
  }
  return std::move(result.graph);
}

Graph PruneTraining::lottery(const Graph& graph, const prune::PruneOptions& pruning) {
  prune::LotteryOptions options;
  options.ratio = arguments_.ratio >= 0 ? arguments_.ratio : 0.2;
  options.rounds = arguments_.num_rounds();
  options.rewind = arguments_.rewind / static_cast<double>(std::max<std::int64_t>(1, arguments_.training.epochs));
  options.by_layer = pruning.spread != prune::Spread::Global;
  options.max_ratio = pruning.limits.max_ratio;
  options.control = arguments_.control;
  options.pattern = pruning.pattern;
  options.skip = pruning.skip;
  options.seed = pruning.seed;
  options.folder = arguments_.state;
  const prune::LotteryTrainer trainer = [&](const Graph& start, const train::StepHook& hook, std::int64_t round,
                                            bool control) {
    const std::string name = cat(control ? "control-" : "round-", round < 10 ? "0" : "", round);
    train::TrainResult result = trained(start, train_options(0), name, hook);
    note(result, round, cat("round ", round, control ? ", shuffled weights" : ""));
    return result;
  };
  prune::LotteryOutcome outcome = prune::find_ticket(graph, options, trainer, console_.progress());
  const double reached = 0.95 * best_of(outcome.rounds.at(0).epochs);
  Table table({"round", "weights left", "start", "best validation", cat("epochs to ", fixed(100 * reached, 2), " %")},
              "Tickets; epochs until 95 % of the dense network's best");
  Curve best{"tickets", {}, false, false}, shuffled{"shuffled weights", {}, false, true};
  Curve speed = best, shuffled_speed = shuffled;
  for (const prune::LotteryRound& round : outcome.rounds) {
    const double accuracy = best_of(round.epochs);
    const std::int64_t epoch = epoch_reaching(round.epochs, reached);
    table.add_row({cat(round.round), cat(fixed(100 * round.left, 2), " %"), round.control ? "shuffled" : "first",
                   cat(fixed(100 * accuracy, 2), " %"), epoch > 0 ? cat(epoch) : "never"});
    console_.results()["lottery"].push_back({{"round", round.round},
                                             {"control", round.control},
                                             {"left", round.left},
                                             {"layers", round.layers},
                                             {"best_validation", accuracy},
                                             {"epochs_to_95_percent", epoch}});
    if (!round.control && round.round > 0) {
      rounds_.push_back({cat("round ", round.round), round.layers, accuracy});
    }
    (round.control ? shuffled : best).points.emplace_back(100 * round.left, 100 * accuracy);
    if (epoch > 0) {
      (round.control ? shuffled_speed : speed).points.emplace_back(100 * round.left, static_cast<double>(epoch));
    }
  }
  console_.table(table);
  CurveDrawing drawing{"Best validation accuracy", "% of weights left", "%", true, true};
  pictures_.push_back({"Tickets", curves_svg({best, shuffled}, drawing)});
  drawing.title = "Epochs until 95 % of the dense network's best";
  drawing.y = "epochs";
  pictures_.push_back({"Speed of tickets", curves_svg({speed, shuffled_speed}, drawing)});
  return std::move(outcome.trained);
}

prune::PruneOutcome sparse_outcome(const Graph& before, Graph after, const std::vector<std::string>& skip,
                                   const std::vector<TrainedRound>& rounds) {
  prune::PruneOutcome outcome;
  prune::note_zeros(after);
  outcome.before = prune::size_of(before);
  outcome.after = prune::size_of(after);
  for (const TrainedRound& one : rounds) outcome.rounds.push_back({0, outcome.after, one.left});
  for (const prune::Layer& layer : prune::weight_layers(after, skip)) {
    const std::int64_t weights = layer.rows * layer.columns;
    const double zeros = prune::zero_share(after, layer);
    outcome.layers.push_back(
        {prune::layer_name(after, layer), weights, std::llround(zeros * static_cast<double>(weights))});
  }
  outcome.graph = std::move(after);
  return outcome;
}

}  // namespace adze::cli
