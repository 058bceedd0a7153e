#include "adze/formats/onnx/scope.h"

#include "adze/base/text.h"

namespace adze::onnx {

namespace {

/// Constants up to this size are copied into subgraphs, so that inference sees them there. They share their bytes.
constexpr std::int64_t max_copied_bytes = 1024;

}  // namespace

std::string GraphNames::fresh(std::string_view base) {
  std::string name(base);
  if (!name.empty() && taken_.insert(name).second) return name;
  int& next = next_[name];
  for (;;) {
    std::string candidate = cat(name.empty() ? "value" : name, "_", ++next);
    if (taken_.insert(candidate).second) return candidate;
  }
}

std::optional<ValueId> Scope::find(std::string_view name) {
  if (const auto found = values.find(name); found != values.end()) return found->second;
  if (surrounding == nullptr) return std::nullopt;
  const auto outer = surrounding->find(name);
  if (!outer || *outer == ValueId::None) return outer;
  const Value& value = surrounding->target.graph.value(*outer);
  ValueId id;
  if (value.constant && value.constant->num_bytes() <= max_copied_bytes) {
    id = target.graph.add_constant(target.names.fresh(name), *value.constant);
  } else {
    id = target.graph.add_capture(target.names.fresh(name), value.type);
    target.captured.push_back(*outer);
  }
  values.emplace(name, id);
  return id;
}

std::string Scope::value_name(std::string_view name) {
  if (!is_function) return std::string(name);
  const auto found = output_names.find(name);
  return found != output_names.end() ? found->second : target.names.fresh(cat(prefix, name));
}

void Scope::define(std::string_view name, ValueId id) {
  if (!values.emplace(name, id).second) throw ModelError(cat("value ", quoted(name), " is defined twice"));
}

}  // namespace adze::onnx
