#include "cli/device_run.h"

#include <nlohmann/json.hpp>

#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/device/cost.h"
#include "adze/device/process.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;
using device::Emulation;
using device::InstructionClass;
using device::InstructionMix;
using device::MemoryKind;

Json mix_json(const InstructionMix& mix) {
  Json json;
  for (std::size_t i = 0; i < device::instruction_classes; ++i) {
    json[std::string(class_name(static_cast<InstructionClass>(i)))] = mix.counts[i];
  }
  return json;
}

std::string plus_minus(double error) {
  return cat(" ± ", fixed(100 * error, 0), " %");
}

std::string per(std::int64_t count, std::int64_t macs) {
  return macs > 0 ? fixed(static_cast<double>(count) / static_cast<double>(macs), 2) : "";
}

Table layer_table(const DeviceRun& run) {
  const Emulation& emulation = run.emulation;
  Table table({"layer", "operator", "MACs", "instructions", "share", "per MAC", "loads", "multiplies", "vector"});
  for (std::size_t i = 0; i < run.emission.layers.size() && i < emulation.layer_instructions.size(); ++i) {
    const auto& layer = run.emission.layers[i];
    const bool classes = i < emulation.layer_mixes.size();
    const InstructionMix mix = classes ? emulation.layer_mixes[i] : InstructionMix{};
    const std::int64_t count = emulation.layer_instructions[i];
    const double share =
        100.0 * static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, emulation.instructions));
    table.add_row({shortened(layer.name, 40), layer.op, cat(layer.macs), cat(count), cat(fixed(share, 1), " %"),
                   per(count, layer.macs), classes ? cat(mix[InstructionClass::Load]) : "",
                   classes ? cat(mix[InstructionClass::Multiply]) : "",
                   classes ? cat(mix[InstructionClass::Vector] + mix[InstructionClass::VectorMemory]) : ""});
  }
  return table;
}

/// "12345 of 262144 bytes of ram": no figure when the profile names no such memory.
std::string share_of(std::int64_t bytes, std::optional<std::int64_t> memory) {
  if (!memory) return bytes_text(bytes);
  return cat(bytes_text(bytes), " of ", bytes_text(*memory), bytes > *memory ? ": does not fit" : "");
}

std::optional<std::int64_t> ram_of(const device::Profile& profile) {
  const auto ram = profile.bytes_of(MemoryKind::Ram), fast = profile.bytes_of(MemoryKind::FastRam);
  if (!ram && !fast) return std::nullopt;
  return ram.value_or(0) + fast.value_or(0);
}

void show_cost(Console& console, const DeviceRun& run, Table& totals) {
  const auto cost = estimate_cost(run.emulation.mix, run.profile);
  if (!cost || run.emulation.counter != Emulation::Counter::Plugin) return;
  Json json = {{"basis", basis_name(cost->basis)}, {"cycles", cost->cycles}, {"cycles_error", cost->cycles_error}};
  totals.add_row({"cycles, estimated", cat(fixed(cost->cycles, 0), plus_minus(cost->cycles_error))});
  if (cost->seconds) {
    json["latency_us"] = 1e6 * *cost->seconds;
    totals.add_row({cat("latency, estimated at ", fixed(run.profile.clock_hz / 1e6, 0), " MHz"),
                    cat(fixed(1e3 * *cost->seconds, 3), " ms", plus_minus(cost->cycles_error))});
  }
  if (cost->joules) {
    json["energy_uj"] = 1e6 * *cost->joules;
    json["energy_error"] = cost->joules_error;
    totals.add_row({"energy, estimated", cat(fixed(1e6 * *cost->joules, 2), " µJ", plus_minus(cost->joules_error))});
  }
  json["source"] = run.profile.cycles->source;
  json["energy_source"] = run.profile.energy.source;
  console.results()["cost"] = std::move(json);
}

void add_results(Json& results, const DeviceRun& run) {
  const Emulation& emulation = run.emulation;
  results["device"] = run.profile.name;
  results["core"] = run.profile.core;
  results["bytes_equal"] = run.bytes_equal;
  results["instructions"] = emulation.counted() ? Json(emulation.instructions) : Json(nullptr);
  results["instructions_basis"] = "instructions, emulated";
  results["ram_bytes"] = emulation.ram_bytes();
  results["stack_bytes"] = emulation.stack_bytes;
  results["arena_bytes"] = run.emission.arena_bytes;
  results["flash_bytes"] = emulation.flash_bytes();
  results["lower_bound_bytes"] = run.emission.lower_bound_bytes;
  const bool classes = emulation.counter == Emulation::Counter::Plugin;
  results["counter"] = classes ? "plugin" : emulation.counted() ? "systick" : "none";
  if (classes) results["mix"] = mix_json(emulation.mix);
  if (!run.emission.memory.memories.empty()) {
    Json memories = Json::array();
    for (const MemoryRange& memory : run.emission.memory.memories) {
      memories.push_back({{"name", memory.name}, {"bytes", memory.bytes}, {"used_bytes", memory.used}});
    }
    results["memories"] = std::move(memories);
  }
  Json layers = Json::array();
  for (std::size_t i = 0; i < run.emission.layers.size(); ++i) {
    const auto& layer = run.emission.layers[i];
    layers.push_back({{"name", layer.name}, {"op", layer.op}, {"macs", layer.macs}});
    if (i < emulation.layer_instructions.size()) layers.back()["instructions"] = emulation.layer_instructions[i];
    if (i >= emulation.layer_mixes.size()) continue;
    layers.back()["mix"] = mix_json(emulation.layer_mixes[i]);
  }
  results["layers"] = std::move(layers);
}

