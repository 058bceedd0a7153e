#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/decoded_f32/decoded_f32_call.h"

namespace adze::kernels {

/// One line of decoded_f32.def.
struct DecodedF32Kernel {
  const char* name;
  Isa isa;
  void (*run)(const DecodedF32Call&);
};
std::span<const DecodedF32Kernel> decoded_f32_kernels();
/// The first kernel of the table that the instruction set allows.
const DecodedF32Kernel& decoded_f32_kernel(Isa isa);

/// How weights are packed. All kernels read the same form.
struct DecodedLayout {
  WeightCode code = WeightCode::F16;
  std::int64_t depth = 0, columns = 0;
  std::int64_t group = 0;  ///< inputs that share a scale; the depth without scales
  bool scales = false;

  std::int64_t groups() const { return (depth + group - 1) / group; }
  /// Pieces of 4 bytes a column in a group.
  std::int64_t pieces() const { return (group + weight_code_inputs(code) - 1) / weight_code_inputs(code); }
  std::int64_t blocks() const { return (columns + 63) / 64; }
  std::int64_t panels(std::int64_t block) const {
    const std::int64_t left = (columns - block * 64 + 15) / 16;
    return left < 4 ? left : 4;
  }
  std::int64_t group_bytes(std::int64_t panels) const { return (pieces() + (scales ? 1 : 0)) * panels * 64; }
  std::int64_t block_offset(std::int64_t block) const { return block * groups() * group_bytes(4); }
  std::int64_t bytes() const { return block_offset(blocks() - 1) + groups() * group_bytes(panels(blocks() - 1)); }
};

struct DecodedSource {
  std::function<std::uint32_t(std::int64_t k, std::int64_t column)> code;
  std::function<float(std::int64_t group, std::int64_t column)> scale;
};
/// packed: layout.bytes(), zero.
void pack_decoded(const DecodedLayout& layout, const DecodedSource& source, std::uint8_t* packed);

}  // namespace adze::kernels
