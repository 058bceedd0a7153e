#pragma once

#include <functional>
#include <memory>
#include <span>

#include "adze/engine/kernels/dense_f32/dense_f32.h"
#include "adze/engine/kernels/geometry.h"
#include "adze/engine/step.h"

namespace adze::engine {

/// A float convolution or product by kernels/dense_f32: its geometry, and its weights and bias in their own order.
struct DenseF32Problem {
  kernels::WindowGeometry geometry;  ///< a product is a convolution of a picture of one row: in_width rows
  /// Of the first group; the next groups' follow at columns * column_step.
  kernels::DenseF32Source weights;
  std::function<float(std::int64_t column)> bias;
  float low, high;
};

/// Reads input 0 and writes output 0 of the node. Weights are packed into the context's cache.
std::unique_ptr<Step> make_dense_f32_step(const BindContext& context, const DenseF32Problem& problem);

}  // namespace adze::engine
