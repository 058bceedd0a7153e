#include "adze/quantize/weight_blocks.h"

#include <algorithm>
#include <cmath>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/numerics/affine.h"

namespace adze::quantize {

namespace {

/// The element index of every member of each block, block after block in the order of the scales.
class Blocks {
 public:
  Blocks(const Shape& shape, std::int64_t axis, std::int64_t block) : block_(block) {
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (static_cast<std::int64_t>(i) < axis) outer_ *= shape[i];
      if (static_cast<std::int64_t>(i) > axis) inner_ *= shape[i];
    }
    length_ = shape[static_cast<std::size_t>(axis)];
  }
  std::int64_t parts() const { return (length_ + block_ - 1) / block_; }

  /// Calls visit(index of the scale, first element, elements, step from one to the next).
  template <typename Visit>
  void visit(Visit visit) const {
    for (std::int64_t outer = 0; outer < outer_; ++outer) {
      for (std::int64_t part = 0; part < parts(); ++part) {
        for (std::int64_t inner = 0; inner < inner_; ++inner) {
          visit((outer * parts() + part) * inner_ + inner, (outer * length_ + part * block_) * inner_ + inner,
                std::min(block_, length_ - part * block_), inner_);
        }
      }
    }
  }

 private:
  std::int64_t block_, outer_ = 1, length_ = 1, inner_ = 1;
};

double squared_error(const std::vector<float>& values, float scale, const IntegerGrid& grid) {
  double sum = 0;
  for (const float value : values) {
    const float code =
        std::clamp(std::nearbyintf(value / scale), static_cast<float>(grid.low), static_cast<float>(grid.high));
    const double error = static_cast<double>(value) - static_cast<double>(scale) * code;
    sum += error * error;
  }
  return sum;
}

float best_scale(const std::vector<float>& values, const IntegerGrid& grid, int bits) {
  float largest = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) throw ModelError("a weight is NaN or infinite", {}, "keep the node float with --skip");
    largest = std::max(largest, std::abs(value));
  }
  if (bits == 1) {  // signs: the mean magnitude has the least squared error
    double sum = 0;
    for (const float value : values) sum += std::abs(value);
    return sum > 0 ? static_cast<float>(sum / static_cast<double>(values.size())) : 1.0F;
  }
  const float widest = scale_for_range(-largest, largest, grid).scale;
  if (bits >= 8 || largest == 0) return widest;
  constexpr int steps = 100;
  float best = widest;
  double least = squared_error(values, widest, grid);
  for (int step = 1; step < steps * 9 / 10; ++step) {
    const float scale = widest * (1.0F - static_cast<float>(step) / steps);
    const double error = squared_error(values, scale, grid);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

}  // namespace

BlockedWeight quantize_blocks(const Tensor& weight, std::int64_t axis, std::int64_t block, int bits) {
  const IntegerGrid grid = narrowed(weight_grid(), std::max(bits, 2));  // signs are the ends of 2 bits
  const Blocks blocks(weight.shape(), axis, block);
  Shape shape = weight.shape();
  shape[static_cast<std::size_t>(axis)] = blocks.parts();
  BlockedWeight result{Tensor(bits <= 4 ? DType::S4 : DType::S8, weight.shape()), Tensor(DType::F32, shape), axis,
                       block};
  const auto values = weight.data<float>();
  const auto scales = result.scales.mutable_data<float>();
  std::vector<float> members;
  blocks.visit([&](std::int64_t index, std::int64_t first, std::int64_t count, std::int64_t step) {
    members.clear();
    for (std::int64_t i = 0; i < count; ++i) members.push_back(values[static_cast<std::size_t>(first + i * step)]);
    const float scale = best_scale(members, grid, bits);
    scales[static_cast<std::size_t>(index)] = scale;
    for (std::int64_t i = 0; i < count; ++i) {
      const float member = members[static_cast<std::size_t>(i)];
      const float code = bits > 1 ? std::nearbyintf(member / scale) : member < 0 ? -1.0F : 1.0F;
      result.codes.set_int(first + i * step, std::clamp(static_cast<int>(code), grid.low, grid.high));
    }
  });
  return result;
}

std::vector<float> restored(const BlockedWeight& weight) {
  std::vector<float> values = to_floats(weight.codes);
  const auto scales = weight.scales.data<float>();
  Blocks(weight.codes.shape(), weight.axis, weight.block)
      .visit([&](std::int64_t index, std::int64_t first, std::int64_t count, std::int64_t step) {
        for (std::int64_t i = 0; i < count; ++i) {
          values[static_cast<std::size_t>(first + i * step)] *= scales[static_cast<std::size_t>(index)];
        }
      });
  return values;
}

std::int64_t input_axis(const Node& layer, const Shape& weight) {
  if (layer.kind == OpKind::Gemm) return layer.get_int("transB") != 0 ? 1 : 0;
  if (layer.kind == OpKind::Conv) return 1;
  if (layer.kind == OpKind::ConvTranspose) return 0;
  return std::max<std::int64_t>(0, std::ssize(weight) - 2);
}

}  // namespace adze::quantize
