#include "adze/numerics/affine.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/base/text.h"

namespace adze {

namespace {

/// Calls visit(index of the scale, first element, number of elements) for every run of equal scale.
template <typename Visit>
void visit_runs(const Shape& shape, std::optional<std::int64_t> axis, Visit visit) {
  const std::int64_t total = num_elements(shape);
  if (!axis) {
    visit(std::int64_t{0}, std::int64_t{0}, total);
    return;
  }
  std::int64_t inner = 1;
  for (auto i = static_cast<std::size_t>(*axis) + 1; i < shape.size(); ++i) inner *= shape[i];
  const std::int64_t channels = shape[static_cast<std::size_t>(*axis)];
  for (std::int64_t start = 0, run = 0; start < total; start += inner, ++run) visit(run % channels, start, inner);
}

}  // namespace

IntegerGrid weight_grid() {
  return {DType::S8, -127, 127, true};
}

IntegerGrid activation_grid(DType dtype, bool symmetric) {
  if (dtype != DType::S8 && dtype != DType::U8 && !(dtype == DType::S16 && symmetric)) {
    throw UsageError(cat("activations cannot be quantized to ", dtype_name(dtype)), "use s8, u8 or symmetric s16");
  }
  return {dtype, static_cast<std::int32_t>(integer_min(dtype)), static_cast<std::int32_t>(integer_max(dtype)),
          symmetric};
}

IntegerGrid narrowed(const IntegerGrid& grid, int bits) {
  IntegerGrid result = grid;
  const std::int32_t half = 1 << (bits - 1);
  if (!grid.symmetric) {
    result.high = std::min(grid.high, grid.low + 2 * half - 1);
    return result;
  }
  const bool odd = (grid.high - grid.low) % 2 == 0;  // without the lowest code, as weights are
  const std::int32_t middle = grid.low + (grid.high - grid.low + 1) / 2;
  result.low = std::max(grid.low, middle - half + (odd ? 1 : 0));
  result.high = std::min(grid.high, middle + half - 1);
  return result;
}

AffineScale scale_for_range(double low, double high, const IntegerGrid& grid) {
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  const auto checked = [](double scale) {
    constexpr double largest = std::numeric_limits<float>::max() / 256;
    return static_cast<float>(std::clamp<double>(scale, std::numeric_limits<float>::min(), largest));
  };
  const std::int32_t middle = grid.low + (grid.high - grid.low + 1) / 2;
  if (low == high) return {1.0F, grid.symmetric ? middle : std::clamp(0, grid.low, grid.high)};
  if (grid.symmetric) return {checked(std::max(-low, high) / (grid.high - middle)), middle};
  const float scale = checked((high - low) / (grid.high - grid.low));
  const double zero_point = std::nearbyint(grid.low - low / scale);
  return {scale, static_cast<std::int32_t>(std::clamp<double>(zero_point, grid.low, grid.high))};
}

double lowest_real(const AffineScale& affine, const IntegerGrid& grid) {
  return static_cast<double>(affine.scale) * (grid.low - affine.zero_point);
}

double highest_real(const AffineScale& affine, const IntegerGrid& grid) {
  return static_cast<double>(affine.scale) * (grid.high - affine.zero_point);
}

std::int32_t quantize_value(float value, const AffineScale& affine, const IntegerGrid& grid) {
  const double code = std::nearbyint(static_cast<double>(value / affine.scale)) + affine.zero_point;
  return static_cast<std::int32_t>(std::clamp<double>(code, grid.low, grid.high));
}

std::vector<float> absolute_maxima(const Tensor& tensor, std::optional<std::int64_t> axis) {
  std::vector<float> maxima(axis ? static_cast<std::size_t>(tensor.dim(*axis)) : 1, 0.0F);
  const auto values = tensor.data<float>();
  visit_runs(tensor.shape(), axis, [&](std::int64_t channel, std::int64_t start, std::int64_t length) {
    float& maximum = maxima[static_cast<std::size_t>(channel)];
    for (std::int64_t i = start; i < start + length; ++i) {
      const float magnitude = std::abs(values[static_cast<std::size_t>(i)]);
      if (!(magnitude <= std::numeric_limits<float>::max())) {
        throw ModelError(cat("element ", i, " of ", type_text(tensor), " is ", values[static_cast<std::size_t>(i)]));
      }
      maximum = std::max(maximum, magnitude);
    }
  });
  return maxima;
}

std::vector<AffineScale> symmetric_scales(std::span<const float> maxima, const IntegerGrid& grid) {
  std::vector<AffineScale> scales;
  AffineScale fallback = scale_for_range(0, 0, grid);
  if (const auto largest = std::max_element(maxima.begin(), maxima.end()); largest != maxima.end() && *largest > 0) {
    fallback = scale_for_range(-*largest, *largest, grid);
  }
  for (const float maximum : maxima) {
    scales.push_back(maximum > 0 ? scale_for_range(-maximum, maximum, grid) : fallback);
  }
  return scales;
}

std::vector<AffineScale> least_error_scales(const Tensor& tensor, std::optional<std::int64_t> axis,
                                            std::span<const float> maxima, const IntegerGrid& grid,
                                            std::int64_t group) {
  constexpr int steps = 100;
  const std::vector<AffineScale> widest = symmetric_scales(maxima, grid);
  std::vector<AffineScale> best = widest;
  std::vector<double> least(widest.size(), std::numeric_limits<double>::infinity());
  const auto members = static_cast<std::size_t>(group);
  const auto values = tensor.data<float>();
  for (int step = 0; step < steps * 9 / 10; ++step) {
    std::vector<double> errors(widest.size(), 0.0);
    const float factor = 1.0F - static_cast<float>(step) / steps;
    visit_runs(tensor.shape(), axis, [&](std::int64_t channel, std::int64_t start, std::int64_t length) {
      const auto at = static_cast<std::size_t>(channel);
      const AffineScale affine{widest[at].scale * factor, widest[at].zero_point};
      double error = 0;
      for (auto i = static_cast<std::size_t>(start); i < static_cast<std::size_t>(start + length); ++i) {
        const float code = std::nearbyintf(values[i] / affine.scale);
        const float kept = std::clamp(code, static_cast<float>(grid.low - affine.zero_point),
                                      static_cast<float>(grid.high - affine.zero_point));
        const double difference = static_cast<double>(values[i]) - static_cast<double>(affine.scale) * kept;
        error += difference * difference;
      }
      errors[at / members] += error;
    });
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (errors[i / members] >= least[i]) continue;
      least[i] = errors[i / members];
      best[i].scale = widest[i].scale * factor;
    }
  }
  return best;
}

