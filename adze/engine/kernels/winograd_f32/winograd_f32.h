#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/winograd_f32/winograd_f32_call.h"
#include "adze/numerics/elements.h"

namespace adze::kernels {

/// One line of winograd_f32.def, for tiles of one side.
struct WinogradF32Kernel {
  const char* name;
  Isa isa;
  std::int64_t side;  ///< m: 2 or 4
  double tolerance;   ///< |y - reference| <= tolerance * (1 + sum of |x * w|)
  void (*input)(const WinogradInputCall&);
  void (*output)(const WinogradOutputCall&);

  std::int64_t input_side() const { return side + 2; }
  std::int64_t points() const { return input_side() * input_side(); }
};
std::span<const WinogradF32Kernel> winograd_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const WinogradF32Kernel& winograd_f32_kernel(Isa isa, std::int64_t side);

/// Filters [outputs][inputs][3][3] as [point][outputs][inputs].
std::vector<float> winograd_f32_filters(std::int64_t side, Elements<float> filters, std::int64_t outputs,
                                        std::int64_t inputs);

}  // namespace adze::kernels
