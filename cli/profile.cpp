#include <algorithm>
#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/device/profile.h"
#include "adze/recipe/model_files.h"
#include "adze/report/memory_drawing.h"
#include "cli/device_run.h"
#include "cli/golden_runs.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;
using device::MemoryKind;

struct Arguments {
  std::string model, device, svg, optimize = "balanced";
  bool plan = false, no_slim = false, integer_io = false;
};

Json map_json(const MemoryMap& map) {
  Json blocks = Json::array(), steps = Json::array();
  for (const MemoryBlock& block : map.blocks) {
    blocks.push_back({{"name", block.name},
                      {"scratch", block.scratch},
                      {"offset", block.offset},
                      {"bytes", block.bytes},
                      {"first", block.first},
                      {"last", block.last}});
  }
  for (const MemoryStep& step : map.steps) {
    steps.push_back({{"name", step.name},
                     {"op", step.op},
                     {"live", step.blocks.size()},
                     {"bytes", step.bytes},
                     {"scratch_bytes", step.scratch_bytes}});
  }
  Json memories = Json::array();
  for (const MemoryRange& memory : map.memories) {
    memories.push_back(
        {{"name", memory.name}, {"offset", memory.offset}, {"bytes", memory.bytes}, {"used_bytes", memory.used}});
  }
  return {{"memories", std::move(memories)},
          {"slow_share", map.slow_share},
          {"steps", std::move(steps)},
          {"blocks", std::move(blocks)}};
}

Table step_table(const MemoryMap& map) {
  Table table({"step", "layer", "operator", "live", "bytes", "scratch", "arena, low addresses left", ""});
  for (std::size_t i = 0; i < map.steps.size(); ++i) {
    const MemoryStep& step = map.steps[i];
    table.add_row({cat(i), shortened(step.name, 32), step.op, cat(step.blocks.size()), cat(step.bytes),
                   step.scratch_bytes > 0 ? cat(step.scratch_bytes) : "", memory_bar(map, i, 48),
                   i == map.peak_step ? "peak" : ""});
  }
  return table;
}

std::string memory_at(const MemoryMap& map, std::int64_t offset) {
  std::string name;
  for (const MemoryRange& memory : map.memories) {
    if (offset >= memory.offset) name = memory.name;
  }
  return name;
}

Table block_table(const MemoryMap& map) {
  Table table({"live at the peak", "bytes", "memory", "at", "steps"});
  for (const std::size_t index : map.steps[map.peak_step].blocks) {
    const MemoryBlock& block = map.blocks[index];
    table.add_row({shortened(block.name, 48), cat(block.bytes), memory_at(map, block.offset), cat(block.offset),
                   cat(block.first, " to ", block.last)});
  }
  return table;
}

/// What each memory holds, and of it what is moved.
Table memory_table(const MemoryMap& map, const device::Profile& profile) {
  Table table({"memory", "kind", "used", "for the arena", "its share of bytes moved"});
  for (std::size_t i = 0; i < map.memories.size(); ++i) {
    const MemoryRange& memory = map.memories[i];
    const auto found = std::find_if(profile.memories.begin(), profile.memories.end(),
                                    [&](const device::Memory& one) { return one.name == memory.name; });
    const double share = i == 0 ? 1.0 - map.slow_share : map.slow_share;
    const bool last = i == 0 || map.memories.size() == 2;
    table.add_row({memory.name,
                   found == profile.memories.end() ? std::string() : std::string(memory_kind_name(found->kind)),
                   cat(memory.used), cat(memory.bytes), last ? cat(fixed(100.0 * share, 1), " %") : ""});
  }
  return table;
}

/// "fits: 50.7 K of 320.0 K" or "does not fit: …"; the figure alone without a known memory.
std::string fit_text(std::int64_t bytes, std::optional<std::int64_t> memory) {
  if (!memory) return cat(bytes, " bytes; the profile names no such memory");
  return cat(bytes <= *memory ? "fits: " : "does not fit: ", bytes, " of ", *memory, " bytes");
}

std::optional<std::int64_t> ram_of(const device::Profile& profile) {
  const auto ram = profile.bytes_of(MemoryKind::Ram), fast = profile.bytes_of(MemoryKind::FastRam);
  if (!ram && !fast) return std::nullopt;
  return ram.value_or(0) + fast.value_or(0);
}

