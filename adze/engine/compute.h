#pragma once

#include <cstdint>
#include <string_view>

namespace adze {

/// In what numbers the products of float convolutions, matrix products and products of two activations are made.
/// Sums, weights at rest and all other operators are f32 either way.
enum class Compute : std::uint8_t {
  F32,
  /// Factors rounded to bf16 (8 bits of precision), to nearest even, where the machine has a kernel for it; f32
  /// elsewhere. Less exact; faster with AMX only.
  Bf16,
};

/// "f32", "bf16".
std::string_view compute_name(Compute compute);
/// UsageError listing the names for an unknown one.
Compute compute_from_name(std::string_view name);

}  // namespace adze
