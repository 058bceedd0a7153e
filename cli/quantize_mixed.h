#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/recipe/recipe.h"
#include "cli/data_options.h"

namespace adze::cli {

/// The options of `adze quantize` that choose widths layer by layer.
struct MixedArguments {
  std::string preset;
  std::vector<std::string> tensors;  ///< REGEX=TYPE
  std::string target_size, max_drop, sensitivity;
  double target_bits = 0, target_bit_operations = 0;
  std::string validation;
  std::int64_t validation_samples = 1000;

  void declare(Options& options);
  /// Is there anything that measures before quantizing?
  bool chooses() const {
    return !target_size.empty() || target_bits > 0 || target_bit_operations > 0 || !max_drop.empty() ||
           !sensitivity.empty();
  }
};

/// What a preset sets: mode, bits, blocks, and GPTQ where no other rounding was asked for. Throws UsageError with the nearest name.
void apply_preset(const std::string& name, quantize::PtqOptions& options);

/// Puts the widths that the arguments ask for into the recipe's quantization step, printing what was chosen and why.
void choose_widths(Console& console, const Graph& original, const MixedArguments& arguments, Recipe& recipe);

}  // namespace adze::cli
