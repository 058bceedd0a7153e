#include <nlohmann/json.hpp>

#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/engine/peaks.h"
#include "adze/evaluate/latency.h"
#include "adze/recipe/figures.h"
#include "adze/recipe/model_files.h"
#include "adze/report/report.h"
#include "cli/data_options.h"
#include "cli/device_run.h"
#include "cli/golden_runs.h"
#include "cli/peaks_json.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model, against;
  double time_budget = 3.0;
  std::string isa, compute = "f32";
  std::string weight_file;
  std::string tune = "off";
  std::string tune_file;
  std::string device, optimize = "speed", rounding = "tflm";
  std::vector<std::string> shapes;
  bool per_layer = false;
  bool samples = false;
  bool integer_io = false;
  bool int8_inputs = false;
};

/// What one call costs at least, by the machine's peaks, and what it took.
struct Bounds {
  double seconds = 0;  ///< of the fastest call
  double compute_seconds = 0, memory_seconds = 0;

  Bounds(const StepInfo& step, const MachinePeaks& peaks, Isa isa) {
    seconds = step.least_seconds;
    const bool rounds = step.kernel.starts_with("dense_bf16");
    const double macs = peaks.macs_per_second(rounds ? DType::BF16 : step.dtype, isa);
    const double bytes = peaks.bytes_per_second(step.bytes);
    if (macs > 0) compute_seconds = static_cast<double>(step.macs) / macs;
    if (bytes > 0) memory_seconds = static_cast<double>(step.bytes) / bytes;
  }
  double share_of_peak() const { return seconds > 0 ? std::max(compute_seconds, memory_seconds) / seconds : 0; }
  /// The nearer of the two limits; "kernel" when the time is far from both.
  const char* bound() const {
    constexpr double near = 0.3;
    if (share_of_peak() < near) return "kernel";
    return compute_seconds >= memory_seconds ? "compute" : "memory";
  }
};

std::string rate(double per_second) {
  return per_second > 0 ? fixed(per_second / 1e9, 1) : "";
}

Table layer_table(const LatencyResult& result, const MachinePeaks& peaks, Isa isa) {
  double total = 0;
  for (const StepInfo& step : result.steps) total += step.least_seconds;
  Table table({"layer", "operator", "kernel", "min µs", "share", "GMAC/s", "GB/s", "of peak", "bound by"});
  for (const StepInfo& step : result.steps) {
    const Bounds bounds(step, peaks, isa);
    const double per_second = bounds.seconds > 0 ? 1 / bounds.seconds : 0;
    const bool moves = step.bytes > 0;
    table.add_row({shortened(step.name, 40), step.op, step.kernel, fixed(1e6 * bounds.seconds, 2),
                   cat(fixed(total > 0 ? 100 * step.least_seconds / total : 0, 1), " %"),
                   rate(static_cast<double>(step.macs) * per_second),
                   rate(static_cast<double>(step.bytes) * per_second),
                   moves ? cat(fixed(100 * bounds.share_of_peak(), 0), " %") : "", moves ? bounds.bound() : ""});
  }
  return table;
}

Json result_json(const LatencyResult& result, bool with_samples) {
  Json json = {{"p50_us", result.p50_us},
               {"p90_us", result.p90_us},
               {"p99_us", result.p99_us},
               {"p999_us", result.p999_us},
               {"min_us", result.min_us},
               {"mean_us", result.mean_us},
               {"runs", result.runs},
               {"threads", result.threads},
               {"isa", result.isa},
               {"noisy", result.noisy},
               {"arena_bytes", result.arena_bytes},
               {"packed_weight_bytes", result.packed_weight_bytes},
               {"creation_ms", result.creation_ms},
               {"peak_memory_bytes", result.peak_memory_bytes}};
  if (with_samples) json["samples_us"] = result.samples_us;
  if (result.steps.empty()) return json;
  Json layers = Json::array();
  for (const StepInfo& step : result.steps) {
    layers.push_back({{"name", step.name},
                      {"op", step.op},
                      {"kernel", step.kernel},
                      {"us", 1e6 * step.seconds / static_cast<double>(std::max<std::int64_t>(1, step.calls))},
                      {"min_us", 1e6 * step.least_seconds},
                      {"macs", step.macs},
                      {"bytes", step.bytes}});
  }
  json["layers"] = std::move(layers);
  return json;
}

