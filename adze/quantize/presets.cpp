#include "adze/quantize/presets.h"

#include <algorithm>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::quantize {

namespace {

struct Preset {
  std::string_view name, summary;
  void (*apply)(PtqOptions& options);
};

void prefer_gptq(PtqOptions& options) {
  if (options.methods.rounding == Rounding::Nearest && !options.methods.zero_shot) {
    options.methods.rounding = Rounding::Gptq;
  }
}

constexpr Preset presets[] = {
    {"int8", "weights and activations of 8 bits", [](PtqOptions&) {}},
    {"int8-dynamic", "8 bits, activation scales found at each run; no data needed",
     [](PtqOptions& options) { options.mode = Mode::Dynamic; }},
    {"int8-weights", "weights of 8 bits, computation in float; no data needed",
     [](PtqOptions& options) { options.mode = Mode::WeightOnly; }},
    {"int4-g32", "weights of 4 bits, a scale for each 32 inputs, computation in float; no data needed",
     [](PtqOptions& options) {
       options.mode = Mode::WeightOnly;
       options.bits = {4, 8};
       options.block = 32;
     }},
    {"w4a8", "weights of 4 bits by GPTQ, activations of 8",
     [](PtqOptions& options) {
       options.bits = {4, 8};
       prefer_gptq(options);
     }},
    {"mixed", "widths chosen layer by layer (4.5 bits a weight unless a target is given), GPTQ", prefer_gptq},
    {"fp8", "weights and activations as f8e4m3", [](PtqOptions& options) { options.mode = Mode::Float8; }},
    {"ternary", "weights -s, 0, s for each channel; the first and last layers 8 bits",
     [](PtqOptions& options) {
       options.bits = {2, 8};
     }},
    {"binary", "weights -s, s for each channel; the first and last layers 8 bits",
     [](PtqOptions& options) {
       options.bits = {1, 8};
     }},
};

const Preset& find_preset(std::string_view name) {
  for (const Preset& preset : presets) {
    if (preset.name == name) return preset;
  }
  const std::string near = nearest(name, preset_names());
  throw UsageError(cat("unknown preset ", quoted(name)),
                   near.empty() ? cat("one of ", join(preset_names(), ", ")) : cat("did you mean ", near, "?"));
}

}  // namespace

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Preset& preset : presets) list.emplace_back(preset.name);
    return list;
  }();
  return names;
}

std::string_view preset_summary(std::string_view name) {
  return find_preset(name).summary;
}

void apply_preset(std::string_view name, PtqOptions& options) {
  find_preset(name).apply(options);
}

}  // namespace adze::quantize
