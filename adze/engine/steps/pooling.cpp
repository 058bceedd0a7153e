#include <algorithm>

#include "adze/engine/kernels/pool_s8/pool_s8.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/pooling_f32.h"
#include "adze/plan/integer_parameters.h"

namespace adze::engine {

namespace {

using kernels::WindowGeometry;

constexpr std::int64_t row_grain = 4;

/// The rows or columns that a window reads along one axis: first, how many, inside [0, size).
struct Taps {
  std::int64_t first, count;

  Taps(std::int64_t at, std::int64_t kernel, std::int64_t dilation, std::int64_t size) {
    const std::int64_t skipped = at < 0 ? (-at + dilation - 1) / dilation : 0;
    first = at + skipped * dilation;
    const std::int64_t inside = first < size ? (size - first + dilation - 1) / dilation : 0;
    count = std::clamp<std::int64_t>(kernel - skipped, 0, inside);
  }
};

/// Calls window(call, output pixel) for every window of the rows [begin, end) of the whole batch.
template <typename Window>
void each_window(const WindowGeometry& g, const std::uint8_t* x, bool is_signed, std::int64_t begin, std::int64_t end,
                 Window window) {
  const std::int64_t channels = g.in_channels, row_bytes = g.in_width * channels;
  for (std::int64_t r = begin; r < end; ++r) {
    const Taps rows(r % g.out_height * g.stride_height - g.pad_top, g.kernel_height, g.dilation_height, g.in_height);
    const std::uint8_t* picture = x + r / g.out_height * g.in_height * row_bytes;
    for (std::int64_t column = 0; column < g.out_width; ++column) {
      const Taps columns(column * g.stride_width - g.pad_left, g.kernel_width, g.dilation_width, g.in_width);
      window(kernels::PoolS8Call{picture + rows.first * row_bytes + columns.first * channels, rows.count,
                                 g.dilation_height * row_bytes, columns.count, g.dilation_width * channels, channels,
                                 is_signed},
             r * g.out_width + column);
    }
  }
}

std::unique_ptr<Step> max_pool_step(const BindContext& context) {
  const WindowGeometry g = geometry_of(context);
  const bool is_signed = context.dtype(0) == DType::S8;
  const auto* x = context.in_u8(0);
  auto* y = context.out<std::uint8_t>();
  const int threads = context.threads();
  const kernels::PoolS8Kernel& kernel = kernels::pool_s8_kernel(context.isa());
  return make_step(kernel.name, [=, max = kernel.max] {
    run_parallel(threads, g.batch * g.out_height, row_grain, [&](std::int64_t begin, std::int64_t end) {
      each_window(g, x, is_signed, begin, end, [&](const kernels::PoolS8Call& call, std::int64_t pixel) {
        std::uint8_t* to = y + pixel * call.channels;
        if (call.rows > 0 && call.columns > 0) return max(call, to);
        std::fill_n(to, call.channels, static_cast<std::uint8_t>(is_signed ? 0x80 : 0));
      });
    });
  });
}

std::unique_ptr<Step> bind_max_pool(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  switch (context.dtype(0)) {
    case DType::F32:
      return make_pool_f32_step(context, geometry_of(context), PoolF32Kind::Max);
    case DType::S8:
    case DType::U8:
      return max_pool_step(context);
    default:
      return nullptr;
  }
}

std::unique_ptr<Step> bind_average_pool(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  const bool count_pads = context.node().get_int("count_include_pad") != 0;
  return make_pool_f32_step(context, geometry_of(context), count_pads ? PoolF32Kind::MeanWithPads : PoolF32Kind::Mean);
}

/// One window over the whole picture.
WindowGeometry whole_picture(std::int64_t batch, std::int64_t pixels, std::int64_t channels) {
  WindowGeometry g;
  g.batch = batch;
  g.in_width = g.kernel_width = pixels;
  g.in_channels = g.out_channels = channels;
  return g;
}

std::unique_ptr<Step> bind_global_average_pool(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  const Shape x = context.shape(0);
  const auto whole = whole_picture(x.front(), num_elements(x) / x.front() / x.back(), x.back());
  return make_pool_f32_step(context, whole, PoolF32Kind::Mean);
}

/// The sums are of x - x_zero_point, as the shared QuantizedMean takes them.
std::unique_ptr<Step> quantized_mean_step(const BindContext& context, const WindowGeometry& g, bool count_pads) {
  const bool is_signed = context.dtype(0) == DType::S8;
  const auto* x = context.in_u8(0);
  auto* y = context.out<std::uint8_t>();
  const int threads = context.threads();
  const QuantizedMean mean = quantized_mean(context.node());
  const std::int32_t zero_point = input_affine(context.node()).zero_point;
  const kernels::PoolS8Kernel& kernel = kernels::pool_s8_kernel(context.isa());
  return make_step(kernel.name, [=, sum = kernel.sum] {
    run_parallel(threads, g.batch * g.out_height, row_grain, [&](std::int64_t begin, std::int64_t end) {
      static thread_local std::vector<std::int32_t> sums;
      sums.resize(static_cast<std::size_t>(g.in_channels));
      each_window(g, x, is_signed, begin, end, [&](const kernels::PoolS8Call& call, std::int64_t pixel) {
        const std::int64_t taps = call.rows * call.columns;
        if (taps > 0) {
          sum(call, sums.data());
        } else {
          std::fill(sums.begin(), sums.end(), 0);
        }
        const auto offset = static_cast<std::int32_t>(taps * zero_point);
        std::uint8_t* to = y + pixel * call.channels;
        for (std::size_t c = 0; c < sums.size(); ++c) {
          to[c] = static_cast<std::uint8_t>(mean(sums[c] - offset, count_pads ? g.taps() : taps));
        }
      });
    });
  });
}

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

std::unique_ptr<Step> bind_quantized_average_pool(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  return quantized_mean_step(context, geometry_of(context), context.node().get_int("count_include_pad") != 0);
}

/// A mean or maximum over neighbouring axes of which the rest before are the batch, the rest after the channels.
std::optional<WindowGeometry> inner_mean(const Shape& x, std::vector<std::int64_t> axes) {
  const auto rank = static_cast<std::int64_t>(x.size());
  for (std::int64_t& axis : axes) axis = normalize_axis(axis, rank);
  std::sort(axes.begin(), axes.end());
  if (axes.empty() || axes.back() - axes.front() + 1 != static_cast<std::int64_t>(axes.size())) return std::nullopt;
  const std::int64_t batch = num_elements(Shape(x.begin(), x.begin() + axes.front()));
  const std::int64_t channels = num_elements(Shape(x.begin() + axes.back() + 1, x.end()));
  return whole_picture(batch, num_elements(x) / batch / channels, channels);
}

std::unique_ptr<Step> reduce_step(const BindContext& context, PoolF32Kind kind) {
  if (context.dtype(0) != DType::F32 || (context.has(1) && context.constant(1) == nullptr)) return nullptr;
  const Shape x = context.shape(0);
  if (num_elements(x) == 0) return nullptr;
  const auto geometry = context.has(1) ? inner_mean(x, to_ints(*context.constant(1))) : std::nullopt;
  if (!geometry) return nullptr;
  return make_pool_f32_step(context, *geometry, kind);
}

std::unique_ptr<Step> bind_reduce_mean(const BindContext& context) {
  return reduce_step(context, PoolF32Kind::Mean);
}

std::unique_ptr<Step> bind_reduce_max(const BindContext& context) {
  return reduce_step(context, PoolF32Kind::Max);
}

std::unique_ptr<Step> bind_quantized_reduce_mean(const BindContext& context) {
  if (!is_byte(context.dtype(0)) || !is_byte(context.output_dtype())) return nullptr;
  const auto geometry = inner_mean(context.shape(0), context.node().get_ints("axes"));
  if (!geometry) return nullptr;
  return quantized_mean_step(context, *geometry, false);
}

}  // namespace

std::span<const BinderEntry> pooling_binders() {
  static const BinderEntry entries[] = {
      {OpKind::MaxPool, bind_max_pool},
      {OpKind::AveragePool, bind_average_pool},
      {OpKind::GlobalAveragePool, bind_global_average_pool},
      {OpKind::QAveragePool, bind_quantized_average_pool},
      {OpKind::ReduceMax, bind_reduce_max},
      {OpKind::ReduceMean, bind_reduce_mean},
      {OpKind::QReduceMean, bind_quantized_reduce_mean},
  };
  return entries;
}

}  // namespace adze::engine
