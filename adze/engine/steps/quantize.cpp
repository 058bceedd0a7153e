#include "adze/engine/steps/quantize.h"

#include <algorithm>
#include <optional>

#include "adze/engine/kernels/quantize_f32/quantize_f32.h"
#include "adze/numerics/quantized_arithmetic.h"

namespace adze::engine {

namespace {

using kernels::QuantizeF32Call;

constexpr std::int64_t element_grain = 1 << 14;

/// Numbers next to each other that share a scale are a run; calls holds one for each index of the axis.
struct Runs {
  std::vector<QuantizeF32Call> calls;
  std::int64_t length = 1, count = 1;
};

std::optional<Runs> runs_of(const BindContext& context, DType quantized) {
  const Tensor* scale = context.constant(1);
  const Tensor* zero_point = context.has(2) ? context.constant(2) : nullptr;
  if (scale == nullptr || scale->dtype() != DType::F32 || (quantized != DType::S8 && quantized != DType::U8)) {
    return std::nullopt;
  }
  if (context.node().get_int("block_size") != 0 || (context.has(2) && zero_point == nullptr)) return std::nullopt;
  if (zero_point != nullptr && zero_point->size() != scale->size()) return std::nullopt;
  const Shape shape = context.shape(0);
  Runs runs;
  runs.length = num_elements(shape);
  if (scale->size() > 1) {
    const std::int64_t axis = normalize_axis(context.node().get_int("axis"), static_cast<std::int64_t>(shape.size()));
    if (shape[static_cast<std::size_t>(axis)] != scale->size()) return std::nullopt;
    runs.length = num_elements(Shape(shape.begin() + axis + 1, shape.end()));
  }
  runs.count = num_elements(shape) / runs.length;
  const bool flip = quantized == DType::S8;
  for (std::int64_t i = 0; i < scale->size(); ++i) {
    const auto zero = zero_point != nullptr ? static_cast<std::int32_t>(zero_point->get_int(i)) : 0;
    runs.calls.push_back({runs.length, scale->data<float>()[static_cast<std::size_t>(i)], zero + (flip ? 128 : 0), 0,
                          255, static_cast<std::uint8_t>(flip ? 0x80 : 0)});
  }
  return runs;
}

/// Calls run(call, first element) for the runs, or for parts of the only one.
template <typename Run>
std::unique_ptr<Step> runs_step(const BindContext& context, const char* name, const Runs& runs, Run run) {
  const int threads = context.threads();
  if (runs.count == 1) {
    return make_step(name, [=, call = runs.calls[0]] {
      run_parallel(threads, call.count, element_grain, [&](std::int64_t begin, std::int64_t end) {
        QuantizeF32Call part = call;
        part.count = end - begin;
        run(part, begin);
      });
    });
  }
  return make_step(name, [=] {
    const auto channels = static_cast<std::int64_t>(runs.calls.size());
    run_parallel(threads, runs.count, std::max<std::int64_t>(1, element_grain / runs.length),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t r = begin; r < end; ++r) {
                     run(runs.calls[static_cast<std::size_t>(r % channels)], r * runs.length);
                   }
                 });
  });
}

}  // namespace

std::unique_ptr<Step> bind_quantize_linear(const BindContext& context) {
  const auto runs = runs_of(context, context.output_dtype());
  if (!runs || context.dtype(0) != DType::F32) return nullptr;
  const auto& kernel = kernels::quantize_f32_kernel(context.isa());
  const float* x = context.in<float>(0);
  auto* y = context.out<std::uint8_t>();
  return runs_step(
      context, kernel.name, *runs,
      [=, quantize = kernel.run](const QuantizeF32Call& call, std::int64_t at) { quantize(call, x + at, y + at); });
}

std::unique_ptr<Step> bind_dequantize_linear(const BindContext& context) {
  const auto runs = runs_of(context, context.dtype(0));
  if (!runs || context.output_dtype() != DType::F32) return nullptr;
  const auto& kernel = kernels::dequantize_f32_kernel(context.isa());
  const auto* x = context.in_u8(0);
  float* y = context.out<float>();
  return runs_step(
      context, kernel.name, *runs,
      [=, dequantize = kernel.run](const QuantizeF32Call& call, std::int64_t at) { dequantize(call, x + at, y + at); });
}

std::unique_ptr<Step> bind_dynamic_quantize(const BindContext& context) {
  for (const std::size_t i : {0u, 1u, 2u}) {
    if (context.node().output(i) == ValueId::None) return nullptr;
  }
  if (context.dtype(0) != DType::F32) return nullptr;
  const auto& range = kernels::range_f32_kernel(context.isa());
  const float* x = context.in<float>(0);
  auto* y = context.out<std::uint8_t>(0);
  auto* scale = context.out<float>(1);
  auto* zero_point = context.out<std::uint8_t>(2);
  const std::int64_t count = num_elements(context.shape(0));
  const int threads = count < 2 * element_grain ? 1 : context.threads();
  std::vector<kernels::RangeF32> parts(static_cast<std::size_t>((count + element_grain - 1) / element_grain));
  return make_step(range.name, [=, range_of = range.run, quantize = kernels::quantize_f32_kernel(context.isa()).run,
                                parts = std::move(parts)]() mutable {
    const auto part_count = static_cast<std::int64_t>(parts.size());
    const auto size = [&](std::int64_t i) { return std::min(element_grain, count - i * element_grain); };
    run_parallel(threads, part_count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        parts[static_cast<std::size_t>(i)] = range_of(x + i * element_grain, size(i));
      }
    });
    kernels::RangeF32 all;
    for (const kernels::RangeF32& part : parts) {
      all.low = std::min(all.low, part.low);
      all.high = std::max(all.high, part.high);
    }
    const DynamicU8 by = dynamic_u8(all.low, all.high);
    *scale = by.scale;
    *zero_point = by.zero_point;
    run_parallel(threads, part_count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        quantize({size(i), by.scale, by.zero_point, 0, 255, 0}, x + i * element_grain, y + i * element_grain);
      }
    });
  });
}

}  // namespace adze::engine
