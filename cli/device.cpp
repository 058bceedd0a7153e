#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/device/profile.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;
using device::MemoryKind;
using device::Profile;

struct Arguments {
  std::string action, name;
};

std::string memory_text(const Profile& profile, MemoryKind kind) {
  const auto bytes = profile.bytes_of(kind);
  return bytes ? bytes_text(*bytes) : "";
}

std::string energy_text(const Profile& profile) {
  if (!profile.energy.joules_per_cycle) return "";
  return cat(fixed(1e12 * *profile.energy.joules_per_cycle, 0), " pJ");
}

void list(Console& console) {
  Table table({"device", "what", "emulated core", "MHz", "flash", "ram", "fast ram", "energy a cycle"});
  Json all = Json::array();
  for (const std::string& name : device::profile_names()) {
    const Profile profile = device::load_profile(name);
    table.add_row({name, profile.title, cat(profile.core, profile.stands_in ? " (stands in)" : ""),
                   profile.clock_hz > 0 ? fixed(profile.clock_hz / 1e6, 0) : "",
                   memory_text(profile, MemoryKind::Flash), memory_text(profile, MemoryKind::Ram),
                   memory_text(profile, MemoryKind::FastRam), energy_text(profile)});
    all.push_back({{"name", name}, {"title", profile.title}, {"core", profile.core}, {"clock_hz", profile.clock_hz}});
  }
  console.results()["devices"] = std::move(all);
  console.table(table);
  console.remark("from data sheets and manuals, not measured here: adze device show NAME gives each source");
}

Json cycles_json(const device::CycleModel& model) {
  Json json;
  for (std::size_t i = 0; i < device::instruction_classes; ++i) {
    json[std::string(class_name(static_cast<device::InstructionClass>(i)))] = model.per_instruction[i];
  }
  json["error"] = model.error;
  json["source"] = model.source;
  return json;
}

void show_cycles(Console& console, const device::CycleModel& model) {
  Table table({"instruction class", "cycles each"});
  for (std::size_t i = 0; i < device::instruction_classes; ++i) {
    table.add_row(
        {std::string(class_name(static_cast<device::InstructionClass>(i))), fixed(model.per_instruction[i], 1)});
  }
  console.line("");
  console.table(table);
  console.line(cat("stated error ", fixed(100 * model.error, 0), " %. ", model.source));
}

void show(Console& console, const Profile& profile) {
  Table table({profile.title, "", "source"});
  if (!profile.core.empty()) {
    table.add_row({"emulated core", profile.core, profile.stands_in ? "stands in for this instruction set" : ""});
  }
  table.add_row({"instruction sets", join(profile.instruction_sets, ", "), ""});
  if (profile.clock_hz > 0) {
    table.add_row({"clock", cat(fixed(profile.clock_hz / 1e6, 0), " MHz"), profile.clock_source});
  }
  Json memories = Json::array();
  for (const auto& memory : profile.memories) {
    const std::string kind(memory_kind_name(memory.kind));
    table.add_row({cat(memory.name, " (", kind, ")"), bytes_text(memory.bytes), memory.source});
    memories.push_back({{"name", memory.name}, {"kind", kind}, {"bytes", memory.bytes}, {"source", memory.source}});
  }
  if (!profile.energy.source.empty()) table.add_row({"energy a cycle", energy_text(profile), profile.energy.source});
  console.table(table);
  if (profile.cycles) show_cycles(console, *profile.cycles);
  console.results() = {{"name", profile.name},
                       {"title", profile.title},
                       {"core", profile.core},
                       {"stands_in", profile.stands_in},
                       {"instruction_sets", profile.instruction_sets},
                       {"clock_hz", profile.clock_hz},
                       {"measured_here", profile.measured_here},
                       {"memories", memories}};
  if (profile.cycles) console.results()["cycles"] = cycles_json(*profile.cycles);
  const auto& energy = profile.energy;
  console.results()["energy"] = {
      {"joules_per_cycle", energy.joules_per_cycle ? Json(*energy.joules_per_cycle) : Json(nullptr)},
      {"error", energy.error},
      {"source", energy.source}};
}

ExitCode run_device(Console& console, const Arguments& arguments) {
  if (arguments.action == "list") {
    list(console);
  } else if (arguments.action == "show") {
    if (arguments.name.empty()) throw UsageError("adze device show needs a name", "adze device list");
    show(console, device::load_profile(arguments.name));
  } else {
    throw UsageError(cat("adze device ", adze::quoted(arguments.action), " is not known"), "list, or show NAME");
  }
  return ExitCode::Done;
}

}  // namespace

Verb device_verb() {
  return {"device", "List the known microcontrollers and boards, show what is known of one",
          "  adze device list\n"
          "  adze device show nrf52840\n"
          "  adze device show my-board.toml --json\n",
          [](Options& options) -> Action {
            auto arguments = std::make_shared<Arguments>();
            options.positional(arguments->action, "ACTION", "list, or show");
            options.positional(arguments->name, "NAME", "A built-in device, or a file that ends with .toml",
                               Options::Need::Optional);
            return [arguments](Console& console) { return run_device(console, *arguments); };
          }};
}

}  // namespace adze::cli
