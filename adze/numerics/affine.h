#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "adze/numerics/tensor.h"

namespace adze {

/// Which codes of an integer type are used, and whether zero sits in their middle.
struct IntegerGrid {
  DType dtype = DType::S8;
  std::int32_t low = -128;
  std::int32_t high = 127;
  bool symmetric = false;  ///< real 0 is code 0 (128 for u8); equal reach to both sides
};

/// Weights: s8 in [-127, 127], symmetric, as the TFLite int8 specification has them.
IntegerGrid weight_grid();
/// Activations: all codes of s8 or u8.
IntegerGrid activation_grid(DType dtype, bool symmetric);

/// The part of the grid that has so many bits: the lowest codes, or as many on both sides of a symmetric middle.
IntegerGrid narrowed(const IntegerGrid& grid, int bits);

/// real = scale · (code − zero_point)
struct AffineScale {
  float scale = 1;
  std::int32_t zero_point = 0;
  bool operator==(const AffineScale&) const = default;
};

/// The scale whose codes cover [low, high] widened to hold 0, with 0 exactly on a code. An empty range gives scale 1;
/// the scale is never below the smallest normal float.
AffineScale scale_for_range(double low, double high, const IntegerGrid& grid);

/// The real interval that the codes cover.
double lowest_real(const AffineScale& affine, const IntegerGrid& grid);
double highest_real(const AffineScale& affine, const IntegerGrid& grid);

/// round-half-even(value / scale) + zero_point, saturated to the grid: ONNX QuantizeLinear.
std::int32_t quantize_value(float value, const AffineScale& affine, const IntegerGrid& grid);

/// A tensor's scales along one axis, or one scale for all of it.
struct TensorScales {
  std::vector<AffineScale> scales;   ///< one, or one per index of axis
  std::optional<std::int64_t> axis;  ///< nothing: one scale for the whole tensor
};

/// The largest magnitude of each index of axis (one number for all without axis). Throws ModelError on NaN or infinity.
std::vector<float> absolute_maxima(const Tensor& tensor, std::optional<std::int64_t> axis);
/// Symmetric scales from magnitudes. Magnitude 0 takes the largest scale of the others, or 1.
std::vector<AffineScale> symmetric_scales(std::span<const float> maxima, const IntegerGrid& grid);

/// Symmetric scales of least squared error, per index of axis: the magnitude's scale shrunk in 100 steps. Every so many
/// neighbours of a group, whose maxima are alike, get one scale.
std::vector<AffineScale> least_error_scales(const Tensor& tensor, std::optional<std::int64_t> axis,
                                            std::span<const float> maxima, const IntegerGrid& grid,
                                            std::int64_t group = 1);

/// f32 → the grid's dtype, same shape.
Tensor quantized(const Tensor& tensor, const TensorScales& scales, const IntegerGrid& grid);
/// Integer codes → f32.
Tensor dequantized(const Tensor& codes, const TensorScales& scales);

/// Signal-to-quantization-noise ratio of two f32 tensors of equal size in dB: 10·log10(Σ a² / Σ (a − b)²). Larger is
/// better. +200 when they are equal, 0 when the signal is all zeros and the other is not.
double sqnr_db(std::span<const float> exact, std::span<const float> approximate);

}  // namespace adze
