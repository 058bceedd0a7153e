#include "adze/engine/kernels/binary_s8/binary_s8_call.h"
#include "adze/engine/kernels/neon_requantize.h"

namespace adze::kernels {
namespace {

using Kind = BinaryS8Call::Kind;

/// Sixteen numbers of 32 bits.
struct Wide {
  int32x4_t part[4];
};

/// Sixteen bytes as numbers from the operand's zero point; `from` may also be the middle of their range.
[[gnu::always_inline]] inline Wide widen(uint8x16_t bytes, std::uint8_t flip, std::int32_t from) {
  const uint8x16_t flipped = veorq_u8(bytes, vdupq_n_u8(flip));
  const int16x8_t middle = vdupq_n_s16(static_cast<std::int16_t>(from));
  const int16x8_t first = vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(flipped))), middle);
  const int16x8_t second = vsubq_s16(vreinterpretq_s16_u16(vmovl_high_u8(flipped)), middle);
  return {
      {vmovl_s16(vget_low_s16(first)), vmovl_high_s16(first), vmovl_s16(vget_low_s16(second)), vmovl_high_s16(second)}};
}

/// The defined formula.
template <Kind kind, Profile profile>
struct Formula {
  const BinaryS8Call& call;

  [[gnu::always_inline]] static int32x4_t scaled(const BinaryS8Call::Operand& operand, int32x4_t value) {
    const int32x4_t wide = vshlq_n_s32(value, 20), multiplier = vdupq_n_s32(operand.multiplier);
    const int32x4_t shift = vdupq_n_s32(operand.shift);
    return profile == OutputStage::Tflm ? multiply_twice(wide, multiplier, shift)
                                        : multiply_once(wide, multiplier, shift);
  }

  [[gnu::always_inline]] int32x4_t four(int32x4_t a, int32x4_t b) const {
    if constexpr (profile == OutputStage::Onnx) {
      const float32x4_t left = vmulq_n_f32(vcvtq_f32_s32(a), call.a.scale);
      const float32x4_t right = vmulq_n_f32(vcvtq_f32_s32(b), call.b.scale);
      const float32x4_t real = kind == Kind::Add   ? vaddq_f32(left, right)
                               : kind == Kind::Sub ? vsubq_f32(left, right)
                                                   : vmulq_f32(left, right);
      return vcvtnq_s32_f32(vdivq_f32(real, vdupq_n_f32(call.y_scale)));
    } else if constexpr (kind == Kind::Mul) {
      return requantize<profile>(*call.stage, vmulq_s32(a, b), 0);
    } else {
      const int32x4_t left = scaled(call.a, a), right = scaled(call.b, b);
      return requantize<profile>(*call.stage, kind == Kind::Add ? vaddq_s32(left, right) : vsubq_s32(left, right), 0);
    }
  }

  [[gnu::noinline]] uint8x16_t operator()(uint8x16_t a, uint8x16_t b) const {
    const Wide x = widen(a, call.a.flip, call.a.zero_point), z = widen(b, call.b.flip, call.b.zero_point);
    return pack_bytes(*call.stage, four(x.part[0], z.part[0]), four(x.part[1], z.part[1]), four(x.part[2], z.part[2]),
                      four(x.part[3], z.part[3]));
  }
};

/// Bytes from the middle of their range, as lines take them.
[[gnu::always_inline]] inline Wide from_middle(uint8x16_t bytes, const BinaryS8Call::Operand& operand) {
  return widen(bytes, operand.flip, 128);
}

/// A line's weight as one number, and what its lower half's counting from -128 adds.
struct Weight {
  std::int32_t whole, addend;

  explicit Weight(std::int32_t pair) {
    const auto lower = static_cast<std::int16_t>(pair & 0xffff);
    whole = 256 * (pair >> 16) + lower;
    addend = 128 * lower;
  }
};

/// Sixteen results from their sums. Near a tie only the formula knows.
template <typename Op>
[[gnu::always_inline]] inline uint8x16_t results(const Op& op, const Wide& sums, uint8x16_t a, uint8x16_t b) {
  const LinesS8& lines = op.call.lines;
  const int32x4_t fraction = vdupq_n_s32(lines.near_tie), right = vdupq_n_s32(-lines.shift);
  uint32x4_t far = vtstq_s32(sums.part[0], fraction);
  for (int i = 1; i < 4; ++i) far = vandq_u32(far, vtstq_s32(sums.part[i], fraction));
  if (vminvq_u32(far) == 0) [[unlikely]]
    return op(a, b);
  return pack_bytes(*op.call.stage, vshlq_s32(sums.part[0], right), vshlq_s32(sums.part[1], right),
                    vshlq_s32(sums.part[2], right), vshlq_s32(sums.part[3], right));
}

