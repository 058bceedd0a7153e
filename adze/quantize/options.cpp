#include "adze/quantize/options.h"

#include <cstdio>

#include <algorithm>
#include <array>
#include <charconv>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/quantize/weight_formats.h"

namespace adze::quantize {

namespace {

constexpr std::array<std::string_view, 5> mode_names{"static", "dynamic", "weight-only", "float8", "none"};
constexpr std::array<std::string_view, 5> state_scales_names{"auto", "tensor", "head", "channel", "token"};
constexpr std::array<std::pair<std::string_view, DType>, 4> state_dtypes{
    {{"int8", DType::S8}, {"int4", DType::S4}, {"f8e4m3", DType::F8E4M3}, {"f16", DType::F16}}};
constexpr std::array<std::string_view, 6> calibrator_names{"max", "percentile",     "entropy",
                                                           "mse", "moving-average", "aciq"};
constexpr std::array<std::string_view, 3> bias_correction_names{"none", "data", "analytic"};
constexpr std::array<std::string_view, 3> rounding_names{"nearest", "adaround", "gptq"};

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
std::string_view bias_correction_name(BiasCorrection correction) {
  return bias_correction_names[static_cast<std::size_t>(correction)];
}
std::string_view rounding_name(Rounding rounding) {
  return rounding_names[static_cast<std::size_t>(rounding)];
}
BiasCorrection bias_correction_from_name(std::string_view name) {
  return static_cast<BiasCorrection>(find_name(bias_correction_names, name, "bias correction"));
}
Rounding rounding_from_name(std::string_view name) {
  return static_cast<Rounding>(find_name(rounding_names, name, "rounding"));
}
std::string_view state_scales_name(StateScales scales) {
  return state_scales_names[static_cast<std::size_t>(scales)];
}
StateScales state_scales_from_name(std::string_view name) {
  return static_cast<StateScales>(find_name(state_scales_names, name, "granularity of states"));
}
DType state_dtype_from_name(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [word, dtype] : state_dtypes) {
    if (word == name) return dtype;
    known.emplace_back(word);
  }
  throw UsageError(cat("states cannot be kept as ", quoted(name)), cat("use one of ", join(known, ", ")));
}
std::string_view state_dtype_name(DType dtype) {
  for (const auto& [word, own] : state_dtypes) {
    if (own == dtype) return word;
  }
  return {};
}
Mode mode_from_name(std::string_view name) {
  return static_cast<Mode>(find_name(mode_names, name, "mode"));
}
Calibrator calibrator_from_name(std::string_view name) {
  return static_cast<Calibrator>(find_name(calibrator_names, name, "calibrator"));
}

namespace {

void check_bits(const BitWidths& bits) {
  if (bits.weights < 1 || bits.weights > 8)
    throw UsageError(cat("weights of ", bits.weights, " bits"), "1 to 8 bits, such as w4a8");
  if ((bits.activations < 2 || bits.activations > 8) && bits.activations != 16) {
    throw UsageError(cat("activations of ", bits.activations, " bits"), "2 to 8 bits or 16, such as w4a8");
  }
}

}  // namespace

BitWidths parse_bit_widths(std::string_view text) {
  const std::string whole(text);
  BitWidths bits;
  int end = 0;
  const auto used = [&] { return static_cast<std::size_t>(end) == whole.size(); };
  const bool both = std::sscanf(whole.c_str(), "w%1da%2d%n", &bits.weights, &bits.activations, &end) == 2 && used();
  if (!both) {
    end = 0;
    if (std::sscanf(whole.c_str(), "int%1d%n", &bits.weights, &end) != 1 || !used()) {
      throw UsageError(cat("bit widths are written w4a8 or int8, got ", quoted(text)));
    }
    bits.activations = std::max(2, bits.weights);
  }
  check_bits(bits);
  return bits;
}

std::vector<LayerBits> parse_layer_bits(const std::vector<std::string>& texts) {
  std::vector<LayerBits> result;
  for (const std::string& text : texts) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos) throw UsageError(cat("bits of layers are PATTERN=w4a8, got ", adze::quoted(text)));
    result.push_back({text.substr(0, equals), parse_bit_widths(text.substr(equals + 1))});
  }
  return result;
}

std::string bit_widths_text(const BitWidths& bits) {
  return cat("w", bits.weights, "a", bits.activations);
}

