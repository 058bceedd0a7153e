#pragma once

#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

// Products of signs, which engine/fuse_signs makes: nodes of kind QConv or QGemm with this attribute and the inputs X
// f32 (of which the signs count; a value that is not a number counts as positive), signs of the weights as s8 ([O,I,k…]
// or [N,K]: -1, 0, 1), scales f32 [O], bias? f32 [O].
inline constexpr const char* signs_attribute = "signs";

/// By kernels/sign_sums; null for other nodes. Binds all such nodes whose shapes are known.
std::unique_ptr<Step> bind_signs(const BindContext& context);

}  // namespace adze::engine
