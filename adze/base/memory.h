#pragma once

#include <cstdint>

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

}  // namespace adze
