#include "adze/engine/steps/gate.h"

#include "adze/engine/steps/scratch.h"

namespace adze::engine {

void set_gate(Node& layer, ValueId x, ValueId gate) {
  layer.inputs.resize(gate_input, ValueId::None);
  layer.inputs.push_back(gate);
  layer.inputs[0] = x;
}

Gate::Gate(const BindContext& context)
    : channels_(context.shape(0).back()),
      x_(context.in<float>(0)),
      factors_(context.in<float>(gate_input)),
      multiply_(kernels::binary_f32_kernel(context.isa()).run) {
  pixels_ = num_elements(context.shape(0)) / context.shape(0).front() / channels_;
}

const float* Gate::products(std::int64_t picture, std::int64_t first_pixel, std::int64_t pixels) const {
  constexpr std::int64_t margin = 64;  // that may be read beyond the last pixel
  float* const products = thread_elements<float>(pixels * channels_ + margin, Scratch::Gate);
  const float* x = x_ + (picture * pixels_ + first_pixel) * channels_;
  for (std::int64_t i = 0; i < pixels * channels_; i += channels_) {
    multiply_(
        {kernels::BinaryF32Op::Multiply, x + i, factors(picture), 1, 1, channels_, false, 0.0f, 0.0f, products + i});
  }
  return products;
}

}  // namespace adze::engine