Tune tune_from(const std::string& name) {
  if (name == "off") return Tune::Off;
  if (name == "fast") return Tune::Fast;
  if (name == "full") return Tune::Full;
  throw UsageError(cat("--tune ", adze::quoted(name), " is not known"), "off, fast or full");
}

/// Instructions, memory and bytes on an emulated device instead of time on this machine.
ExitCode run_device_bench(Console& console, const Arguments& arguments) {
  Graph graph = emittable(load_model(arguments.model), true, arguments.integer_io);
  if (arguments.rounding != "model") graph.metadata["adze.rounding"] = arguments.rounding;
  emit::EmitOptions options;
  options.optimize = optimize_from(arguments.optimize);
  options.golden = golden_runs(graph, 2, console.options.seed);
  const DeviceRun run = run_on_device(graph, options, device::load_profile(arguments.device));
  if (!run.emulation.available) throw UnsupportedError(run.emulation.why_not);
  console.model("model", arguments.model);
  show_device_run(console, run);
  console.remark(
      "instructions are counted under emulation, not cycles; cycles, time and energy are a model's estimate");
  return run.bytes_equal ? ExitCode::Done : ExitCode::GoalMissed;
}

/// Two models by turns.
ExitCode run_paired_bench(Console& console, const Arguments& arguments, const LatencyOptions& options) {
  const PairedLatency paired =
      measure_paired_latency(load_model(arguments.against), load_model(arguments.model), options, console.progress());
  console.model("model", arguments.model);
  console.model("against", arguments.against);
  console.results() = {{"model", result_json(paired.second, arguments.samples)},
                       {"against", result_json(paired.first, arguments.samples)},
                       {"speedup", paired.speedup},
                       {"speedup_low", paired.speedup_low},
                       {"speedup_high", paired.speedup_high}};
  Table table({"model", "p50", "p90", "min", "runs", "threads", "isa", "arena", "packed weights"});
  for (const auto& [name, result] : {std::pair(arguments.against, paired.first), {arguments.model, paired.second}}) {
    table.add_row({name, latency_text(result.p50_us), latency_text(result.p90_us), latency_text(result.min_us),
                   cat(result.runs), cat(result.threads), result.isa, bytes_text(result.arena_bytes),
                   bytes_text(result.packed_weight_bytes)});
  }
  console.table(table);
  console.line(speedup_text(paired));
  return ExitCode::Done;
}

LatencyOptions latency_options(const Console& console, const Arguments& arguments) {
  LatencyOptions options;
  options.seconds = arguments.time_budget;
  options.seed = static_cast<std::uint64_t>(console.options.seed);
  options.threads = console.options.threads > 0 ? static_cast<int>(console.options.threads) : 1;
  options.isa = arguments.isa;
  options.compute = compute_from_name(arguments.compute);
  options.input_shapes = parse_shapes(arguments.shapes);
  options.per_layer = arguments.per_layer;
  options.weight_file = arguments.weight_file;
  options.tune = tune_from(arguments.tune);
  options.tune_file = arguments.tune_file;
  if (arguments.int8_inputs) options.low_bit_inputs = LowBitInputs::Int8;
  return options;
}