ExitCode run_profile(Console& console, const Arguments& arguments) {
  if (!arguments.plan) throw UsageError("adze profile draws the memory plan", "--plan; adze bench --device counts");
  const device::Profile profile = device::load_profile(arguments.device);
  Graph graph = emittable(load_model(arguments.model), !arguments.no_slim, arguments.integer_io);
  graph.metadata["adze.rounding"] = "tflm";
  emit::EmitOptions options;
  options.core = profile.core.empty() ? "generic" : profile.core;
  options.optimize = optimize_from(arguments.optimize);
  options.memories = memories_of(profile);
  const emit::Emission emission = emit::emit_c(graph, options);
  const MemoryMap& map = emission.memory;
  const auto ram = ram_of(profile), flash = profile.bytes_of(MemoryKind::Flash);
  if (!arguments.svg.empty()) {
    console.check_output(arguments.svg);
    write_file(arguments.svg, memory_svg(map, {cat(graph.name, " on ", profile.name), ram}));
  }
  console.model("model", arguments.model);
  Json& results = console.results();
  results = {{"device", profile.name},
             {"core", options.core},
             {"arena_bytes", emission.arena_bytes},
             {"lower_bound_bytes", emission.lower_bound_bytes},
             {"gap_bytes", map.arena_bytes - map.lower_bound_bytes},
             {"proved", map.proved},
             {"order_peak_bytes", map.order_peak_bytes},
             {"order_lower_bound_bytes", map.order_lower_bound_bytes},
             {"constant_bytes", emission.weight_bytes}};
  if (ram) results["ram"] = {{"bytes", *ram}, {"fits", emission.arena_bytes <= *ram}};
  if (flash) results["flash"] = {{"bytes", *flash}, {"fits", emission.weight_bytes <= *flash}};
  results["plan"] = map_json(map);
  if (map.steps.empty()) return ExitCode::Done;
  const MemoryStep& peak = map.steps[map.peak_step];
  results["peak"] = {{"step", map.peak_step}, {"name", peak.name}, {"op", peak.op}, {"bytes", peak.bytes}};
  console.table(step_table(map));
  console.line("# alive  + begins here  ~ scratch  . free");
  console.line("");
  console.table(block_table(map));
  console.line("");
  if (!map.memories.empty()) {
    console.table(memory_table(map, profile));
    console.line("");
  }
  console.line(cat("peak          step ", map.peak_step, ", ", peak.op, " ", adze::quoted(peak.name), ": ", peak.bytes,
                   " bytes"));
  console.line(cat("lower bound   ", map.lower_bound_bytes, " bytes of activations alive at once; gap ",
                   map.arena_bytes - map.lower_bound_bytes, " bytes", map.proved ? ", no placement is smaller" : ""));
  console.line(cat("order         its steps need ", map.order_peak_bytes, " bytes when each runs at once; ",
                   map.order_peak_bytes == map.order_lower_bound_bytes
                       ? std::string("no order needs less")
                       : cat("any order at least ", map.order_lower_bound_bytes)));
  console.line(cat("RAM           ", fit_text(emission.arena_bytes, ram), ", without stack"));
  console.line(cat("flash         ", fit_text(emission.weight_bytes, flash), ", constants without code"));
  return ExitCode::Done;
}

}  // namespace

Verb profile_verb() {
  return {"profile", "Draw the memory plan of a network on a device: who is alive when, and where",
          "  adze profile model.tflite --device stm32f746 --plan\n"
          "  adze profile model-int8.onnx --device cortex-m55 --plan --svg arena.svg\n"
          "  adze profile model.tflite --device nrf52840 --plan --json | jq .results.peak\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->model, "MODEL", "Model: ONNX, TFLite or .adze text, or zoo:NAME");
            options.option(arguments->device, "--device", "Device to plan for: adze device list",
                           Options::Need::Required);
            options.flag(arguments->plan, "--plan", "The arena step by step");
            options.option(arguments->svg, "--svg", "File to draw the arena over time into");
            options.choice(arguments->optimize, "--optimize", "What the emitted code is optimized for",
                           {"balanced", "speed", "ram", "size"});
            options.flag(arguments->integer_io, "--integer-io",
                         "Inputs and outputs as bytes where the model quantizes them itself");
            options.flag(arguments->no_slim, "--no-slim", "Do not simplify the model first");
            return [arguments](Console& console) { return run_profile(console, *arguments); };
          }};
}

}  // namespace adze::cli
