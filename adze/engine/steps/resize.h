#pragma once

#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

/// Resize in any mode as weighted sums, one axis after the other; f32, constant scales or sizes. The weights are the
/// reference's, found once when the step is bound.
std::unique_ptr<Step> bind_resize_weighted(const BindContext& context);
/// Linear Resize of s8 or u8 along one axis or two neighbours.
std::unique_ptr<Step> bind_resize_bytes(const BindContext& context);

}  // namespace adze::engine