ExitCode run_bench(Console& console, const Arguments& arguments) {
  if (!arguments.device.empty() && arguments.device != "host") return run_device_bench(console, arguments);
  const LatencyOptions options = latency_options(console, arguments);
  if (!arguments.against.empty() && arguments.per_layer) {
    throw UsageError("--against compares whole networks", "adze bench --per-layer, for each");
  }
  if (!arguments.against.empty()) return run_paired_bench(console, arguments, options);
  const auto read = [&] { return load_model(arguments.model); };
  const LatencyResult result = is_zoo_model(arguments.model)
                                   ? measure_latency(read(), options, console.progress())
                                   : measure_latency(arguments.model, read, options, console.progress());
  console.model("model", arguments.model);
  console.results() = result_json(result, arguments.samples);
  Table table({"model", "p50", "p90", "p99", "p99.9", "min", "runs", "threads", "isa"});
  table.add_row({arguments.model, latency_text(result.p50_us), latency_text(result.p90_us), latency_text(result.p99_us),
                 latency_text(result.p999_us), latency_text(result.min_us), cat(result.runs), cat(result.threads),
                 result.isa});
  console.table(table);
  console.line(cat("session ready in ", fixed(result.creation_ms, 1), " ms, packed weights ",
                   bytes_text(result.packed_weight_bytes), ", arena ", bytes_text(result.arena_bytes),
                   result.peak_memory_bytes > 0 ? cat(", peak memory ", bytes_text(result.peak_memory_bytes)) : ""));
  if (arguments.per_layer) {
    const MachinePeaks peaks = measure_peaks();
    console.results()["peaks"] = peaks_json(peaks);
    console.line("");
    console.table(layer_table(result, peaks, choose_isa(arguments.isa)));
    console.remark("of peak: the larger of MAC/s and bytes/s against what this core can do (adze doctor --peaks)");
  }
  if (const AmxState amx = amx_state(); amx.present && !amx.permitted) {
    console.remark(cat("AMX: ", describe(amx), "; kernels of the next instruction set run"));
  }
  if (result.noisy)
    console.remark("warning: the machine is noisy (p90 far above p50): the minimum is the better figure");
  return ExitCode::Done;
}

}  // namespace

Verb bench_verb() {
  return {
      "bench", "Measure a model's latency at batch 1 on this machine",
      "  adze bench model-int8.onnx --threads 1\n"
      "  adze bench model.onnx --per-layer\n"
      "  adze bench small.onnx --against model.onnx\n"
      "  adze bench model.onnx --isa avx2 --time-budget 10\n"
      "  adze bench zoo:mobilenetv2,int8 --tune fast --tune-file kernels.tune\n"
      "  adze bench model-int8.onnx --device cortex-m4\n"
      "  adze bench model.onnx --json | jq .results.p50_us\n",
      [](Options& options) -> Action {
        auto arguments = std::make_shared<Arguments>();
        options.positional(arguments->model, "MODEL",
                           "Model file: ONNX, TFLite or .adze text; or zoo:NAME (see docs/zoo.md)");
        options.option(arguments->against, "--against",
                       "Another model, run by turns with this one: how many times as fast is this one?");
        options.option(arguments->time_budget, "--time-budget", "Seconds to measure for");
        options.option(
            arguments->isa, "--isa",
            "Highest instruction set: ref, avx2, avxvnni, avx512vnni, avx512vbmi, avx512bf16, amx; default the best "
            "there is");
        options.choice(arguments->compute, "--compute",
                       "Numbers that float convolutions and matrix products multiply: bf16 is rounded, for AMX",
                       {"f32", "bf16"});
        options.option(arguments->shapes, "--shapes", "Shape of an input, NAME:1x3x224x224 (may be repeated)");
        options.option(arguments->tune, "--tune",
                       "Choose among a layer's kernels: off (by table), fast or full (by timing them in place)");
        options.option(arguments->tune_file, "--tune-file", "Keep what tuning found here, by machine and layer");
        options.flag(arguments->int8_inputs, "--int8-inputs",
                     "Products with weights of few bits round their inputs to 8 bits in groups");
        options.option(arguments->weight_file, "--weight-file",
                       "Keep packed weights here: written once, mapped by later starts");
        options.option(arguments->device, "--device",
                       "Emit C, run it on this emulated device, count instructions: adze device list");
        options.choice(arguments->optimize, "--optimize", "With --device: what the code is written for",
                       {"speed", "balanced", "ram", "size"});
        options.choice(arguments->rounding, "--rounding", "With --device: integer arithmetic of the code",
                       {"tflm", "litert", "onnx", "model"});
        options.flag(arguments->integer_io, "--integer-io",
                     "With --device: inputs and outputs as bytes where the model quantizes them itself");
        options.flag(arguments->per_layer, "--per-layer",
                     "Show each layer's time, kernel, MAC/s, bytes/s and what bounds it");
        options.flag(arguments->samples, "--samples", "With --json: every single time");
        return [arguments](Console& console) { return run_bench(console, *arguments); };
      }};
}

}  // namespace adze::cli
