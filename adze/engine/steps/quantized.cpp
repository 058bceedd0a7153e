#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "adze/engine/kernels/softmax_u8/softmax_u8.h"
#include "adze/engine/kernels/table_u8/table_u8.h"
#include "adze/engine/step.h"
#include "adze/engine/steps/binary_s8.h"
#include "adze/engine/steps/quantize.h"
#include "adze/plan/integer_parameters.h"

namespace adze::engine {

namespace {

constexpr std::int64_t element_grain = 1 << 14;

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

/// The number that a stored byte stands for.
std::int32_t byte_value(std::uint8_t byte, DType dtype) {
  return dtype == DType::S8 ? static_cast<std::int8_t>(byte) : byte;
}

/// A function of one byte, for every byte.
template <typename F>
std::array<std::uint8_t, 256> byte_table(DType from, F f) {
  std::array<std::uint8_t, 256> table;
  for (int i = 0; i < 256; ++i) {
    table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(f(byte_value(static_cast<std::uint8_t>(i), from)));
  }
  return table;
}

std::unique_ptr<Step> table_step(const BindContext& context, const std::array<std::uint8_t, 256>& table) {
  const auto* x = context.in_u8(0);
  auto* y = context.out<std::uint8_t>();
  const std::int64_t count = num_elements(context.output_shape());
  const int threads = context.threads();
  const kernels::TableU8Kernel& kernel = kernels::table_u8_kernel(context.isa());
  return make_step(kernel.name, [=, run = kernel.run] {
    run_parallel(threads, count, element_grain,
                 [&](std::int64_t begin, std::int64_t end) { run(x + begin, end - begin, table.data(), y + begin); });
  });
}

std::unique_ptr<Step> bind_table(const BindContext& context) {
  const Tensor* given = context.constant(1);
  if (given == nullptr || given->size() != 256 || !is_byte(given->dtype()) || !is_byte(context.dtype(0)))
    return nullptr;
  const std::int64_t lowest = integer_min(context.dtype(0));
  return table_step(context, byte_table(context.dtype(0), [&](std::int32_t x) { return given->get_int(x - lowest); }));
}

std::unique_ptr<Step> bind_requantize(const BindContext& context) {
  if (!is_byte(context.dtype(0)) || !is_byte(context.output_dtype())) return nullptr;
  const RequantizeParameters by = requantize_parameters(context.node(), 1).front();
  const Affine x = input_affine(context.node()), y = output_affine(context.node());
  return table_step(
      context, byte_table(context.dtype(0), [&](std::int32_t q) { return requantize_to(q - x.zero_point, by, y); }));
}

std::unique_ptr<Step> softmax_kernel_step(const BindContext& context,
                                          const std::shared_ptr<const QuantizedSoftmax>& softmax) {
  const Affine y = output_affine(context.node());
  kernels::SoftmaxU8Call call{};
  call.x = context.in_u8(0);
  call.y = context.out<std::uint8_t>();
  call.length = context.shape(0).back();
  call.flip = context.dtype(0) == DType::S8 ? 0x80 : 0;
  call.exponentials = softmax->exponentials().data();
  call.scale = static_cast<double>(y.scale);
  call.zero_point = y.zero_point;
  call.low = y.min;
  call.high = y.max;
  const std::int64_t rows = num_elements(context.shape(0)) / call.length;
  const kernels::SoftmaxU8Kernel& kernel = kernels::softmax_u8_kernel(context.isa());
  const int threads = context.threads();
  return make_step(kernel.name, [=, run = kernel.run] {
    run_parallel(threads, rows, std::max<std::int64_t>(1, element_grain / call.length),
                 [&](std::int64_t begin, std::int64_t end) {
                   kernels::SoftmaxU8Call part = call;
                   part.rows = end - begin;
                   part.x += begin * call.length;
                   part.y += begin * call.length;
                   run(part);
                 });
    (void)softmax;  // what the call points into
  });
}

std::unique_ptr<Step> bind_softmax(const BindContext& context) {
  const Shape shape = context.shape(0);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const DType from = context.dtype(0);
  if (!is_byte(from) || !is_byte(context.output_dtype()) || rank == 0) return nullptr;
  if (normalize_axis(context.node().get_int("axis"), rank) != rank - 1) return nullptr;
  auto softmax = std::make_shared<const QuantizedSoftmax>(quantized_softmax(context.node()));
  if (!softmax->exponentials().empty()) return softmax_kernel_step(context, softmax);
  const auto* x = context.in_u8(0);
  auto* y = context.out<std::uint8_t>();
  const auto length = static_cast<std::size_t>(shape.back());
  const std::int64_t rows = num_elements(shape) / shape.back();
  return make_step("softmax_s8", [=] {
    std::vector<std::int32_t> values(length), results(length);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::size_t at = static_cast<std::size_t>(r) * length;
      for (std::size_t i = 0; i < length; ++i) values[i] = byte_value(x[at + i], from);
      (*softmax)(values, results);
      for (std::size_t i = 0; i < length; ++i) y[at + i] = static_cast<std::uint8_t>(results[i]);
    }
  });
}

}  // namespace

std::span<const BinderEntry> quantized_binders() {
  static const BinderEntry entries[] = {
      {OpKind::QAdd, bind_binary_s8},
      {OpKind::QSub, bind_binary_s8},
      {OpKind::QMul, bind_binary_s8},
      {OpKind::QTable, bind_table},
      {OpKind::QSoftmax, bind_softmax},
      {OpKind::QRequantize, bind_requantize},
      {OpKind::QuantizeLinear, bind_quantize_linear},
      {OpKind::DequantizeLinear, bind_dequantize_linear},
      {OpKind::DynamicQuantizeLinear, bind_dynamic_quantize},
  };
  return entries;
}

}  // namespace adze::engine
