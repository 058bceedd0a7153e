#pragma once

#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

/// QAdd, QSub and QMul of bytes; null for other dtypes.
std::unique_ptr<Step> bind_binary_s8(const BindContext& context);

}  // namespace adze::engine
