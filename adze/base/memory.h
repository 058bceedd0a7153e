#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace adze {

/// By how much the resident memory of this process grows at its highest, from here on. The pages of the program and its
/// libraries are loaded beforehand: they belong to no one in particular.
class PeakMemory {
 public:
  PeakMemory();
  /// Bytes; 0 where the system does not tell.
  std::int64_t growth() const;

 private:
  std::int64_t before_ = 0;
};

/// Zeroed memory for a long time, aligned to 64 bytes. Large pieces come in large pages, so that filling and reading
/// them costs fewer faults and table walks. Throws std::bad_alloc.
std::shared_ptr<std::byte> allocate_zeroed(std::size_t bytes);

/// Gives memory that was freed in small pieces back to the system, where the C library can.
void trim_heap();

}  // namespace adze
