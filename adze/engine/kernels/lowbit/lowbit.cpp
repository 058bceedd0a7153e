#include "adze/engine/kernels/lowbit/lowbit.h"

#include <cstring>

#include "adze/base/error.h"
#include "adze/numerics/float_formats.h"

namespace adze::kernels {

#define ADZE_LOWBIT(name, split, isa) \
  void name(const LowbitCall&);       \
  void split(const LowbitSplitCall&);
#include "adze/engine/kernels/lowbit/lowbit.def"
#undef ADZE_LOWBIT

std::span<const LowbitKernel> lowbit_kernels() {
  static const LowbitKernel kernels[] = {
#define ADZE_LOWBIT(name, split, isa) {#name, Isa::isa, name, split},
#include "adze/engine/kernels/lowbit/lowbit.def"
#undef ADZE_LOWBIT
  };
  return kernels;
}

const LowbitKernel& lowbit_kernel(Isa isa) {
  for (const LowbitKernel& kernel : lowbit_kernels()) {
    if (isa_allows(isa, kernel.isa)) return kernel;
  }
  throw InternalError("lowbit has no plain kernel");
}

namespace {

void pack_header(const LowbitLayout& layout, const LowbitSource& source, std::int64_t first, std::int64_t panels,
                 std::int64_t group, std::uint8_t* to) {
  std::uint8_t* zero_points = to + panels * 16 * layout.scale_bytes;
  for (std::int64_t c = 0; c < panels * 16 && first + c < layout.columns; ++c) {
    const float scale = source.scale(group, first + c);
    if (layout.scale_bytes == 4) {
      std::memcpy(to + c * 4, &scale, 4);
    } else {
      const std::uint16_t half = Float16(scale).bits;
      std::memcpy(to + c * 2, &half, 2);
    }
    if (layout.zero_points) zero_points[c] = source.zero_point(group, first + c);
  }
}

void pack_codes(const LowbitLayout& layout, const LowbitSource& source, std::int64_t first, std::int64_t panels,
                std::int64_t group, std::uint8_t* to) {
  const std::int64_t per_byte = 8 / layout.bits, chunk_depth = 4 * per_byte;
  for (std::int64_t c = 0; c < panels * 16 && first + c < layout.columns; ++c) {
    for (std::int64_t i = 0; i < layout.group && group * layout.group + i < layout.depth; ++i) {
      const std::int64_t chunk = i / chunk_depth, p = i % chunk_depth / 4, b = i % 4;
      std::uint8_t& byte = to[(chunk * panels + c / 16) * 64 + c % 16 * 4 + b];
      byte = static_cast<std::uint8_t>(byte | source.code(group * layout.group + i, first + c) << (p * layout.bits));
    }
  }
}

}  // namespace

void pack_lowbit(const LowbitLayout& layout, const LowbitSource& source, std::uint8_t* packed) {
  for (std::int64_t block = 0; block < layout.blocks(); ++block) {
    const std::int64_t panels = layout.panels(block);
    std::uint8_t* to = packed + layout.block_offset(block);
    for (std::int64_t group = 0; group < layout.groups(); ++group, to += layout.group_bytes(panels)) {
      pack_header(layout, source, block * 64, panels, group, to);
      pack_codes(layout, source, block * 64, panels, group,
                 to + lowbit_header_bytes(panels, layout.scale_bytes, layout.zero_points));
    }
  }
}

}  // namespace adze::kernels
