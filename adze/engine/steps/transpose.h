#pragma once

#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

/// A Transpose by any permutation, elements of whole bytes.
std::unique_ptr<Step> bind_transpose(const BindContext& context);

}  // namespace adze::engine
