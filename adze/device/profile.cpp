#include "adze/device/profile.h"

#include <toml++/toml.h>
#include <algorithm>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/device/assets.h"
#include "adze/device/board.h"

namespace adze::device {

namespace {

constexpr std::string_view schema = "adze.device/1";
constexpr std::string_view folder = "devices/";
constexpr std::string_view suffix = ".toml";

/// Reads the keys of one table; what was not asked for is an error, so that a misspelt key is seen.
class Keys {
 public:
  Keys(const toml::table& table, const std::string& file) : table_(table), file_(file) {}

  [[noreturn]] void fail(const toml::node& at, const std::string& message) const {
    throw UsageError(cat("device profile ", file_, ", line ", at.source().begin.line, ": ", message));
  }
  const toml::node* find(std::string_view key) {
    known_.emplace_back(key);
    return table_.get(key);
  }
  bool has(std::string_view key) const { return table_.contains(key); }
  std::string text(std::string_view key, const std::string& fallback) {
    const toml::node* node = find(key);
    if (node == nullptr) return fallback;
    if (const auto value = node->value_exact<std::string>()) return *value;
    fail(*node, cat(key, " must be text"));
  }
  double number(std::string_view key, std::optional<double> fallback, double most = 1e12) {
    const toml::node* node = find(key);
    if (node == nullptr) {
      if (fallback) return *fallback;
      fail(table_, cat("there is no ", key));
    }
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value) fail(*node, cat(key, " must be a number"));
    if (!(*value >= 0 && *value <= most)) fail(*node, cat(key, " is ", *value, ", expected 0 to ", most));
    return *value;
  }
  bool truth(std::string_view key, bool fallback) {
    const toml::node* node = find(key);
    if (node == nullptr) return fallback;
    if (const auto value = node->value_exact<bool>()) return *value;
    fail(*node, cat(key, " must be true or false"));
  }
  const toml::table* table(std::string_view key) {
    const toml::node* node = find(key);
    if (node != nullptr && node->as_table() == nullptr) fail(*node, cat(key, " must be a table"));
    return node == nullptr ? nullptr : node->as_table();
  }
  const toml::array* array(std::string_view key) {
    const toml::node* node = find(key);
    if (node != nullptr && node->as_array() == nullptr) fail(*node, cat(key, " must be a list"));
    return node == nullptr ? nullptr : node->as_array();
  }
  void finish() const {
    for (const auto& [key, node] : table_) {
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) {
        fail(node, cat("unknown key ", adze::quoted(key.str()), ", expected one of ", join(known_, ", ")));
      }
    }
  }

 private:
  const toml::table& table_;
  const std::string& file_;
  std::vector<std::string> known_;
};

CycleModel read_cycles(const toml::table& table, const std::string& file) {
  Keys keys(table, file);
  CycleModel model;
  for (std::size_t i = 0; i < instruction_classes; ++i) {
    model.per_instruction[i] = keys.number(class_name(static_cast<InstructionClass>(i)), std::nullopt, 1000);
  }
  model.error = keys.number("error", std::nullopt, 10);
  model.source = keys.text("source", "");
  if (model.source.empty()) keys.fail(table, "cycles need a source");
  keys.finish();
  return model;
}

EnergyModel read_energy(const toml::table& table, const std::string& file) {
  Keys keys(table, file);
  EnergyModel model;
  if (keys.has("joules_per_cycle")) model.joules_per_cycle = keys.number("joules_per_cycle", std::nullopt, 1);
  model.error = keys.number("error", model.joules_per_cycle ? std::nullopt : std::optional(0.0), 10);
  model.source = keys.text("source", "");
  if (model.source.empty()) keys.fail(table, "energy needs a source");
  keys.find("joules_per_cycle");
  keys.finish();
  return model;
}

Memory read_memory(const toml::table& table, const std::string& file) {
  Keys keys(table, file);
  Memory memory;
  memory.name = keys.text("name", "");
  memory.bytes = static_cast<std::int64_t>(keys.number("bytes", std::nullopt, 1e15));
  memory.source = keys.text("source", "");
  if (memory.name.empty() || memory.source.empty()) keys.fail(table, "a memory needs a name and a source");
  const std::string kind = keys.text("kind", "");
  const auto kinds = {MemoryKind::Flash, MemoryKind::Ram, MemoryKind::FastRam};
  const auto at = std::find_if(kinds.begin(), kinds.end(), [&](MemoryKind k) { return memory_kind_name(k) == kind; });
  if (at == kinds.end()) keys.fail(table, cat("memory kind ", adze::quoted(kind), ", expected flash, ram or fast_ram"));
  memory.kind = *at;
  keys.finish();
  return memory;
}

