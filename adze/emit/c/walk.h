#pragma once

#include <string>
#include <vector>

#include "adze/emit/c/layer.h"

namespace adze::emit {

/// How two operands broadcast to a result: neighbouring dimensions that all walk through alike are one; four remain.
struct Walk {
  std::vector<std::int64_t> dims, a, b;
  std::string text() const;  ///< as three C initializers
};
Walk walk_of(const LayerWriter& writer);

}  // namespace adze::emit
