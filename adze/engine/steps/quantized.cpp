#include <algorithm>
#include <array>
#include <cmath>

#include "adze/engine/kernels/add_s8/add_s8.h"
#include "adze/engine/step.h"
#include "adze/engine/steps/broadcast.h"
#include "adze/engine/steps/output_stage.h"
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
  return make_step("table_s8", [=] {
    run_parallel(threads, count, element_grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = table[x[i]];
    });
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

/// What add_s8 looks up: an operand brought to the common scale, as QuantizedAdd does it.
struct AddTables {
  std::array<std::int32_t, 256> fixed;
  std::array<float, 256> real;
};

AddTables add_table(RoundingProfile profile, const Affine& own, float larger_scale, DType dtype, bool negate) {
  constexpr int fraction_bits = 20;
  const auto by = make_requantize(profile, static_cast<double>(own.scale) / (2.0 * static_cast<double>(larger_scale)));
  AddTables tables;
  for (std::size_t i = 0; i < 256; ++i) {
    const std::int32_t difference = byte_value(static_cast<std::uint8_t>(i), dtype) - own.zero_point;
    tables.real[i] = static_cast<float>(difference) * own.scale;
    tables.fixed[i] = profile == RoundingProfile::Onnx ? 0 : requantize(difference * (1 << fraction_bits), by);
    if (negate) tables.real[i] = -tables.real[i], tables.fixed[i] = -tables.fixed[i];
  }
  return tables;
}

/// A sum of tensors of one shape.
std::unique_ptr<Step> same_shape_add(const BindContext& context) {
  const Node& node = context.node();
  const RoundingProfile profile = rounding_of(node);
  const Affine a = left_affine(node), b = right_affine(node), y = output_affine(node);
  const float larger = std::max(a.scale, b.scale);
  auto left = std::make_shared<const AddTables>(add_table(profile, a, larger, context.dtype(0), false));
  auto right =
      std::make_shared<const AddTables>(add_table(profile, b, larger, context.dtype(1), node.kind == OpKind::QSub));
  RequantizeParameters by;
  if (profile == RoundingProfile::Onnx) {
    by.scale = y.scale;
  } else {
    by = make_requantize(profile, 2.0 * static_cast<double>(larger) / ((1 << 20) * static_cast<double>(y.scale)));
  }
  by.profile = profile;
  constexpr std::size_t lanes = 16;
  auto arrays =
      std::make_shared<const StageArrays>(std::vector<RequantizeParameters>(lanes, by), std::vector<std::int32_t>{}, y);
  const kernels::AddS8Kernel& kernel = kernels::add_s8_kernel(context.isa());
  const bool real = profile == RoundingProfile::Onnx;
  const auto* x0 = context.in_u8(0);
  const auto* x1 = context.in_u8(1);
  auto* out = context.out<std::uint8_t>();
  const std::int64_t count = num_elements(context.output_shape());
  const int threads = context.threads();
  return make_step(kernel.name, [=, run = kernel.run] {
    const kernels::OutputStage stage = arrays->stage();
    const void* from_left = real ? static_cast<const void*>(left->real.data()) : left->fixed.data();
    const void* from_right = real ? static_cast<const void*>(right->real.data()) : right->fixed.data();
    run_parallel(threads, count, element_grain, [&](std::int64_t begin, std::int64_t end) {
      run({x0 + begin, x1 + begin, out + begin, end - begin, from_left, from_right, &stage});
    });
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
  if (context.shape(0) == context.shape(1)) return same_shape_add(context);
  return binary_step(context, quantized_add(context.node()));
}

std::unique_ptr<Step> bind_mul(const BindContext& context) {
  if (!binary_bytes(context)) return nullptr;
  return binary_step(context, quantized_mul(context.node()));
}

std::unique_ptr<Step> bind_softmax(const BindContext& context) {
  const Shape shape = context.shape(0);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const DType from = context.dtype(0);
  if (!is_byte(from) || !is_byte(context.output_dtype()) || rank == 0) return nullptr;
  if (normalize_axis(context.node().get_int("axis"), rank) != rank - 1) return nullptr;
  auto softmax = std::make_shared<const QuantizedSoftmax>(quantized_softmax(context.node()));
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

/// Scales and zero points of QuantizeLinear and DequantizeLinear, one or one per index of the axis.
struct Scales {
  std::vector<float> scale;
  std::vector<std::int32_t> zero_point;
  std::int64_t inner = 1;  ///< elements that share one, next to each other
};

std::optional<Scales> scales_of(const BindContext& context, DType quantized) {
  const Tensor* scale = context.constant(1);
  if (scale == nullptr || scale->dtype() != DType::F32 || !is_byte(quantized)) return std::nullopt;
  if (context.node().get_int("block_size") != 0 || (context.has(2) && context.constant(2) == nullptr))
    return std::nullopt;
  if (context.has(2) && context.constant(2)->size() != scale->size()) return std::nullopt;
  Scales scales;
  const Shape shape = context.shape(0);
  if (scale->size() > 1) {
    const std::int64_t axis = normalize_axis(context.node().get_int("axis"), static_cast<std::int64_t>(shape.size()));
    if (shape[static_cast<std::size_t>(axis)] != scale->size()) return std::nullopt;
    scales.inner = num_elements(Shape(shape.begin() + axis + 1, shape.end()));
  } else {
    scales.inner = num_elements(shape);
  }
  for (std::int64_t i = 0; i < scale->size(); ++i) {
    scales.scale.push_back(scale->data<float>()[static_cast<std::size_t>(i)]);
    scales.zero_point.push_back(context.has(2) ? static_cast<std::int32_t>(context.constant(2)->get_int(i)) : 0);
  }
  return scales;
}

/// Rounds half to even by adding and subtracting 1.5 * 2^23: exact for what has been clamped to a byte's range.
std::int32_t round_small(float value) {
  constexpr float magic = 12582912.0f;
  return static_cast<std::int32_t>((value + magic) - magic);
}

std::unique_ptr<Step> bind_quantize(const BindContext& context) {
  const DType dtype = context.output_dtype();
  const auto scales = scales_of(context, dtype);
  if (!scales || context.dtype(0) != DType::F32) return nullptr;
  const auto lowest = static_cast<std::int32_t>(integer_min(dtype)),
             highest = static_cast<std::int32_t>(integer_max(dtype));
  const float* x = context.in<float>(0);
  auto* y = context.out<std::uint8_t>();
  const std::int64_t rows = num_elements(context.output_shape()) / scales->inner;
  return make_step("quantize", [=, s = *scales] {
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::size_t channel = static_cast<std::size_t>(r) % s.scale.size();
      const float scale = s.scale[channel];
      const std::int32_t zero_point = s.zero_point[channel];
      const auto low = static_cast<float>(lowest - zero_point), high = static_cast<float>(highest - zero_point);
      for (std::int64_t i = r * s.inner; i < (r + 1) * s.inner; ++i) {
        float scaled = x[i] / scale;
        if (std::isnan(scaled)) scaled = 0.0f;
        scaled = scaled < low ? low : scaled > high ? high : scaled;
        y[i] = static_cast<std::uint8_t>(round_small(scaled) + zero_point);
      }
    }
  });
}

std::unique_ptr<Step> bind_dequantize(const BindContext& context) {
  const DType dtype = context.dtype(0);
  const auto scales = scales_of(context, dtype);
  if (!scales || context.output_dtype() != DType::F32) return nullptr;
  const auto* x = context.in_u8(0);
  float* y = context.out<float>();
  const std::int64_t rows = num_elements(context.output_shape()) / scales->inner;
  return make_step("dequantize", [=, s = *scales] {
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::size_t channel = static_cast<std::size_t>(r) % s.scale.size();
      const float scale = s.scale[channel];
      const std::int32_t zero_point = s.zero_point[channel];
      for (std::int64_t i = r * s.inner; i < (r + 1) * s.inner; ++i) {
        y[i] = static_cast<float>(byte_value(x[i], dtype) - zero_point) * scale;
      }
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
      {OpKind::QuantizeLinear, bind_quantize},
      {OpKind::DequantizeLinear, bind_dequantize},
  };
  return entries;
}

}  // namespace adze::engine
