#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "adze/numerics/requantize.h"

namespace adze {

/// What a function makes of each 8-bit number: entry i belongs to the quantized number x.min + i.
using ActivationTable = std::array<std::int32_t, 256>;

/// Each number dequantized, sent through function in double precision, rounded to float32 and quantized: half to even
/// in profile onnx, half away from zero otherwise (as TFLite's lookup tables). NaN becomes the lowest number.
ActivationTable rounded_table(RoundingProfile profile, const Affine& x, const Affine& y,
                              const std::function<double(double)>& function);

// The fixed-point kernels of TFLite-Micro. Nothing: its kernel does not take such scales.

/// LOGISTIC: the output's scale must be 1/256 and its zero point the lowest number.
std::optional<ActivationTable> fixed_sigmoid_table(const Affine& x, const Affine& y);
/// TANH: the output's scale must be 1/128 and its zero point the middle of its range.
std::optional<ActivationTable> fixed_tanh_table(const Affine& x, const Affine& y);
/// HARD_SWISH, in 16-bit fixed point.
std::optional<ActivationTable> fixed_hard_swish_table(const Affine& x, const Affine& y);
/// LEAKY_RELU: one multiplier for each sign.
std::optional<ActivationTable> fixed_leaky_relu_table(const Affine& x, const Affine& y, float alpha);

}  // namespace adze