QuantizationRules read_rules(const toml::table& table, const std::string& file) {
  Keys keys(table, file);
  QuantizationRules rules;
  if (const toml::array* operators = keys.array("operators")) {
    for (const toml::node& one : *operators) {
      const auto name = one.value_exact<std::string>();
      if (!name) keys.fail(one, "operators are ONNX names");
      rules.operators.push_back(*name);
    }
  }
  rules.integer_only = keys.truth("integer_only", false);
  rules.per_tensor_weights = keys.truth("per_tensor_weights", false);
  rules.symmetric_activations = keys.truth("symmetric_activations", false);
  rules.power_of_two_scales = keys.truth("power_of_two_scales", false);
  rules.weight_bits = static_cast<int>(keys.number("weight_bits", 8, 8));
  rules.source = keys.text("source", "");
  if (rules.weight_bits < 2) keys.fail(table, "weight_bits must be 2 to 8");
  if (rules.source.empty()) keys.fail(table, "quantization needs a source");
  keys.finish();
  return rules;
}

const toml::table& table_in(const toml::node& node, const Keys& keys) {
  if (node.as_table() == nullptr) keys.fail(node, "expected a table");
  return *node.as_table();
}

std::optional<std::string_view> built_in(std::string_view name) {
  for (const Asset& asset : assets()) {
    if (asset.path == cat(folder, name, suffix)) return asset.text;
  }
  return std::nullopt;
}

Profile read_profile(const toml::table& table, const std::string& file) {
  Keys keys(table, file);
  if (keys.text("schema", "") != schema) keys.fail(table, cat("schema must be ", adze::quoted(std::string(schema))));
  Profile profile;
  const std::string base = keys.text("extends", "");
  if (!base.empty()) {
    const auto text = built_in(base);
    if (!text || base == keys.text("name", "")) {
      keys.fail(*table.get("extends"), cat("there is no built-in profile ", adze::quoted(base)));
    }
    profile = parse_profile(*text, base);
  }
  profile.name = keys.text("name", "");
  if (profile.name.empty()) keys.fail(table, "a profile needs a name");
  profile.title = keys.text("title", profile.name);
  profile.core = keys.text("core", profile.core);
  if (!profile.core.empty()) board_for(profile.core);
  profile.stands_in = keys.truth("stands_in", profile.stands_in);
  profile.clock_hz = keys.number("clock_hz", profile.clock_hz);
  profile.clock_source = keys.text("clock_source", profile.clock_source);
  profile.measured_here = keys.truth("measured_here", false);
  if (const toml::array* sets = keys.array("instruction_sets")) {
    profile.instruction_sets.clear();
    for (const toml::node& set : *sets) profile.instruction_sets.push_back(set.value_or(std::string()));
  }
  if (const toml::table* cycles = keys.table("cycles")) profile.cycles = read_cycles(*cycles, file);
  if (profile.cycles) {
    profile.cycles->error = keys.number("cycles_error", profile.cycles->error, 10);
    const std::string note = keys.text("cycles_note", "");
    if (!note.empty()) profile.cycles->source += cat(". This part: ", note);
  }
  if (const toml::table* energy = keys.table("energy")) profile.energy = read_energy(*energy, file);
  if (const toml::table* rules = keys.table("quantization")) profile.quantization = read_rules(*rules, file);
  if (const toml::array* memories = keys.array("memory")) {
    profile.memories.clear();
    for (const toml::node& memory : *memories) profile.memories.push_back(read_memory(table_in(memory, keys), file));
  }
  keys.finish();
  return profile;
}

}  // namespace

std::optional<std::int64_t> Profile::bytes_of(MemoryKind kind) const {
  std::optional<std::int64_t> sum;
  for (const Memory& memory : memories) {
    if (memory.kind == kind) sum = sum.value_or(0) + memory.bytes;
  }
  return sum;
}

Profile parse_profile(std::string_view text, const std::string& file) {
  try {
    const toml::table table = toml::parse(text, file);
    return read_profile(table, file);
  } catch (const toml::parse_error& error) {
    throw UsageError(cat("device profile ", file, ", line ", error.source().begin.line, ": ", error.description()));
  }
}

Profile load_profile(const std::string& name) {
  if (name.ends_with(suffix)) return parse_profile(read_text_file(name), name);
  if (const auto text = built_in(name)) return parse_profile(*text, cat(name, suffix));
  throw UsageError(cat("unknown device ", adze::quoted(name)),
                   cat("known are ", join(profile_names(), ", "), "; or give a file that ends with .toml"));
}

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  for (const Asset& asset : assets()) {
    if (!asset.path.starts_with(folder)) continue;
    names.emplace_back(asset.path.substr(folder.size(), asset.path.size() - folder.size() - suffix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string_view memory_kind_name(MemoryKind kind) {
  constexpr std::string_view names[] = {"flash", "ram", "fast_ram"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace adze::device
