#include "adze/engine/kernels/winograd_f32/winograd_f32.h"

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_WINOGRAD_F32(isa_name, isa, tolerance_2, tolerance_4)  \
  void winograd_f32_input_2_##isa_name(const WinogradInputCall&);   \
  void winograd_f32_output_2_##isa_name(const WinogradOutputCall&); \
  void winograd_f32_input_4_##isa_name(const WinogradInputCall&);   \
  void winograd_f32_output_4_##isa_name(const WinogradOutputCall&);
#include "adze/engine/kernels/winograd_f32/winograd_f32.def"
#undef ADZE_WINOGRAD_F32

std::span<const WinogradF32Kernel> winograd_f32_kernels() {
  static const WinogradF32Kernel kernels[] = {
#define ADZE_WINOGRAD_F32(isa_name, isa, tolerance_2, tolerance_4)                                 \
  {"winograd_f32_2x2_" #isa_name,   Isa::isa, 2, tolerance_2, winograd_f32_input_2_##isa_name,     \
   winograd_f32_output_2_##isa_name},                                                              \
      {"winograd_f32_4x4_" #isa_name,   Isa::isa, 4, tolerance_4, winograd_f32_input_4_##isa_name, \
       winograd_f32_output_4_##isa_name},
#include "adze/engine/kernels/winograd_f32/winograd_f32.def"
#undef ADZE_WINOGRAD_F32
  };
  return kernels;
}

const WinogradF32Kernel& winograd_f32_kernel(Isa isa, std::int64_t side) {
  for (const WinogradF32Kernel& kernel : winograd_f32_kernels()) {
    if (kernel.side == side && isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("winograd_f32 has no plain kernel");
}

namespace {

/// G, by rows.
constexpr double filter_matrix_2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
constexpr double filter_matrix_4[6][3] = {{1.0 / 4, 0, 0},
                                          {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                          {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                          {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                          {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                          {0, 0, 1}};

}  // namespace

std::vector<float> winograd_f32_filters(std::int64_t side, Elements<float> filters, std::int64_t outputs,
                                        std::int64_t inputs) {
  const auto* matrix = side == 2 ? filter_matrix_2 : filter_matrix_4;
  const std::int64_t points = side + 2, count = outputs * inputs;
  std::vector<float> result(static_cast<std::size_t>(points * points * count));
  for (std::int64_t f = 0; f < count; ++f) {
    double half[6][3] = {};  // G g
    for (std::int64_t p = 0; p < points; ++p) {
      for (std::int64_t k = 0; k < 9; ++k) half[p][k % 3] += matrix[p][k / 3] * filters[f * 9 + k];
    }
    for (std::int64_t p = 0; p < points; ++p) {
      for (std::int64_t q = 0; q < points; ++q) {
        const double point = half[p][0] * matrix[q][0] + half[p][1] * matrix[q][1] + half[p][2] * matrix[q][2];
        result[static_cast<std::size_t>((p * points + q) * count + f)] = static_cast<float>(point);
      }
    }
  }
  return result;
}

}  // namespace adze::kernels
