#include "adze/engine/kernels/binary_s8/lines_s8.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "adze/engine/kernels/binary_s8/binary_s8.h"

namespace adze::kernels {

namespace {

constexpr int most_shift = 23;
constexpr double most_weight = 8388000.0;  ///< of 24 bits
constexpr double most_sum = 2147000000.0;  ///< of 32 bits
constexpr int fewest_tie_bits = 6;         ///< so that at most one number of 64 is near a tie

double units(const BinaryS8Call& call, const BinaryS8Call::Operand& operand) {
  return static_cast<double>(operand.scale) / static_cast<double>(call.y_scale);
}

/// How far the defined formula may be from real numbers before it rounds to an integer, where its result is not
/// beyond the output's range; negative: unknown. Real numbers: a, b in units of y.
double formula_error(const BinaryS8Call& call) {
  constexpr double float_half_ulp = 1.0 / (1 << 24), range = 256.0;
  if (call.kind == BinaryS8Call::Mul) {
    // Four roundings of floats; or a multiplier of 31 bits, rounded once. Rounded twice it may be anything.
    return call.stage->profile == OutputStage::Tflm ? -1.0 : 4 * float_half_ulp * range;
  }
  const double a = units(call, call.a), b = units(call, call.b);
  if (call.stage->profile == OutputStage::Onnx) return float_half_ulp * (3 * 255 * (a + b) + range);
  // Sides with 20 fractional bits of twice the larger scale, each rounded at most twice, and so their sum.
  return std::ldexp(std::max(a, b), -15) + std::ldexp(range, -30);
}

/// A weight as two s16: lower + 256 upper; what the lower adds for counting from -128 goes off the offset.
std::int32_t packed(double weight, std::int32_t& offset) {
  const std::int64_t whole = std::llround(weight), upper = (whole + 128) >> 8, lower = whole - 256 * upper;
  offset -= static_cast<std::int32_t>(128 * lower);
  const auto high = static_cast<std::uint32_t>(static_cast<std::int32_t>(upper)) << 16;
  return static_cast<std::int32_t>(high | static_cast<std::uint32_t>(lower & 0xffff));
}

/// Sets shift and near_tie for slopes up to this and sums up to this. False: too coarse.
bool set_precision(LinesS8& lines, double slope, double sum, double error) {
  if (!(error >= 0.0) || !(sum < most_sum) || !(slope > 0.0)) return false;
  int shift = most_shift;
  while (shift > 0 && (std::ldexp(slope, shift) > most_weight || std::ldexp(sum, shift) > most_sum)) --shift;
  constexpr double rounded = 130.0;  // halves of two weights, times 128, and of two offsets
  const double around = 2.5 * (error + std::ldexp(rounded, -shift));
  const int tie_bits = std::min(shift, static_cast<int>(std::floor(-std::log2(around))));
  if (tie_bits < fewest_tie_bits) return false;
  lines.shift = shift;
  lines.near_tie = ((1 << tie_bits) - 1) << (shift - tie_bits);
  return true;
}

/// A half, and half of the width that near_tie asks about, so that it lies around the tie.
double rounding_offset(const LinesS8& lines) {
  const double width = static_cast<double>(lines.near_tie & -lines.near_tie);
  return std::ldexp(0.5, lines.shift) + width / 2;
}

struct Line {
  double weight, offset;
};

/// The line of a against this stored byte of b.
Line line_of(const BinaryS8Call& call, int b_byte) {
  const double b = (b_byte ^ call.b.flip) - call.b.zero_point, a_middle = 128 - call.a.zero_point;
  if (call.kind == BinaryS8Call::Mul) {
    const double slope = units(call, call.a) * b * static_cast<double>(call.b.scale);
    return {slope, slope * a_middle};
  }
  const double slope = units(call, call.a), other = units(call, call.b) * b;
  return {slope, slope * a_middle + (call.kind == BinaryS8Call::Add ? other : -other)};
}

/// By stored byte of b, for a's bytes counted from their middle.
struct ByteLines {
  std::array<std::int32_t, 256> weight, offset;
};

/// Pairs of bytes near a tie, and what their lines give.
struct NearPairs {
  std::vector<std::uint8_t> a, b;
  std::vector<std::int32_t> sums;
};

NearPairs near_pairs(const BinaryS8Call& call, const ByteLines& by, std::int32_t near_tie) {
  NearPairs found;
  for (std::size_t b = 0; b < 256; ++b) {
    std::int32_t sum = by.offset[b] - 128 * by.weight[b];
    for (int a = 0; a < 256; ++a, sum += by.weight[b]) {
      if ((sum & near_tie) != 0) continue;
      found.a.push_back(static_cast<std::uint8_t>(a ^ call.a.flip));
      found.b.push_back(static_cast<std::uint8_t>(b));
      found.sums.push_back(sum);
    }
  }
  return found;
}

/// Moves lines so little that only pairs near a tie change sides, to the sides on which the defined formula has them.
/// False, and nothing moved: no such lines are known.
bool settle_ties(const BinaryS8Call& call, const LinesS8& lines, ByteLines& by) {
  const std::int32_t half = (lines.near_tie & -lines.near_tie) / 2;
  const NearPairs near = near_pairs(call, by, lines.near_tie);
  std::vector<std::uint8_t> y(near.a.size());
  BinaryS8Call pairs = call;
  pairs.a.bytes = near.a.data();
  pairs.b.bytes = near.b.data();
  pairs.y = y.data();
  pairs.repeat = BinaryS8Call::None;
  pairs.rows = 1;
  pairs.count = static_cast<std::int64_t>(y.size());
  binary_s8_kernel(Isa::Ref).run(pairs);
  std::array<std::int32_t, 256> least, most;  // that each line may move, less the half
  least.fill(-half);
  most.fill(half);
  const OutputStage& stage = *call.stage;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::int32_t result = stage.low < 0 ? static_cast<std::int8_t>(y[i]) : y[i];
    const std::int32_t begin = (result - stage.zero_point) * (1 << lines.shift), sum = near.sums[i] - half;
    const std::size_t b = near.b[i];
    if (result > stage.low) least[b] = std::max(least[b], begin - sum);
    if (result < stage.high) most[b] = std::min(most[b], begin + (1 << lines.shift) - 1 - sum);
  }
  for (std::size_t b = 0; b < 256; ++b) {
    if (least[b] > most[b]) return false;
  }
  for (std::size_t b = 0; b < 256; ++b) by.offset[b] += std::clamp(0, least[b], most[b]) - half;
  return true;
}

LinesTable lines_by_byte(const BinaryS8Call& call) {
  LinesTable table;
  double slope = 0.0, sum = 0.0;
  for (int byte = 0; byte < 256; ++byte) {
    const Line line = line_of(call, byte);
    slope = std::max(slope, std::abs(line.weight));
    sum = std::max(sum, 128 * std::abs(line.weight) + std::abs(line.offset) + 1);
  }
  if (!set_precision(table.lines, slope, sum, formula_error(call))) return {};
  ByteLines by;
  const double rounding = rounding_offset(table.lines);
  for (int byte = 0; byte < 256; ++byte) {
    const Line line = line_of(call, byte);
    const auto at = static_cast<std::size_t>(byte);
    by.weight[at] = static_cast<std::int32_t>(std::llround(std::ldexp(line.weight, table.lines.shift)));
    by.offset[at] = static_cast<std::int32_t>(std::llround(std::ldexp(line.offset, table.lines.shift) + rounding));
  }
  table.lines.exact = settle_ties(call, table.lines, by);
  table.by_byte.resize(512);
  for (std::size_t at = 0; at < 256; ++at) {
    std::int32_t& offset = table.by_byte[256 + at];
    offset = by.offset[at];
    table.by_byte[at] = packed(by.weight[at], offset);
  }
  table.lines.by_byte = table.by_byte.data();
  return table;
}

}  // namespace

LinesTable make_lines(const BinaryS8Call& call) {
  if (call.repeat != BinaryS8Call::None) return lines_by_byte(call);
  if (call.kind == BinaryS8Call::Mul) return {};
  LinesTable table;
  LinesS8& lines = table.lines;
  const double a = units(call, call.a), b = call.kind == BinaryS8Call::Sub ? -units(call, call.b) : units(call, call.b);
  const double offset = a * (128 - call.a.zero_point) + b * (128 - call.b.zero_point);
  if (!set_precision(lines, std::max(a, std::abs(b)), 256 * (a + std::abs(b)) + 1, formula_error(call))) return {};
  lines.offset = static_cast<std::int32_t>(std::llround(std::ldexp(offset, lines.shift) + rounding_offset(lines)));
  lines.a_weight = packed(std::ldexp(a, lines.shift), lines.offset);
  lines.b_weight = packed(std::ldexp(b, lines.shift), lines.offset);
  return table;
}

}  // namespace adze::kernels
