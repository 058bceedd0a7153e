#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/lowbit/lowbit_call.h"

namespace adze::kernels {

/// One line of lowbit.def.
struct LowbitKernel {
  const char* name;
  Isa isa;
  void (*run)(const LowbitCall&);
  void (*split)(const LowbitSplitCall&);
};
std::span<const LowbitKernel> lowbit_kernels();
/// The first kernel of the table that the instruction set allows.
const LowbitKernel& lowbit_kernel(Isa isa);

/// How weights are packed. All kernels read the same form.
struct LowbitLayout {
  std::int64_t depth = 0, columns = 0;
  std::int64_t group = 0;  ///< inputs with a scale of their own, at most lowbit_most_group; the last may have fewer
  int bits = 4;            ///< of a code: 1, 2, 4 or 8
  int step = 1;            ///< a weight is scale * (step * code - zero point); 2 only with 1 bit
  int scale_bytes = 4;
  bool zero_points = false;
  std::int32_t zero_point = 0;

  /// What the kernels want sums of the inputs multiplied with.
  std::int32_t sum_factor() const { return zero_points ? 1 : -zero_point; }
  std::int64_t groups() const { return (depth + group - 1) / group; }
  /// Chunks of 64 bytes of a panel's codes in a group.
  std::int64_t chunks() const { return (group * bits + 31) / 32; }
  /// Inputs of a group, with those that fill its last chunk.
  std::int64_t padded_group() const { return chunks() * 32 / bits; }
  std::int64_t blocks() const { return (columns + 63) / 64; }
  std::int64_t panels(std::int64_t block) const {
    const std::int64_t left = (columns - block * 64 + 15) / 16;
    return left < 4 ? left : 4;
  }
  std::int64_t group_bytes(std::int64_t panels) const {
    return lowbit_header_bytes(panels, scale_bytes, zero_points) + chunks() * panels * 64;
  }
  /// Where a block of 64 columns starts.
  std::int64_t block_offset(std::int64_t block) const { return block * groups() * group_bytes(4); }
  std::int64_t bytes() const {
    const std::int64_t last = blocks() - 1;
    return block_offset(last) + groups() * group_bytes(panels(last));
  }
};

/// Longer groups are cut: sums of three digits still fit 32 bits.
constexpr std::int64_t lowbit_most_group = 256;

/// Weights as they are packed: codes in [0, 2^bits).
struct LowbitSource {
  std::function<std::uint8_t(std::int64_t k, std::int64_t column)> code;
  std::function<float(std::int64_t group, std::int64_t column)> scale;
  std::function<std::uint8_t(std::int64_t group, std::int64_t column)> zero_point;  ///< with layout.zero_points
};
/// packed: layout.bytes(), aligned to 64 bytes, zero.
void pack_lowbit(const LowbitLayout& layout, const LowbitSource& source, std::uint8_t* packed);

}  // namespace adze::kernels