Tensor quantized(const Tensor& tensor, const TensorScales& scales, const IntegerGrid& grid) {
  Tensor codes(grid.dtype, tensor.shape());
  const auto values = tensor.data<float>();
  visit_dtype(grid.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (sizeof(T) <= 4 && std::is_integral_v<T>) {
      const auto out = codes.mutable_data<T>();
      visit_runs(tensor.shape(), scales.axis, [&](std::int64_t channel, std::int64_t start, std::int64_t length) {
        const AffineScale& affine = scales.scales[static_cast<std::size_t>(channel)];
        for (auto i = static_cast<std::size_t>(start); i < static_cast<std::size_t>(start + length); ++i) {
          out[i] = static_cast<T>(quantize_value(values[i], affine, grid));
        }
      });
    } else {
      throw InternalError(cat("codes of type ", dtype_name(grid.dtype)));
    }
  });
  return codes;
}

Tensor dequantized(const Tensor& codes, const TensorScales& scales) {
  Tensor result(DType::F32, codes.shape());
  const auto out = result.mutable_data<float>();
  visit_runs(codes.shape(), scales.axis, [&](std::int64_t channel, std::int64_t start, std::int64_t length) {
    const AffineScale& affine = scales.scales[static_cast<std::size_t>(channel)];
    for (std::int64_t i = start; i < start + length; ++i) {
      out[static_cast<std::size_t>(i)] = affine.scale * static_cast<float>(codes.get_int(i) - affine.zero_point);
    }
  });
  return result;
}

double sqnr_db(std::span<const float> exact, std::span<const float> approximate) {
  constexpr double best = 200;
  double signal = 0;
  double noise = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = static_cast<double>(exact[i]) - approximate[i];
    signal += static_cast<double>(exact[i]) * exact[i];
    noise += error * error;
  }
  if (noise == 0) return best;
  if (signal == 0) return 0;
  return std::min(best, 10 * std::log10(signal / noise));
}

}  // namespace adze
