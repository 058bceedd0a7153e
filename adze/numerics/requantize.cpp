#include "adze/numerics/requantize.h"

namespace adze {

std::string_view rounding_name(RoundingProfile profile) {
  switch (profile) {
    case RoundingProfile::Tflm:
      return "tflm";
    case RoundingProfile::Litert:
      return "litert";
    case RoundingProfile::Onnx:
      return "onnx";
  }
  return "";
}

std::optional<RoundingProfile> rounding_from_name(std::string_view name) {
  for (const auto profile : {RoundingProfile::Tflm, RoundingProfile::Litert, RoundingProfile::Onnx}) {
    if (rounding_name(profile) == name) return profile;
  }
  return std::nullopt;
}

}  // namespace adze
