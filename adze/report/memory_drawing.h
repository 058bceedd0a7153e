#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adze/plan/memory_map.h"

namespace adze {

/// One step of the map as text of this width, low addresses on the left: '#' what it reads or leaves for later, '+'
/// what begins here, '~' its scratch memory, '.' free. A block that is there shows as one character at least.
std::string memory_bar(const MemoryMap& map, std::size_t step, std::size_t width);

struct MemoryDrawing {
  std::string title;
  std::optional<std::int64_t> ram_bytes;  ///< of the device, as a line where it is within the picture
};

/// The arena over time as one self-contained SVG: steps from left to right, addresses upwards, one rectangle a block
/// with its name, size and life under the pointer; the peak step and the lower bound marked.
std::string memory_svg(const MemoryMap& map, const MemoryDrawing& drawing = {});

}  // namespace adze
