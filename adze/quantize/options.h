#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adze/numerics/dtype.h"
#include "adze/quantize/method_options.h"

namespace adze::quantize {

enum class Mode : std::uint8_t {
  Static,      ///< weights and activations int8, activation scales from calibration
  Dynamic,     ///< weights int8, activation scales found anew at each run; needs no calibration
  WeightOnly,  ///< weights stored as int8, computation in float; needs no calibration
  Float8,      ///< weights and the layers' inputs as f8e4m3 (float8.h), activation scales from calibration
  None,        ///< nothing but what is asked for beside: the states
};

enum class Granularity : std::uint8_t { PerTensor, PerChannel };

enum class Symmetry : std::uint8_t { Asymmetric, Symmetric };

/// How the range of an activation is chosen from what calibration saw.
enum class Calibrator : std::uint8_t {
  Max,            ///< everything seen
  Percentile,     ///< the range that leaves a small share of the values outside
  Entropy,        ///< least KL divergence (Migacz, 8-bit Inference with TensorRT, 2017)
  Mse,            ///< least expected squared error
  MovingAverage,  ///< the batches' extremes, averaged as they come: Jacob et al., arXiv:1712.05877
  Aciq,           ///< least error of a Laplace or normal distribution fitted to them: Banner et al., arXiv:1810.05723
};

/// Where the last activations (Softmax, Sigmoid, Tanh at the graph's outputs) are computed.
enum class FinalActivation : std::uint8_t { Float, Integer };

/// Bits of the codes of a layer's weights and of the values that it reads: 2 to 8. Weights of 1 bit are -s or s.
/// Activations of 16 bits are s16, symmetric, in the whole network (Static).
struct BitWidths {
  int weights = 8;
  int activations = 8;
  bool operator==(const BitWidths&) const = default;
};

/// Bit widths for the layers that a pattern names, as in PtqOptions::skip.
struct LayerBits {
  std::string pattern;
  BitWidths bits;
};

/// "w4a8", "w8a16" or "int8". Throws UsageError.
BitWidths parse_bit_widths(std::string_view text);
/// "PATTERN=w4a8" texts. Throws UsageError.
std::vector<LayerBits> parse_layer_bits(const std::vector<std::string>& texts);
std::string bit_widths_text(const BitWidths& bits);

/// Where the scales of a state differ. Heads and channels are those of keys and values [batch, heads, tokens,
/// channels].
enum class StateScales : std::uint8_t {
  Auto,     ///< of what grows by token: keys by channel, others by token; of all else: one scale
  Tensor,   ///< nowhere
  Head,     ///< axis 1
  Channel,  ///< every axis but the batch and the tokens; the last axis of states that do not grow
  Token,    ///< every token of every head has its own, found when it is computed
};

/// What is kept between calls: keys and values, recurrent cells (graph/states.h).
struct StateOptions {
  DType dtype = DType::Undefined;  ///< Undefined: as it is; S8, S4, F8E4M3 or F16
  StateScales scales = StateScales::Auto;

  bool is_quantized() const { return dtype != DType::Undefined; }
};

/// Everything that post-training quantization can be told.
struct PtqOptions {
  Mode mode = Mode::Static;
  Granularity weights = Granularity::PerChannel;  ///< symmetric s8 in [-127, 127]
  std::int64_t channel_group = 1;                 ///< PerChannel: so many neighbouring output channels share a scale
  Symmetry activations = Symmetry::Asymmetric;
  DType activation_dtype = DType::S8;  ///< S8 or U8
  Calibrator calibrator = Calibrator::Mse;
  double percentile = 99.99;  ///< Percentile: share of values kept on each side, in (50, 100]
  FinalActivation final_activation = FinalActivation::Float;
  bool first_layer_float = false;  ///< layers that read a graph input stay float
  bool last_layer_float = false;   ///< layers that no other layer follows stay float
  /// Nodes that stay float: node names with * and ? as wildcards, or operator names ("Softmax").
  std::vector<std::string> skip;
  BitWidths bits;                     ///< fewer than 8 use a part of the codes of 8-bit types; WeightOnly: s4 up to 4
  int end_bits = 8;                   ///< the first and the last layers get at least so many
  std::vector<LayerBits> layer_bits;  ///< for single layers; the first pattern that fits counts
  std::int64_t block = 0;  ///< WeightOnly: inputs that share a scale in layers; 0: a scale for each output channel
  std::string format;  ///< WeightOnly: a number format for the weights of layers (weight_formats.h); empty: integers
  bool dynamic_rows = false;       ///< Dynamic: every row (token) of a matrix product's input has its own scale
  bool reduce_range = false;       ///< weights of 7 bits: sums of two products fit 16 bits on CPUs without VNNI
  bool power_of_two = false;       ///< all scales are powers of two, so that kernels shift; needs symmetric activations
  Methods methods;                 ///< Static and WeightOnly
  StateOptions state;              ///< with any mode
  bool keep_code_windows = false;  ///< leave fewer bits as marks (set_code_window): training learns the scales first
  std::int64_t max_samples = 0;    ///< calibration stops after so many samples; 0: all that are given
  std::uint64_t seed = 0;          ///< recorded; the samples were chosen with it
};

std::string_view mode_name(Mode mode);
std::string_view calibrator_name(Calibrator calibrator);
/// Throws UsageError with the nearest name.
Mode mode_from_name(std::string_view name);
Calibrator calibrator_from_name(std::string_view name);

/// "per-tensor", "per-channel" or "per-group=4" (channels). Throws UsageError.
void set_granularity(PtqOptions& options, std::string_view text);
std::string granularity_text(const PtqOptions& options);

std::string_view state_scales_name(StateScales scales);
StateScales state_scales_from_name(std::string_view name);
/// "int8", "int4", "f8e4m3" or "f16". Throws UsageError.
DType state_dtype_from_name(std::string_view name);
/// Its inverse; empty for Undefined.
std::string_view state_dtype_name(DType dtype);

/// Can these options not do without calibration data?
bool needs_data(const PtqOptions& options);

/// Throws UsageError naming the option that cannot be.
void check_options(const PtqOptions& options);

}  // namespace adze::quantize
