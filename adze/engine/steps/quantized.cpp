#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "adze/engine/kernels/binary_s8/binary_s8.h"
#include "adze/engine/kernels/softmax_u8/softmax_u8.h"
#include "adze/engine/kernels/table_u8/table_u8.h"
#include "adze/engine/step.h"
#include "adze/engine/steps/broadcast.h"
#include "adze/engine/steps/output_stage.h"
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

using kernels::BinaryS8Call;

BinaryS8Call::Operand operand_of(const Affine& affine, DType dtype) {
  const bool flip = dtype == DType::S8;
  return {nullptr, static_cast<std::uint8_t>(flip ? 0x80 : 0), affine.zero_point + (flip ? 128 : 0), affine.scale, 0,
          0};
}

/// The multipliers of a sum's operands and of its result, as QuantizedAdd has them; a product's is its only one.
RequantizeParameters set_multipliers(BinaryS8Call& call, RoundingProfile profile, const Affine& y) {
  if (call.kind == BinaryS8Call::Mul) return make_product_requantize(profile, call.a.scale, call.b.scale, y.scale);
  constexpr int fraction_bits = 20;
  const double common = 2.0 * static_cast<double>(std::max(call.a.scale, call.b.scale));
  for (BinaryS8Call::Operand* operand : {&call.a, &call.b}) {
    const auto by = make_requantize(profile, static_cast<double>(operand->scale) / common);
    operand->multiplier = by.fixed.multiplier;
    operand->shift = by.fixed.shift;
  }
  return make_requantize(profile, common / ((1 << fraction_bits) * static_cast<double>(y.scale)));
}

/// Where b is as large as a, one number, or a row along a's last axis.
std::optional<BinaryS8Call::Repeat> repeat_of(const Shape& a, const Shape& b, const Shape& y) {
  if (a != y) return std::nullopt;
  if (b == y) return BinaryS8Call::None;
  if (num_elements(b) == 1) return BinaryS8Call::Single;
  if (!b.empty() && b.back() == y.back() && num_elements(b) == b.back()) return BinaryS8Call::Row;
  return std::nullopt;
}

/// A sum or product by the kernel, where it can take the operands' shapes, in either order.
std::unique_ptr<Step> binary_kernel_step(const BindContext& context) {
  const Node& node = context.node();
  const Shape shape = context.output_shape();
  BinaryS8Call call{};
  call.kind = node.kind == OpKind::QMul   ? BinaryS8Call::Mul
              : node.kind == OpKind::QSub ? BinaryS8Call::Sub
                                          : BinaryS8Call::Add;
  call.a = operand_of(left_affine(node), context.dtype(0));
  call.b = operand_of(right_affine(node), context.dtype(1));
  call.a.bytes = context.in_u8(0);
  call.b.bytes = context.in_u8(1);
  auto repeat = repeat_of(context.shape(0), context.shape(1), shape);
  if (!repeat && call.kind != BinaryS8Call::Sub) {
    repeat = repeat_of(context.shape(1), context.shape(0), shape);
    std::swap(call.a, call.b);
  }
  if (!repeat) return nullptr;
  call.repeat = *repeat;
  const Affine y = output_affine(node);
  const RoundingProfile profile = rounding_of(node);
  RequantizeParameters by = set_multipliers(call, profile, y);
  by.profile = profile;
  constexpr std::size_t lanes = 16;
  auto arrays =
      std::make_shared<const StageArrays>(std::vector<RequantizeParameters>(lanes, by), std::vector<std::int32_t>{}, y);
  call.y_scale = y.scale;
  call.count = shape.empty() ? 1 : shape.back();
  const std::int64_t rows = num_elements(shape) / call.count;
  const kernels::BinaryS8Kernel& kernel = kernels::binary_s8_kernel(context.isa());
  auto* out = context.out<std::uint8_t>();
  const int threads = context.threads();
  return make_step(kernel.name, [=, run = kernel.run, stage = arrays->stage()] {
    run_parallel(threads, rows, std::max<std::int64_t>(1, element_grain / call.count),
                 [&](std::int64_t begin, std::int64_t end) {
                   BinaryS8Call part = call;
                   part.stage = &stage;
                   part.rows = end - begin;
                   part.a.bytes += begin * call.count;
                   if (call.repeat == BinaryS8Call::None) part.b.bytes += begin * call.count;
                   part.y = out + begin * call.count;
                   run(part);
                 });
    (void)arrays;  // what the stage points to
  });
}

/// y = f(a, b) of bytes with broadcasting.
template <typename F>
std::unique_ptr<Step> binary_step(const BindContext& context, F f) {
  const BroadcastLoop loop(context.shape(0), context.shape(1), context.output_shape());
  const DType left = context.dtype(0), right = context.dtype(1);
  const auto* a = context.in_u8(0);
  const auto* b = context.in_u8(1);
  auto* y = context.out<std::uint8_t>();
  const int threads = context.threads();
  return make_step("elementwise_s8", [=] {
    run_parallel(threads, loop.rows(), std::max<std::int64_t>(1, element_grain / loop.length()),
                 [&](std::int64_t begin, std::int64_t end) {
                   loop.run(begin, end, [&](std::int64_t at_a, std::int64_t at_b, std::int64_t at_y) {
                     for (std::int64_t i = 0; i < loop.length(); ++i) {
                       y[at_y + i] = static_cast<std::uint8_t>(f(byte_value(a[at_a + i * loop.a_step()], left),
                                                                 byte_value(b[at_b + i * loop.b_step()], right)));
                     }
                   });
                 });
  });
}

bool binary_bytes(const BindContext& context) {
  return is_byte(context.dtype(0)) && is_byte(context.dtype(1)) && is_byte(context.output_dtype());
}

std::unique_ptr<Step> bind_add(const BindContext& context) {
  if (!binary_bytes(context)) return nullptr;
  if (auto step = binary_kernel_step(context)) return step;
  return binary_step(context, quantized_add(context.node()));
}

std::unique_ptr<Step> bind_mul(const BindContext& context) {
  if (!binary_bytes(context)) return nullptr;
  if (auto step = binary_kernel_step(context)) return step;
  return binary_step(context, quantized_mul(context.node()));
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
      {OpKind::QAdd, bind_add},
      {OpKind::QSub, bind_add},
      {OpKind::QMul, bind_mul},
      {OpKind::QTable, bind_table},
      {OpKind::QSoftmax, bind_softmax},
      {OpKind::QRequantize, bind_requantize},
      {OpKind::QuantizeLinear, bind_quantize_linear},
      {OpKind::DequantizeLinear, bind_dequantize_linear},
  };
  return entries;
}

}  // namespace adze::engine
