#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/sign_sums/sign_sums_call.h"

namespace adze::kernels {

/// One line of sign_sums.def.
struct SignSumsKernel {
  const char* name;
  Isa isa;
  void (*run)(const SignSumsCall&);
  void (*pack)(const SignPackCall&);
};
std::span<const SignSumsKernel> sign_sums_kernels();
/// The first kernel of the table that the instruction set allows.
const SignSumsKernel& sign_sums_kernel(Isa isa);

/// Inputs as they lie in a row: stretches (the taps of a window) of whole words.
struct SignLayout {
  std::int64_t taps, inputs, columns;
  bool ternary;

  std::int64_t tap_words() const { return (inputs + 63) / 64; }
  std::int64_t words() const { return taps * tap_words(); }
  std::int64_t blocks() const { return (columns + 7) / 8; }
  std::int64_t packed_words() const { return blocks() * words() * (ternary ? 16 : 8); }
};
/// weight: of which only the sign counts. packed: layout.packed_words(), zero.
void pack_sign_weights(const SignLayout& layout,
                       const std::function<float(std::int64_t tap, std::int64_t input, std::int64_t column)>& weight,
                       std::uint64_t* packed);

}  // namespace adze::kernels
