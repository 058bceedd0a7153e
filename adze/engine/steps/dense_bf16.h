#pragma once

#include <memory>

#include "adze/engine/steps/dense_f32.h"

namespace adze::engine {

/// A float convolution or product with constant weights by kernels/dense_bf16; null unless the session computes in
/// bf16 and the instruction set has a kernel.
std::unique_ptr<Step> make_dense_bf16_step(const BindContext& context, const DenseF32Problem& problem);

/// A product of two activations [batch…, rows, depth] × [batch…, depth, columns], under the same conditions.
struct Bf16Product {
  std::int64_t batch, rows, depth, columns;
  float low, high;
};
std::unique_ptr<Step> make_product_bf16_step(const BindContext& context, const Bf16Product& product);

}  // namespace adze::engine
