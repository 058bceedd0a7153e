#include "adze/evaluate/compare.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/evaluate/perplexity.h"
#include "adze/recipe/model_files.h"
#include "adze/recipe/runner.h"
#include "cli/data_options.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string a, b;
  DataOptions data;
  std::int64_t layer_samples = 64;
  std::string max_drop;
};

Json finite(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json result_json(const CompareResult& result) {
  Json json = {{"top1_a", result.a.top1},
               {"top1_b", result.b.top1},
               {"samples", result.samples},
               {"agreement", result.agreement},
               {"agreement_interval", {result.agreement_interval.low, result.agreement_interval.high}},
               {"only_a_correct", result.only_a},
               {"only_b_correct", result.only_b},
               {"p_value", result.p_value},
               {"p_value_exact", result.mcnemar.exact_p},
               {"difference", result.difference},
               {"difference_interval", {result.difference_interval.low, result.difference_interval.high}},
               {"output_sqnr_db", finite(result.output_sqnr_db)},
               {"output_max_abs_error", result.output_max_abs_error},
               {"output_kl", result.output_kl}};
  Json layers = Json::array();
  for (const LayerError& layer : result.layers) {
    layers.push_back({{"name", layer.name},
                      {"sqnr_db", finite(layer.sqnr_db)},
                      {"max_abs_error", layer.max_abs_error},
                      {"mean_abs_error", layer.mean_abs_error}});
  }
  json["layers"] = std::move(layers);
  return json;
}

std::string shown_p_value(double p) {
  constexpr double least_shown = 0.0001;
  return p < least_shown ? cat("< ", fixed(least_shown, 4)) : fixed(p, 4);
}

void print_result(Console& console, const CompareResult& result) {
  const auto accuracy = [](const EvaluateResult& one) {
    return cat(fixed(100 * one.top1, 2), " % (", fixed(100 * one.interval.low, 2), " – ",
               fixed(100 * one.interval.high, 2), ")");
  };
  Table table({"", "value"});
  table.add_row({"top-1 of A", accuracy(result.a)});
  table.add_row({"top-1 of B", accuracy(result.b)});
  table.add_row({"difference, points (95 %)",
                 cat(fixed(100 * result.difference, 2), " (", fixed(100 * result.difference_interval.low, 2), " … ",
                     fixed(100 * result.difference_interval.high, 2), ")")});
  table.add_row({"agreement", cat(fixed(100 * result.agreement, 2), " %")});
  table.add_row({"only A correct", cat(result.only_a)});
  table.add_row({"only B correct", cat(result.only_b)});
  table.add_row({"p-value (McNemar, mid-p)", shown_p_value(result.p_value)});
  table.add_row({"output SQNR", cat(fixed(result.output_sqnr_db, 1), " dB")});
  table.add_row({"output KL divergence", cat(static_cast<float>(result.output_kl), " nats")});
  table.add_row({"samples", cat(result.samples)});
  console.table(table);
  if (result.layers.empty()) return;
  Table layers({"value", "SQNR dB", "mean |error|", "max |error|"}, "Error of B against A, by layer");
  for (const LayerError& layer : result.layers) {
    layers.add_row({shortened(layer.name, 48), std::isfinite(layer.sqnr_db) ? fixed(layer.sqnr_db, 1) : "-",
                    cat(static_cast<float>(layer.mean_abs_error)), cat(static_cast<float>(layer.max_abs_error))});
  }
  console.line("");
  console.table(layers);
}

ExitCode compare_on_text(Console& console, const Arguments& arguments, const Graph& a, const Graph& b,
                         const Dataset& data_a, const Dataset& data_b, const EvaluateOptions& options) {
  const PerplexityComparison result =
      compare_perplexity(make_runner(a), make_runner(b), data_a, data_b, options, console.progress());
  console.model("a", arguments.a);
  console.model("b", arguments.b);
  console.results() = {{"perplexity_a", result.a.perplexity},
                       {"perplexity_b", result.b.perplexity},
                       {"ratio", result.ratio},
                       {"ratio_interval", {result.interval.low, result.interval.high}},
                       {"p_value", result.p_value},
                       {"tokens", result.a.tokens}};
  Table table({"", "value"});
  const auto shown = [](const PerplexityResult& one) {
    return cat(fixed(one.perplexity, 4), " ± ", fixed(one.perplexity_error, 4));
  };
  const auto change = [](double ratio) { return cat(fixed(100 * (ratio - 1), 2), " %"); };
  table.add_row({"perplexity of A", shown(result.a)});
  table.add_row({"perplexity of B", shown(result.b)});
  table.add_row({"B against A (95 %)", cat(change(result.ratio), " (", change(result.interval.low), " … ",
                                           change(result.interval.high), ")")});
  table.add_row({"p-value (paired, by blocks of text)", shown_p_value(result.p_value)});
  table.add_row({"tokens", cat(result.a.tokens)});
  console.table(table);
  return ExitCode::Done;
}

ExitCode run_compare(Console& console, const Arguments& arguments) {
  const double max_drop = arguments.max_drop.empty() ? 1.0 : parse_fraction(arguments.max_drop, "--max-drop");
  const Graph a = load_model(arguments.a), b = load_model(arguments.b);
  const auto data_a = open_data(a, arguments.data.request());
  const auto data_b = open_data(b, arguments.data.request());
  CompareOptions options;
  options.evaluate = arguments.data.evaluate_options(a, console.options);
  options.evaluate.batch_size = std::min(options.evaluate.batch_size, batch_size_for(b, options.evaluate.batch_size));
  options.layer_samples = arguments.layer_samples;
  if (is_language_data(*data_a)) {
    return compare_on_text(console, arguments, a, b, *data_a, *data_b, options.evaluate);
  }
  CompareResult result = compare(make_runner(a), make_runner(b), *data_a, *data_b, options, console.progress());
  if (arguments.layer_samples > 0) {
    result.layers =
        compare_layers(make_observed_runner(a), make_observed_runner(b), *data_a, *data_b, options, console.progress());
  }
  console.model("a", arguments.a);
  console.model("b", arguments.b);
  console.results() = result_json(result);
  print_result(console, result);
  remark_skipped(console, result.a.skipped);
  if (-result.difference > max_drop) {
    console.remark(cat("goal missed: B loses ", fixed(-100 * result.difference, 2), " points, allowed ",
                       fixed(100 * max_drop, 2)));
    return ExitCode::GoalMissed;
  }
  return ExitCode::Done;
}

}  // namespace

