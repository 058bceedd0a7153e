#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/dense_f32/dense_f32_call.h"
#include "adze/numerics/elements.h"

namespace adze::kernels {

using DenseF32 = void (*)(const DenseF32Call&);

/// One line of dense_f32.def.
struct DenseF32Kernel {
  const char* name;
  Isa isa;
  std::int64_t lanes;         ///< columns in a vector
  std::int64_t most_vectors;  ///< the widest panel
  double tolerance;           ///< |y - reference| <= tolerance * (1 + sum of |x * w|)
  DenseF32 run;
  void (*scale)(const DenseF32Scale&);
};
std::span<const DenseF32Kernel> dense_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const DenseF32Kernel& dense_f32_kernel(Isa isa);

/// Some columns of packed weights: [depth][vectors * lanes], zero where there is no column.
struct DenseF32Panel {
  std::int64_t vectors;
  std::int64_t first, columns;  ///< the columns that exist; first is a multiple of lanes
};

/// How columns are cut into panels: of about the same width, none of a single vector beside others.
std::vector<DenseF32Panel> dense_f32_panels(const DenseF32Kernel& kernel, std::int64_t columns);

/// Columns with those that fill the last vector.
inline std::int64_t dense_f32_padded(const DenseF32Kernel& kernel, std::int64_t columns) {
  return (columns + kernel.lanes - 1) / kernel.lanes * kernel.lanes;
}

/// Weights w[tap * tap_step + i * input_step + j * column_step] * factor; the depth of a column is [taps][inputs].
struct DenseF32Source {
  Elements<float> weights;
  std::int64_t taps, inputs, columns;
  std::int64_t tap_step, input_step, column_step;
  float factor = 1.0f;
};
/// Panel after panel: taps * inputs * padded columns floats.
void pack_dense_f32(const DenseF32Kernel& kernel, const DenseF32Source& source, float* packed);

}  // namespace adze::kernels
