#pragma once

#include <cstdint>
#include <string_view>

namespace adze::quantize {

/// How the mean error that quantized weights cause is taken out of biases.
enum class BiasCorrection : std::uint8_t {
  None,
  Data,      ///< means of the outputs over calibration data
  Analytic,  ///< means from batch-norm statistics, or measured ones where there is no batch norm
};

/// How weights go to codes.
enum class Rounding : std::uint8_t {
  Nearest,
  AdaRound,  ///< up or down, learned layer by layer: Nagel et al., arXiv:2004.10568
  Gptq,      ///< column by column, later columns making up for the error: Frantar et al., arXiv:2210.17323
};

/// Settings of learned rounding.
struct AdaRoundOptions {
  int iterations = 10000;
  int batch_rows = 256;         ///< positions of the layer's output in one step
  double learning_rate = 0.01;  ///< of Adam
  double warm_start = 0.2;      ///< share of the iterations without the pull to 0 and 1
  double regularization = 1;    ///< of the pull, against what rounding a weight costs on average
  double first_beta = 20, last_beta = 2;
  bool blocks = false;          ///< layers of a block together (block_rounding.h); single layers as ever
  int block_iterations = 2000;  ///< each runs the whole block
  int block_samples = 32;       ///< of one step
};

struct GptqOptions {
  double damping = 0.01;     ///< share of the mean diagonal that is added to it
  bool by_activity = false;  ///< columns with the largest diagonal first ("act-order")
};

/// Methods around rounding to the nearest code; they compose.
struct Methods {
  bool equalize = false;  ///< cross-layer equalization and absorption of high biases
  BiasCorrection bias_correction = BiasCorrection::None;
  /// SmoothQuant's α: how much of the activations' range goes into the weights behind; negative: not done.
  /// Xiao et al., arXiv:2211.10438
  double smooth = -1;
  bool awq = false;  ///< scales and clips of weights by the activations they meet: Lin et al., arXiv:2306.00978
  /// Share of the input channels that are split in two to halve their largest weights: Zhao et al., arXiv:1901.09504
  double split_outliers = 0;
  bool zero_shot = false;  ///< ranges from batch-norm statistics instead of data: Nagel et al., arXiv:1906.04721
  Rounding rounding = Rounding::Nearest;
  AdaRoundOptions adaround;
  GptqOptions gptq;
  std::int64_t samples = 256;  ///< that methods look at; 0: all of the calibration data

  /// Is there one that cannot do without data?
  bool need_data() const {
    return bias_correction == BiasCorrection::Data || rounding != Rounding::Nearest || smooth >= 0 || awq;
  }
};

std::string_view bias_correction_name(BiasCorrection correction);
std::string_view rounding_name(Rounding rounding);
/// Throw UsageError with the nearest name.
BiasCorrection bias_correction_from_name(std::string_view name);
Rounding rounding_from_name(std::string_view name);

}  // namespace adze::quantize
