#pragma once

#include <cstdint>
#include <vector>

#include "adze/engine/steps/picture_blocks.h"

namespace adze::engine {

/// How a window lies in memory: stretches of bytes, one for each kernel row where that is possible, each filled up to
/// whole quads by what follows it, with weights of zero.
struct WindowSegments {
  std::int64_t count, bytes;
  std::vector<std::int32_t> quad_offsets;

  WindowSegments(const kernels::WindowGeometry& g, const PictureBlocks& blocks) {
    const bool whole_rows = g.groups == 1 && g.dilation_width == 1;
    const std::int64_t across = whole_rows ? 1 : g.kernel_width;
    count = g.kernel_height * across;
    bytes = g.in_channels / g.groups * (whole_rows ? g.kernel_width : 1);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t offset = blocks.tap_offset(i / across, i % across);
      for (std::int64_t at = 0; at < bytes; at += 4) quad_offsets.push_back(static_cast<std::int32_t>(offset + at));
    }
  }
  std::int64_t quads() const { return static_cast<std::int64_t>(quad_offsets.size()); }
};

}  // namespace adze::engine
