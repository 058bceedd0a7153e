#include "adze/engine/steps/binary_s8.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "adze/engine/kernels/binary_s8/binary_s8.h"
#include "adze/engine/kernels/binary_s8/lines_s8.h"
#include "adze/engine/steps/broadcast.h"
#include "adze/engine/steps/output_stage.h"
#include "adze/plan/integer_parameters.h"

namespace adze::engine {

namespace {

using kernels::BinaryS8Call;

constexpr std::int64_t element_grain = 1 << 14;

bool is_byte(DType dtype) {
  return dtype == DType::S8 || dtype == DType::U8;
}

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

/// How b meets a: in pieces next to each other of which each has its own part of b.
struct Meeting {
  BinaryS8Call::Repeat repeat;
  std::int64_t pieces = 1;
};

/// Where b is as large as a, one number, a row along a's last axis, or one such row for each picture.
std::optional<Meeting> meeting_of(const Shape& a, const Shape& b, const Shape& y) {
  if (a != y) return std::nullopt;
  if (b == y) return Meeting{BinaryS8Call::None};
  if (num_elements(b) == 1) return Meeting{BinaryS8Call::Single};
  if (b.empty() || b.back() != y.back()) return std::nullopt;
  if (num_elements(b) == b.back()) return Meeting{BinaryS8Call::Row};
  if (b.size() == y.size() && b[0] == y[0] && num_elements(b) == b[0] * b.back()) {
    return Meeting{BinaryS8Call::Row, b[0]};
  }
  return std::nullopt;
}

/// A call with all that it points to.
struct BoundCall final : BoundBinaryS8 {
  BinaryS8Call call{};
  kernels::BinaryS8 kernel;
  std::int64_t pieces = 1;
  StageArrays arrays;
  kernels::OutputStage stage;
  kernels::LinesTable lines;

  BoundCall(const BinaryS8Call& given, kernels::BinaryS8 run, std::int64_t piece_count, const RequantizeParameters& by,
            const Affine& y)
      : call(given),
        kernel(run),
        pieces(piece_count),
        arrays(std::vector<RequantizeParameters>(16, by), std::vector<std::int32_t>{}, y),
        stage(arrays.stage()) {
    call.stage = &stage;
    call.y_scale = y.scale;
    lines = kernels::make_lines(call);
    call.lines = lines.lines;
  }
  BoundCall(const BoundCall&) = delete;
  BoundCall& operator=(const BoundCall&) = delete;

  void run(std::int64_t begin, std::int64_t end, std::int64_t piece) const override { kernel(part(begin, end, piece)); }

  /// Rows [begin, end) of all, within one piece.
  BinaryS8Call part(std::int64_t begin, std::int64_t end, std::int64_t piece) const {
    BinaryS8Call part = call;
    part.rows = end - begin;
    part.a.bytes += begin * call.count;
    if (call.repeat == BinaryS8Call::None) part.b.bytes += begin * call.count;
    if (call.repeat == BinaryS8Call::Row) part.b.bytes += piece * call.count;
    part.y += begin * call.count;
    return part;
  }
};

/// The call that can take the operands' shapes, in either order.
std::shared_ptr<const BoundCall> bind_call(const Node& node, const BinaryS8Operand& a, const BinaryS8Operand& b,
                                           const Shape& shape, std::uint8_t* to, Isa isa) {
  BinaryS8Call call{};
  call.kind = node.kind == OpKind::QMul   ? BinaryS8Call::Mul
              : node.kind == OpKind::QSub ? BinaryS8Call::Sub
                                          : BinaryS8Call::Add;
  call.a = operand_of(left_affine(node), a.dtype);
  call.b = operand_of(right_affine(node), b.dtype);
  call.a.bytes = a.bytes;
  call.b.bytes = b.bytes;
  auto meeting = meeting_of(a.shape, b.shape, shape);
  if (!meeting && call.kind != BinaryS8Call::Sub) {
    meeting = meeting_of(b.shape, a.shape, shape);
    std::swap(call.a, call.b);
  }
  if (!meeting) return nullptr;
  call.repeat = meeting->repeat;
  call.count = shape.empty() ? 1 : shape.back();
  call.rows = num_elements(shape) / call.count / meeting->pieces;
  call.y = to;
  const Affine y = output_affine(node);
  RequantizeParameters by = set_multipliers(call, rounding_of(node), y);
  by.profile = rounding_of(node);
  return std::make_shared<const BoundCall>(call, kernels::binary_s8_kernel(isa).run, meeting->pieces, by, y);
}

std::unique_ptr<Step> kernel_step(const BindContext& context) {
  const auto bound = bind_call(context.node(), {context.in_u8(0), context.dtype(0), context.shape(0)},
                               {context.in_u8(1), context.dtype(1), context.shape(1)}, context.output_shape(),
                               context.out<std::uint8_t>(), context.isa());
  if (!bound) return nullptr;
  const int threads = context.threads();
  const std::int64_t grain = std::max<std::int64_t>(1, element_grain / bound->call.count);
  return make_step(kernels::binary_s8_kernel(context.isa()).name, [=] {
    const std::int64_t rows = bound->call.rows;
    for (std::int64_t piece = 0; piece < bound->pieces; ++piece) {
      run_parallel(threads, rows, grain, [&](std::int64_t begin, std::int64_t end) {
        bound->run(piece * rows + begin, piece * rows + end, piece);
      });
    }
  });
}

/// The number that a stored byte stands for.
std::int32_t byte_value(std::uint8_t byte, DType dtype) {
  return dtype == DType::S8 ? static_cast<std::int8_t>(byte) : byte;
}

/// y = f(a, b) of bytes with any broadcasting.
template <typename F>
std::unique_ptr<Step> broadcast_step(const BindContext& context, F f) {
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

}  // namespace

std::shared_ptr<const BoundBinaryS8> bind_binary_kernel_s8(const Node& node, const BinaryS8Operand& a,
                                                           const BinaryS8Operand& b, const Shape& shape,
                                                           std::uint8_t* y, Isa isa) {
  return bind_call(node, a, b, shape, y, isa);
}

std::unique_ptr<Step> bind_binary_s8(const BindContext& context) {
  if (!is_byte(context.dtype(0)) || !is_byte(context.dtype(1)) || !is_byte(context.output_dtype())) return nullptr;
  if (auto step = kernel_step(context)) return step;
  if (context.node().kind == OpKind::QMul) return broadcast_step(context, quantized_mul(context.node()));
  return broadcast_step(context, quantized_add(context.node()));
}

}  // namespace adze::engine