template <typename Op>
void run_exact(const BinaryS8Call& call) {
  const Op op{call};
  const bool flat = call.repeat != BinaryS8Call::Row;
  const std::int64_t rows = flat ? 1 : call.rows, count = flat ? call.rows * call.count : call.count;
  const uint8x16_t single = vdupq_n_u8(call.b.bytes[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < count; i += 16) {
      const std::int64_t at = r * count + i;
      const uint8x16_t b = call.repeat == BinaryS8Call::Single ? single : load_first(call.b.bytes + i, count - i);
      store_first(call.y + at, op(load_first(call.a.bytes + at, count - i), b), count - i);
    }
  }
}

/// Sums of two tensors.
template <typename Op>
void run_planes(const BinaryS8Call& call) {
  const Op op{call};
  const Weight a_weight(call.lines.a_weight), b_weight(call.lines.b_weight);
  const int32x4_t offset = vdupq_n_s32(call.lines.offset + a_weight.addend + b_weight.addend);
  const std::int64_t count = call.rows * call.count;
  for (std::int64_t i = 0; i < count; i += 16) {
    const uint8x16_t a = load_first(call.a.bytes + i, count - i), b = load_first(call.b.bytes + i, count - i);
    const Wide x = from_middle(a, call.a), z = from_middle(b, call.b);
    Wide sums;
    for (int v = 0; v < 4; ++v) {
      sums.part[v] = vmlaq_n_s32(vmlaq_n_s32(offset, x.part[v], a_weight.whole), z.part[v], b_weight.whole);
    }
    store_first(call.y + i, results(op, sums, a, b), count - i);
  }
}

constexpr std::int64_t most_lines = 2048;

/// What a row of b means for a row of a; one byte for all is a row of 16.
struct Lines {
  std::int32_t weight[most_lines + 16] = {}, offset[most_lines + 16] = {};
  std::uint8_t bytes[most_lines + 16] = {};

  explicit Lines(const BinaryS8Call& call) {
    const bool single = call.repeat == BinaryS8Call::Single;
    for (std::int64_t i = 0; i < (single ? 16 : call.count); ++i) {
      bytes[i] = call.b.bytes[single ? 0 : i];
      const Weight line(call.lines.by_byte[bytes[i]]);
      weight[i] = line.whole;
      offset[i] = call.lines.by_byte[256 + bytes[i]] + line.addend;
    }
  }
};

/// Sums and products with a repeated operand.
template <typename Op>
void run_lines(const BinaryS8Call& call) {
  const Op op{call};
  const Lines lines(call);
  const bool single = call.repeat == BinaryS8Call::Single;
  const std::int64_t rows = single ? 1 : call.rows, count = single ? call.rows * call.count : call.count;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < count; i += 16) {
      const std::int64_t at = r * count + i, line = single ? 0 : i;
      const uint8x16_t a = load_first(call.a.bytes + at, count - i);
      const Wide x = from_middle(a, call.a);
      Wide sums;
      for (int v = 0; v < 4; ++v) {
        const std::int64_t entry = line + 4 * v;
        sums.part[v] = vmlaq_s32(vld1q_s32(lines.offset + entry), x.part[v], vld1q_s32(lines.weight + entry));
      }
      store_first(call.y + at, results(op, sums, a, vld1q_u8(lines.bytes + line)), count - i);
    }
  }
}

template <Kind kind>
void run_kind(const BinaryS8Call& call) {
  with_profile(*call.stage, [&]<Profile profile>() {
    using Op = Formula<kind, profile>;
    if (call.lines.shift == 0 || (call.repeat == BinaryS8Call::Row && call.count > most_lines)) {
      return run_exact<Op>(call);
    }
    return call.repeat == BinaryS8Call::None ? run_planes<Op>(call) : run_lines<Op>(call);
  });
}

}  // namespace

void binary_s8_neon(const BinaryS8Call& call) {
  switch (call.kind) {
    case BinaryS8Call::Add:
      return run_kind<BinaryS8Call::Add>(call);
    case BinaryS8Call::Sub:
      return run_kind<BinaryS8Call::Sub>(call);
    case BinaryS8Call::Mul:
      return run_kind<BinaryS8Call::Mul>(call);
  }
}

}  // namespace adze::kernels
