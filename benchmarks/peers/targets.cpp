#include "benchmarks/peers/targets.h"

#include <map>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze::peers {

namespace {

struct Target {
  std::string_view network;
  double int8_amx, int8, fp32;
  std::optional<double> bf16 = {};
};

constexpr Target targets[] = {
    {"resnet18", 2.7, 1.3, 1.1},           {"resnet50", 2.7, 1.3, 1.1},     {"squeezenet11", 2.7, 1.3, 1.1},
    {"mobilenetv1", 3.0, 1.6, 1.15},       {"mobilenetv2", 3.0, 1.6, 1.15}, {"mobilenetv3s", 4.0, 3.0, 1.5},
    {"efficientnetb0", 4.0, 3.0, 1.5},     {"resnet8", 3.0, 2.0, 1.3},      {"dscnn", 3.0, 2.0, 1.3},
    {"mobilenetv1_025_96", 3.0, 2.0, 1.3}, {"fcae", 5.0, 5.0, 1.5},         {"encoder4x256", 3.0, 1.5, 1.3, 3.0},
};

struct LayerTarget {
  std::string_view kind, way;
  double operations;
};

constexpr LayerTarget layer_targets[] = {
    {"3x3, 128 and more channels", "int8-amx", 2.5e12},
    {"1x1, 128 and more channels", "int8-amx", 2.5e12},
    {"depthwise 3x3, stride 1", "int8", 110e9},
    {"first layer, 7x7", "int8", 400e9},
    {"first layer, 3x3", "int8", 210e9},
};

std::map<std::string, std::string> read_reasons() {
  std::map<std::string, std::string> reasons;
  std::string* last = nullptr;
  for (const std::string& line : split(read_text_file(ADZE_SOURCE_DIR "/benchmarks/peers/reasons.txt"), '\n')) {
    const std::string text(trim(line));
    if (text.empty() || text.starts_with("#")) continue;
    if (line.starts_with(" ")) {
      if (last != nullptr) *last += cat(" ", text);
      continue;
    }
    const std::size_t colon = text.find(": ");
    if (colon == text.npos) throw UsageError(cat("reasons.txt: no \": \" in ", adze::quoted(text)));
    last = &reasons[text.substr(0, colon)];
    *last = text.substr(colon + 2);
  }
  return reasons;
}

}  // namespace

std::vector<std::string> target_networks() {
  std::vector<std::string> names;
  for (const Target& target : targets) names.emplace_back(target.network);
  return names;
}

std::optional<double> target_ratio(std::string_view network, std::string_view way) {
  for (const Target& target : targets) {
    if (target.network != network) continue;
    if (way == "fp32") return target.fp32;
    if (way == "int8") return target.int8;
    if (way == "int8-amx") return target.int8_amx;
    if (way == "bf16") return target.bf16;
  }
  return std::nullopt;
}

std::optional<double> target_operations(std::string_view kind, std::string_view way) {
  for (const LayerTarget& target : layer_targets) {
    if (target.kind == kind && target.way == way) return target.operations;
  }
  return std::nullopt;
}

std::string reason_for(std::string_view network, std::string_view way) {
  static const std::map<std::string, std::string> reasons = read_reasons();
  const auto found = reasons.find(cat(network, " ", way));
  return found == reasons.end() ? std::string() : found->second;
}

}  // namespace adze::peers
