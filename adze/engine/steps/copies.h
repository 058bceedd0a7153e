#pragma once

#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

// Operators whose output is, along each axis by itself, a choice of the input's indices: known when they are bound.
// Null where it is not.

/// Constant indices along one axis.
std::unique_ptr<Step> bind_gather(const BindContext& context);
/// Any indices, checked when they are there: ModelError.
std::unique_ptr<Step> bind_gather_any(const BindContext& context);
std::unique_ptr<Step> bind_pad(const BindContext& context);
/// Nearest neighbours only.
std::unique_ptr<Step> bind_resize_nearest(const BindContext& context);
std::unique_ptr<Step> bind_slice(const BindContext& context);
/// A choice by a condition of the run.
std::unique_ptr<Step> bind_where(const BindContext& context);

}  // namespace adze::engine