Verb compare_verb() {
  return {"compare", "Compare two models on the same data: accuracy, agreement, paired test, error by layer",
          "  adze compare model.onnx model-int8.onnx --data cifar10/test\n"
          "  adze compare a.onnx b.onnx --data cifar10/test --max-drop 1%     exit code 5 when B loses more\n"
          "  adze compare a.onnx b.onnx --data cifar10/test --layer-samples 0\n"
          "  adze compare gpt.onnx gpt-int4.onnx --data shakespeare.txt --split test     perplexities, paired\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->a, "A", "Model file: the one to compare with");
            options.positional(arguments->b, "B", "Model file: the one in question");
            arguments->data.declare(options, "-d,--data",
                                    "Folder or archive of pictures by class, CIFAR, IDX, NPY/NPZ, CSV",
                                    Options::Need::Required);
            options.option(arguments->data.samples, "--samples", "Use so many samples, chosen with the seed; 0 = all");
            options.option(arguments->data.batch, "--batch", "Samples in one run, where the models allow it");
            options.option(arguments->layer_samples, "--layer-samples",
                           "Samples for the error by layer; 0 = leave it out");
            options.option(arguments->max_drop, "--max-drop", "Fail (exit code 5) when B loses more top-1, such as 1%");
            return [arguments](Console& console) { return run_compare(console, *arguments); };
          }};
}

}  // namespace adze::cli
