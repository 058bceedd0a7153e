#pragma once

#include "adze/graph/infer/dims.h"

namespace adze::movement {

/// The shape of the output of Reshape: copies dimensions for 0, computes the one that is left open, symbols included.
/// target may hold unknown dimensions. Throws ModelError when the sizes cannot match.
SymbolicShape reshape_dims(const std::optional<SymbolicShape>& input, const SymbolicShape& target, bool allow_zero);

/// Throws ModelError when the input is known to hold something other than integers.
void require_index_type(const InferContext& context, std::size_t input);

// Rules. movement_shape.cpp:
void infer_identity(InferContext& context);
void infer_reshape(InferContext& context);
void infer_flatten(InferContext& context);
void infer_squeeze(InferContext& context);
void infer_unsqueeze(InferContext& context);
void infer_shape(InferContext& context);
void infer_size(InferContext& context);

// movement_order.cpp:
void infer_transpose(InferContext& context);
void infer_concat(InferContext& context);
void infer_depth_to_space(InferContext& context);
void infer_space_to_depth(InferContext& context);
void infer_reverse_sequence(InferContext& context);
void infer_trilu(InferContext& context);

// movement_index.cpp:
void infer_gather(InferContext& context);
void infer_gather_elements(InferContext& context);
void infer_gather_nd(InferContext& context);
void infer_compress(InferContext& context);
void infer_scatter_elements(InferContext& context);
void infer_scatter_nd(InferContext& context);
void infer_unique(InferContext& context);
void infer_non_zero(InferContext& context);

// movement_slice.cpp:
void infer_slice(InferContext& context);
void infer_split(InferContext& context);

// movement_size.cpp:
void infer_constant(InferContext& context);
void infer_constant_of_shape(InferContext& context);
void infer_expand(InferContext& context);
void infer_eye_like(InferContext& context);
void infer_one_hot(InferContext& context);
void infer_range(InferContext& context);
void infer_tile(InferContext& context);
void infer_pad(InferContext& context);
void infer_center_crop_pad(InferContext& context);

}  // namespace adze::movement