void set_granularity(PtqOptions& options, std::string_view text) {
  constexpr std::string_view group = "per-group=";
  options.weights = text == "per-tensor" ? Granularity::PerTensor : Granularity::PerChannel;
  options.channel_group = 1;
  if (text == "per-tensor" || text == "per-channel") return;
  const char* end = text.data() + text.size();
  const char* number = text.data() + std::min(group.size(), text.size());
  const auto [used, error] = std::from_chars(number, end, options.channel_group);
  if (!text.starts_with(group) || error != std::errc() || used != end || options.channel_group < 1) {
    throw UsageError(cat("unknown granularity of weights ", quoted(text)),
                     "per-channel, per-tensor or per-group=4 with the channels of a group");
  }
}

std::string granularity_text(const PtqOptions& options) {
  if (options.weights == Granularity::PerTensor) return "per-tensor";
  return options.channel_group == 1 ? "per-channel" : cat("per-group=", options.channel_group);
}

bool needs_data(const PtqOptions& options) {
  const bool observes = options.mode == Mode::Float8 || (options.mode == Mode::Static && !options.methods.zero_shot);
  const StateOptions& state = options.state;
  const bool states = state.is_quantized() && state.dtype != DType::F16 && state.scales != StateScales::Token;
  return observes || options.methods.need_data() || states;
}

void check_options(const PtqOptions& options) {
  check_bits(options.bits);
  for (const LayerBits& one : options.layer_bits) {
    check_bits(one.bits);
    if (one.bits.activations > 8 && options.bits.activations <= 8)
      throw UsageError("activations of 16 bits are for the whole network", "--bits w8a16");
  }
  const bool wide = options.bits.activations > 8;
  if (wide && options.mode != Mode::Static && options.mode != Mode::WeightOnly)
    throw UsageError("activations of 16 bits need ranges from calibration", "--mode static");
  if (wide && options.keep_code_windows) throw UsageError("activations of 16 bits cannot be trained", "w8a8");
  if (options.activation_dtype != DType::S8 && options.activation_dtype != DType::U8) {
    throw UsageError(cat("activations cannot be quantized to ", dtype_name(options.activation_dtype)), "use s8 or u8");
  }
  if (!(options.percentile > 50 && options.percentile <= 100)) {
    throw UsageError(cat("percentile ", options.percentile, " is not in (50, 100]"), "99.99 is a good start");
  }
  if (!options.format.empty()) {
    check_weight_format(options.format);
    const bool plain = options.block == 0 && options.bits == BitWidths{} && options.layer_bits.empty() &&
                       options.methods.rounding == Rounding::Nearest && !options.methods.awq;
    if (options.mode != Mode::WeightOnly || !plain) {
      throw UsageError(cat("a weight format (", options.format, ") goes with weight-only quantization alone"),
                       "--mode weight-only, without bits, blocks, rounding and AWQ");
    }
  }
  if (options.block < 0) throw UsageError(cat("blocks of ", options.block, " inputs"), "32 is a good start");
  if (options.block > 0 && options.mode != Mode::WeightOnly) {
    throw UsageError("scales by block of inputs are for weight-only quantization", "--mode weight-only");
  }
  if (options.channel_group < 1) throw UsageError(cat("groups of ", options.channel_group, " channels"));
  if (options.channel_group > 1 && (options.block > 0 || options.keep_code_windows)) {
    throw UsageError("scales of groups of channels go with neither blocks of inputs nor training",
                     "per-channel scales");
  }
  if (options.power_of_two && options.mode == Mode::Static && options.activations != Symmetry::Symmetric) {
    throw UsageError("scales that are powers of two need symmetric activations", "--activations symmetric");
  }
  if (options.methods.zero_shot && options.mode != Mode::Static) {
    throw UsageError("zero-shot ranges are for static quantization", "leave out --mode");
  }
  if (options.dynamic_rows && options.mode != Mode::Dynamic) {
    throw UsageError("scales by token are found at each run", "--mode dynamic");
  }
  if (options.mode == Mode::None && !options.state.is_quantized()) {
    throw UsageError("nothing is to be quantized", "--state int8");
  }
  if (options.methods.smooth > 1) throw UsageError(cat("alpha ", options.methods.smooth, " is not in [0, 1]"));
  if (options.methods.split_outliers < 0 || options.methods.split_outliers > 1) {
    throw UsageError(cat("a share of channels is in [0, 1], got ", options.methods.split_outliers),
                     "0.02 is a good start");
  }
  if (options.max_samples < 0) throw UsageError(cat("the number of samples is ", options.max_samples));
}

}  // namespace adze::quantize
