#include "adze/engine/kernels/dense_f32/dense_f32.h"

#include <algorithm>

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_DENSE_F32(name, isa, lanes, vectors, tolerance) \
  void name(const DenseF32Call&);                            \
  void name##_scale(const DenseF32Scale&);
#include "adze/engine/kernels/dense_f32/dense_f32.def"
#undef ADZE_DENSE_F32

std::span<const DenseF32Kernel> dense_f32_kernels() {
  static const DenseF32Kernel kernels[] = {
#define ADZE_DENSE_F32(name, isa, lanes, vectors, tolerance) \
  {#name, Isa::isa, lanes, vectors, tolerance, name, name##_scale},
#include "adze/engine/kernels/dense_f32/dense_f32.def"
#undef ADZE_DENSE_F32
  };
  return kernels;
}

const DenseF32Kernel& dense_f32_kernel(Isa isa) {
  for (const DenseF32Kernel& kernel : dense_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("dense_f32 has no plain kernel");
}

std::vector<DenseF32Panel> dense_f32_panels(const DenseF32Kernel& kernel, std::int64_t columns) {
  const std::int64_t vectors = (columns + kernel.lanes - 1) / kernel.lanes;
  const std::int64_t count = (vectors + kernel.most_vectors - 1) / kernel.most_vectors;
  std::vector<DenseF32Panel> panels;
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t width = vectors / count + (i < vectors % count ? 1 : 0);
    panels.push_back({width, first, std::min(width * kernel.lanes, columns - first)});
    first += width * kernel.lanes;
  }
  return panels;
}

void pack_dense_f32(const DenseF32Kernel& kernel, const DenseF32Source& source, float* packed) {
  constexpr std::int64_t block = 32;  // rows of a panel that stay in the first cache while columns are written to them
  const std::int64_t depth = source.taps * source.inputs;
  for (const DenseF32Panel& panel : dense_f32_panels(kernel, source.columns)) {
    const std::int64_t width = panel.vectors * kernel.lanes;
    if (panel.columns < width) std::fill_n(packed, depth * width, 0.0f);
    for (std::int64_t tap = 0; tap < source.taps; ++tap) {
      for (std::int64_t first = 0; first < source.inputs; first += block) {
        const std::int64_t last = std::min(first + block, source.inputs);
        float* rows = packed + (tap * source.inputs + first) * width;
        for (std::int64_t j = 0; j < panel.columns; ++j) {
          const Elements<float> from = source.weights + (panel.first + j) * source.column_step + tap * source.tap_step;
          float* to = rows + j;
          for (std::int64_t i = first; i < last; ++i, to += width) *to = source.factor * from[i * source.input_step];
        }
      }
    }
    packed += depth * width;
  }
}

}  // namespace adze::kernels
