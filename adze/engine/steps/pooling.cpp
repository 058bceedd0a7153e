#include <algorithm>

#include "adze/engine/kernels/pool/pool.h"
#include "adze/engine/steps/geometry.h"
#include "adze/engine/steps/pooling_f32.h"
#include "adze/plan/integer_parameters.h"

namespace adze::engine {

namespace {

using kernels::WindowGeometry;

constexpr std::int64_t row_grain = 4;

template <typename T>
std::unique_ptr<Step> max_pool_step(const BindContext& context) {
  const WindowGeometry g = geometry_of(context);
  const T* x = context.in<T>(0);
  T* y = context.out<T>();
  const int threads = context.threads();
  return make_step("max_pool", [=] {
    run_parallel(threads, g.batch * g.out_height, row_grain,
                 [&](std::int64_t begin, std::int64_t end) { kernels::max_pool_rows(g, x, y, begin, end); });
  });
}

std::unique_ptr<Step> bind_max_pool(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  switch (context.dtype(0)) {
    case DType::F32:
      return make_pool_f32_step(context, geometry_of(context), PoolF32Kind::Max);
    case DType::S8:
      return max_pool_step<std::int8_t>(context);
    case DType::U8:
      return max_pool_step<std::uint8_t>(context);
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
template <typename X, typename Y>
std::unique_ptr<Step> quantized_mean_step(const BindContext& context, const WindowGeometry& g, bool count_pads) {
  const X* x = context.in<X>(0);
  Y* y = context.out<Y>();
  const int threads = context.threads();
  const QuantizedMean mean = quantized_mean(context.node());
  const std::int32_t zero_point = input_affine(context.node()).zero_point;
  return make_step("mean_s8", [=] {
    run_parallel(threads, g.batch * g.out_height, row_grain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::int32_t> sums(static_cast<std::size_t>(g.in_channels));
      const auto finish = [&](const std::int32_t* sum, std::int64_t taps, std::int64_t at) {
        const std::int64_t divisor = count_pads ? g.taps() : taps;
        const auto offset = static_cast<std::int32_t>(taps * zero_point);
        for (std::int64_t c = 0; c < g.in_channels; ++c) y[at + c] = static_cast<Y>(mean(sum[c] - offset, divisor));
      };
      kernels::sum_pool_rows(g, x, sums.data(), begin, end, finish);
    });
  });
}

std::unique_ptr<Step> quantized_mean_step(const BindContext& context, const WindowGeometry& g, bool count_pads) {
  const bool from_signed = context.dtype(0) == DType::S8, to_signed = context.output_dtype() == DType::S8;
  if (from_signed && to_signed) return quantized_mean_step<std::int8_t, std::int8_t>(context, g, count_pads);
  if (from_signed) return quantized_mean_step<std::int8_t, std::uint8_t>(context, g, count_pads);
  if (to_signed) return quantized_mean_step<std::uint8_t, std::int8_t>(context, g, count_pads);
  return quantized_mean_step<std::uint8_t, std::uint8_t>(context, g, count_pads);
}

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

std::unique_ptr<Step> bind_quantized_average_pool(const BindContext& context) {
  if (!context.channels_last()) return nullptr;
  return quantized_mean_step(context, geometry_of(context), context.node().get_int("count_include_pad") != 0);
}

/// A mean over neighbouring axes of which the rest before are the batch, the rest after the channels.
std::optional<WindowGeometry> inner_mean(const Shape& x, std::vector<std::int64_t> axes) {
  const auto rank = static_cast<std::int64_t>(x.size());
  for (std::int64_t& axis : axes) axis = normalize_axis(axis, rank);
  std::sort(axes.begin(), axes.end());
  if (axes.empty() || axes.back() - axes.front() + 1 != static_cast<std::int64_t>(axes.size())) return std::nullopt;
  const std::int64_t batch = num_elements(Shape(x.begin(), x.begin() + axes.front()));
  const std::int64_t channels = num_elements(Shape(x.begin() + axes.back() + 1, x.end()));
  return whole_picture(batch, num_elements(x) / batch / channels, channels);
}

std::unique_ptr<Step> bind_reduce_mean(const BindContext& context) {
  if (context.dtype(0) != DType::F32 || (context.has(1) && context.constant(1) == nullptr)) return nullptr;
  const Shape x = context.shape(0);
  const auto geometry = context.has(1) ? inner_mean(x, to_ints(*context.constant(1))) : std::nullopt;
  if (!geometry) return nullptr;
  return make_pool_f32_step(context, *geometry, PoolF32Kind::Mean);
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
      {OpKind::ReduceMean, bind_reduce_mean},
      {OpKind::QReduceMean, bind_quantized_reduce_mean},
  };
  return entries;
}

}  // namespace adze::engine