/// The test program's last words: "equal N of N".
bool all_equal(const std::string& output) {
  const std::size_t at = output.rfind("equal ");
  if (at == std::string::npos) return false;
  const std::string text = output.substr(at + 6);
  const std::size_t of = text.find(" of ");
  if (of == std::string::npos) return false;
  const std::string equal = text.substr(0, of), all = text.substr(of + 4, text.find('\n', of) - of - 4);
  return equal == all && all != "0";
}

}  // namespace

emit::Optimize optimize_from(const std::string& word) {
  if (word == "speed") return emit::Optimize::Speed;
  if (word == "ram") return emit::Optimize::Ram;
  return word == "size" ? emit::Optimize::Size : emit::Optimize::Balanced;
}

std::vector<emit::EmitMemory> memories_of(const device::Profile& profile) {
  constexpr std::int64_t stack_bytes = 4096;
  std::vector<emit::EmitMemory> memories;
  for (const MemoryKind kind : {MemoryKind::FastRam, MemoryKind::Ram}) {
    for (const device::Memory& memory : profile.memories) {
      if (memory.kind == kind) memories.push_back({memory.name, memory.bytes});
    }
  }
  if (memories.size() < 2) return {};
  memories[0].bytes = std::max<std::int64_t>(0, memories[0].bytes - stack_bytes);
  return memories;
}

namespace {

/// The first array in the emulated core's own RAM, the others in its large one.
std::vector<std::string> section_flags(const emit::Emission& emission) {
  std::vector<std::string> flags;
  for (const emit::EmittedArray& array : emission.arrays) {
    if (array.macro.empty()) continue;
    const char* section = array.begin == 0 ? ".bss.fast_ram" : ".bss.large_ram";
    flags.push_back(cat("-D", array.macro, "=__attribute__((section(\"", section, "\")))"));
  }
  return flags;
}

void add_arrays(const DeviceRun& run, Table& totals) {
  for (const MemoryRange& memory : run.emission.memory.memories) {
    totals.add_row({cat("  of it in ", memory.name), cat(memory.used, " of ", memory.bytes, " bytes")});
  }
}

}  // namespace

DeviceRun run_on_device(const Graph& graph, emit::EmitOptions options, const device::Profile& profile) {
  if (profile.core.empty()) {
    throw UnsupportedError(cat("device ", adze::quoted(profile.name), " has no core that can be emulated"), {},
                           cat("emulated are ", join(device::emulated_cores(), ", "), " and the boards with them"));
  }
  options.core = profile.core;
  options.profile_hooks = true;
  options.memories = memories_of(profile);
  DeviceRun run{profile, emit::emit_c(graph, options), {}, false};
  const device::TemporaryFolder folder;
  device::EmulationRequest request;
  request.folder = folder.path();
  request.core = profile.core;
  request.optimize_flag = options.optimize == emit::Optimize::Size ? "-Os" : "-O2";
  request.profile_function = options.name + "_profile";
  request.time_limit_seconds = 600;
  request.compile_flags = section_flags(run.emission);
  for (const auto& file : run.emission.files) {
    write_file(folder.path() / file.path, file.bytes);
    const bool source = file.path.ends_with(".c") || file.path.ends_with(".S");
    if (source) request.sources.push_back(file.path);
  }
  run.emulation = device::emulate(request);
  run.bytes_equal = run.emulation.exit_code == 0 && all_equal(run.emulation.output);
  return run;
}

void show_device_run(Console& console, const DeviceRun& run) {
  const Emulation& emulation = run.emulation;
  add_results(console.results(), run);
  if (emulation.counted()) {
    console.table(layer_table(run));
    console.line("");
  }
  Table totals({cat(run.profile.title), ""});
  totals.add_row({"outputs, against the engine", run.bytes_equal ? "equal" : "DIFFERENT"});
  if (emulation.counted()) {
    totals.add_row({"instructions, emulated", cat(emulation.instructions)});
  } else {
    console.remark("warning: instructions were not counted");
  }
  if (emulation.counter == Emulation::Counter::SysTick) {
    console.remark("this qemu-system-arm takes no plug-ins: counted by its clock, to about 40 instructions a layer");
  }
  totals.add_row({"ram: static and measured stack", share_of(emulation.ram_bytes(), ram_of(run.profile))});
  totals.add_row({"  of it stack", cat(emulation.stack_bytes, " bytes")});
  totals.add_row({"  of it arena", cat(run.emission.arena_bytes, " bytes; lower bound ", run.emission.lower_bound_bytes,
                                       ", gap ", run.emission.memory.arena_bytes - run.emission.lower_bound_bytes)});
  add_arrays(run, totals);
  totals.add_row(
      {"flash: code, tables, weights", share_of(emulation.flash_bytes(), run.profile.bytes_of(MemoryKind::Flash))});
  show_cost(console, run, totals);
  console.table(totals);
  if (!run.bytes_equal) {
    console.remark(cat("the program ended with ", emulation.exit_code, emulation.timed_out ? " (time limit)" : "", ": ",
                       emulation.output.substr(0, 400)));
  }
  if (run.profile.stands_in)
    console.remark(cat("counts are a ", run.profile.core, "'s, which stands in for this device"));
}

}  // namespace adze::cli
