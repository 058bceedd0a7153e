#include "benchmarks/peers/targets.h"

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

}  // namespace

std::optional<double> target_ratio(std::string_view network, std::string_view precision, Isa isa) {
  for (const Target& target : targets) {
    if (target.network != network) continue;
    if (precision == "fp32") return target.fp32;
    if (precision == "bf16") return target.bf16;
    return isa == Isa::Amx ? target.int8_amx : target.int8;
  }
  return std::nullopt;
}

}  // namespace adze::peers
