#pragma once

#include <cstdint>
#include <optional>

#include "adze/engine/kernels/lowbit/lowbit.h"
#include "adze/plan/coded_weights.h"

namespace adze::engine {

/// How coded weights are packed for kernels/lowbit: weight = factor * scale * (step * (code - base) / step - zero
/// point).
struct CodedForm {
  kernels::LowbitLayout layout;
  std::int32_t base = 0;  ///< the code that is packed as 0
  float factor = 1.0f;    ///< of the scales
};

/// As few bits as the codes' values need, whatever type they are stored in. Nothing: they stand for numbers that are
/// not evenly spaced.
std::optional<CodedForm> coded_form(const CodedWeights& weights);

/// Inputs that share a scale when they are packed, and when they are rounded: the block, or a part of a long one.
std::int64_t coded_group(std::int64_t block, std::int64_t depth);

/// packed: form.layout.bytes(), zero.
void pack_coded(const CodedWeights& weights, const CodedForm& form, std::uint8_t* packed);

}  // namespace adze::engine
