#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adze/quantize/mixed.h"
#include "adze/recipe/recipe.h"
#include "adze/report/report.h"
#include "cli/data_options.h"

namespace adze::cli {

/// The options of `adze quantize` that choose widths layer by layer.
struct MixedArguments {
  std::string preset = "none";
  std::vector<std::string> tensors;  ///< REGEX=TYPE
  std::string target_size, target_latency, max_drop, sensitivity;
  double target_bits = 0, target_bit_operations = 0;
  std::string validation;
  std::int64_t validation_samples = 1000;

  void declare(Options& options);
  /// Is there anything that measures before quantizing?
  bool chooses() const {
    return !target_size.empty() || target_bits > 0 || target_bit_operations > 0 || !max_drop.empty() ||
           !sensitivity.empty() || !target_latency.empty() || preset == "mixed";
  }
};

/// What choosing widths found, for the report and for judging what is written in the end.
struct MixedFigures {
  std::vector<SensitivityFigure> sensitivity;
  std::vector<TrialFigures> trials;
  quantize::JudgeFunction judge;  ///< --max-drop only
  EvaluateResult exact;
  double max_drop = 0;
};

/// Puts the widths that the arguments ask for into the recipe's quantization step, printing what was chosen and why.
MixedFigures choose_widths(Console& console, const Graph& original, const MixedArguments& arguments, Recipe& recipe);

/// --max-drop: says whether the limit holds for the network as it is written.
void judge_again(Console& console, const Graph& quantized, MixedFigures& figures);

}  // namespace adze::cli
