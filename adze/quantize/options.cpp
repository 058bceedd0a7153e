#include "adze/quantize/options.h"

#include <array>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::quantize {

namespace {

constexpr std::array<std::string_view, 3> mode_names{"static", "dynamic", "weight-only"};
constexpr std::array<std::string_view, 4> calibrator_names{"max", "percentile", "entropy", "mse"};

template <std::size_t N>
std::size_t find_name(const std::array<std::string_view, N>& names, std::string_view name, std::string_view what) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return i;
  }
  const std::vector<std::string> known(names.begin(), names.end());
  const std::string near = nearest(name, known);
  throw UsageError(cat("unknown ", what, " ", quoted(name)),
                   near.empty() ? cat("use one of ", join(known, ", ")) : cat("did you mean ", near, "?"));
}

}  // namespace

std::string_view mode_name(Mode mode) {
  return mode_names[static_cast<std::size_t>(mode)];
}
std::string_view calibrator_name(Calibrator calibrator) {
  return calibrator_names[static_cast<std::size_t>(calibrator)];
}
Mode mode_from_name(std::string_view name) {
  return static_cast<Mode>(find_name(mode_names, name, "mode"));
}
Calibrator calibrator_from_name(std::string_view name) {
  return static_cast<Calibrator>(find_name(calibrator_names, name, "calibrator"));
}

void check_options(const PtqOptions& options) {
  if (options.activation_dtype != DType::S8 && options.activation_dtype != DType::U8) {
    throw UsageError(cat("activations cannot be quantized to ", dtype_name(options.activation_dtype)), "use s8 or u8");
  }
  if (!(options.percentile > 50 && options.percentile <= 100)) {
    throw UsageError(cat("percentile ", options.percentile, " is not in (50, 100]"), "99.99 is a good start");
  }
  if (options.max_samples < 0) throw UsageError(cat("the number of samples is ", options.max_samples));
}

}  // namespace adze::quantize
