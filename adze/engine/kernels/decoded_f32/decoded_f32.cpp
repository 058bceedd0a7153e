#include "adze/engine/kernels/decoded_f32/decoded_f32.h"

#include <algorithm>
#include <cstring>

#include "adze/base/error.h"

namespace adze::kernels {

#define ADZE_DECODED_F32(name, isa) void name(const DecodedF32Call&);
#include "adze/engine/kernels/decoded_f32/decoded_f32.def"
#undef ADZE_DECODED_F32

std::span<const DecodedF32Kernel> decoded_f32_kernels() {
  static const DecodedF32Kernel kernels[] = {
#define ADZE_DECODED_F32(name, isa) {#name, Isa::isa, name},
#include "adze/engine/kernels/decoded_f32/decoded_f32.def"
#undef ADZE_DECODED_F32
  };
  return kernels;
}

const DecodedF32Kernel& decoded_f32_kernel(Isa isa) {
  for (const DecodedF32Kernel& kernel : decoded_f32_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("decoded_f32 has no plain kernel");
}

void pack_decoded(const DecodedLayout& layout, const DecodedSource& source, std::uint8_t* packed) {
  const std::int64_t inputs = weight_code_inputs(layout.code);
  const int bits = weight_code_bits(layout.code);
  for (std::int64_t block = 0; block < layout.blocks(); ++block) {
    const std::int64_t panels = layout.panels(block), columns = std::min<std::int64_t>(64, layout.columns - block * 64);
    std::uint8_t* to = packed + layout.block_offset(block);
    for (std::int64_t g = 0; g < layout.groups(); ++g) {
      if (layout.scales) {
        for (std::int64_t j = 0; j < columns; ++j) {
          const float scale = source.scale(g, block * 64 + j);
          std::memcpy(to + j * 4, &scale, 4);
        }
        to += panels * 64;
      }
      const std::int64_t count = std::min(layout.group, layout.depth - g * layout.group);
      for (std::int64_t j = 0; j < columns; ++j) {
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t place = weight_code_place(layout.code, j % 16, i % inputs);
          std::uint8_t* piece = to + (i / inputs * panels + j / 16) * 64 + place;
          const std::uint32_t code = source.code(g * layout.group + i, block * 64 + j);
          if (lies_by_input(layout.code)) {
            const auto half = static_cast<std::uint16_t>(code);
            std::memcpy(piece, &half, 2);
            continue;
          }
          std::uint32_t value;
          std::memcpy(&value, piece, 4);
          value |= code << (i % inputs * bits);
          std::memcpy(piece, &value, 4);
        }
      }
      to += layout.pieces() * panels * 64;
    }
  }
}

}  // namespace adze::kernels
