#pragma once

#include <cstdint>

namespace adze::kernels {

/// How stored weights become floats.
enum class WeightCode : std::uint8_t {
  F16,
  Bf16,
  F8E4M3,  ///< without NaN among the codes
  F8E5M2,
  Table4,  ///< 4 bits, an index into 16 floats
  Table8,  ///< 8 bits, an index into 256 floats
};
constexpr int weight_code_bits(WeightCode code) {
  return code == WeightCode::F16 || code == WeightCode::Bf16 ? 16 : code == WeightCode::Table4 ? 4 : 8;
}
/// Inputs whose codes of one column lie in 4 bytes.
constexpr std::int64_t weight_code_inputs(WeightCode code) {
  return 32 / weight_code_bits(code);
}

/// Do the codes of an input lie side by side? So halves do, which are converted many at a time: a panel of 16 columns
/// has two inputs in 64 bytes, 16 halves for each. The codes of all others lie by column, 4 bytes for each.
constexpr bool lies_by_input(WeightCode code) {
  return code == WeightCode::F16;
}
/// The byte of a panel's 64 in which the code of a column and input begins, or the 4 bytes that hold it.
constexpr std::int64_t weight_code_place(WeightCode code, std::int64_t column, std::int64_t input) {
  return lies_by_input(code) ? input * 32 + column * 2 : column * 4;
}

/// Products of rows with one block of columns of weights that are decoded as they are read:
///
///   y[r, j] = clamp(bias[j] + sum over groups g of scale[g, j] * (sum over k in g of x[r, k] * value(code[k, j])),
///                   low, high)
///
/// Inner sums start at 0 and add in order by fused multiply-add, so do outer ones, from the bias: every kernel gives
/// the same bits. Without scales they are 1 and there is one group.
///
/// weights: for each group its scales (panels * 16 floats, when there are scales), then panels * 64 bytes for every
/// weight_code_inputs inputs: 4 bytes for each column, the first input's code lowest (but see lies_by_input). Groups
/// are filled up with zero codes that meet no input.
struct DecodedF32Call {
  WeightCode code;
  const float* table;  ///< of Table4, Table8
  const float* x;
  std::int64_t x_stride;
  std::int64_t rows;
  std::int64_t depth;
  std::int64_t group;
  const std::uint8_t* weights;
  std::int64_t panels;  ///< of 16 columns: 1 to 4
  bool scales;
  const float* bias;  ///< panels * 16 of them
  float low, high;
  float* y;
  std::int64_t y_stride;
  std::int64_t columns;  ///< that exist, up to panels * 16
};

}  // namespace adze::kernels
