#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "adze/engine/isa.h"

namespace adze::kernels {

/// Float matrix products: y[b, i, j] = clamp(bias[j] + sum over k a[b, i, k] * w[b, k, j], low, high), all row-major
/// and dense.
struct GemmF32Shape {
  std::int64_t batch = 1, rows = 1, depth = 1, columns = 1;
  float low, high;  ///< clamp; infinite for none
  const float* weights =
      nullptr;                  ///< [depth, columns], packed once; null: given to each run as [batch, depth, columns]
  const float* bias = nullptr;  ///< [columns] or null
};

class GemmF32 {
 public:
  virtual ~GemmF32() = default;
  /// w is null when the weights are packed. Thread-safe.
  virtual void run(const float* a, const float* w, float* y) const = 0;
  virtual std::string name() const = 0;
  virtual std::int64_t packed_bytes() const = 0;
};

using MakeGemmF32 = std::unique_ptr<GemmF32> (*)(const GemmF32Shape&, Isa);

/// One line of gemm_f32.def.
struct GemmF32Kernel {
  const char* name;
  Isa isa;
  double tolerance;  ///< |y - reference| <= tolerance * (1 + sum of |a * w|)
  MakeGemmF32 make;
};
std::span<const GemmF32Kernel> gemm_f32_kernels();

/// The first kernel of the table that the instruction set allows.
std::unique_ptr<GemmF32> make_gemm_f32(const GemmF32Shape&, Isa);

}  // namespace adze::kernels
