#include <algorithm>
#include <vector>

#include "adze/engine/kernels/gemm_f32/gemm_f32.h"

namespace adze::kernels {

namespace {

class RefGemmF32 final : public GemmF32 {
 public:
  explicit RefGemmF32(const GemmF32Shape& shape) : shape_(shape), bias_(static_cast<std::size_t>(shape.columns), 0.0f) {
    if (shape.bias != nullptr) std::copy_n(shape.bias, shape.columns, bias_.begin());
    if (shape.weights != nullptr) weights_.assign(shape.weights, shape.weights + shape.depth * shape.columns);
    shape_.weights = shape_.bias = nullptr;
  }

  void run(const float* a, const float* w, float* y) const override {
    const std::int64_t columns = shape_.columns;
    for (std::int64_t b = 0; b < shape_.batch; ++b) {
      const float* weights = w == nullptr ? weights_.data() : w + b * shape_.depth * columns;
      for (std::int64_t i = 0; i < shape_.rows; ++i, a += shape_.depth, y += columns) {
        std::copy(bias_.begin(), bias_.end(), y);
        for (std::int64_t k = 0; k < shape_.depth; ++k) {
          for (std::int64_t j = 0; j < columns; ++j) y[j] += a[k] * weights[k * columns + j];
        }
        for (std::int64_t j = 0; j < columns; ++j) y[j] = std::min(std::max(y[j], shape_.low), shape_.high);
      }
    }
  }
  std::string name() const override { return "gemm_f32 ref"; }
  std::int64_t packed_bytes() const override { return static_cast<std::int64_t>((weights_.size() + bias_.size()) * 4); }

 private:
  GemmF32Shape shape_;
  std::vector<float> bias_, weights_;
};

}  // namespace

std::unique_ptr<GemmF32> gemm_f32_ref(const GemmF32Shape& shape, Isa) {
  return std::make_unique<RefGemmF32>(shape);
}

}  // namespace adze::kernels
