#pragma once

#include "adze/graph/infer.h"

namespace adze::neural {

/// The first dtype of these inputs that is known.
DType first_dtype(const InferContext& context, std::initializer_list<std::size_t> inputs);
/// Throws ModelError unless the input's rank is unknown or this.
void require_rank(const InferContext& context, std::size_t input, std::int64_t rank);
/// Throws ModelError when both are known numbers and differ; what names the two.
void require_equal(const Dim& a, const Dim& b, std::string_view what);
/// The same value where one of the two knows it. Throws like require_equal.
Dim unified(const Dim& a, const Dim& b, std::string_view what);
/// count dimensions of which nothing is known.
SymbolicShape unknown_dims(std::size_t count);

// Rules by topic; the table is in neural.cpp.
void infer_conv(InferContext& context);
void infer_conv_integer(InferContext& context);
void infer_conv_transpose(InferContext& context);
void infer_pool(InferContext& context);
void infer_global_pool(InferContext& context);
void infer_max_unpool(InferContext& context);
void infer_max_roi_pool(InferContext& context);
void infer_roi_align(InferContext& context);
void infer_gemm(InferContext& context);
void infer_matmul(InferContext& context);
void infer_matmul_integer(InferContext& context);
void infer_batch_normalization(InferContext& context);
void infer_channel_normalization(InferContext& context);
void infer_layer_normalization(InferContext& context);
void infer_lrn(InferContext& context);
void infer_dropout(InferContext& context);
void infer_resize(InferContext& context);
void infer_upsample(InferContext& context);
void infer_grid_sample(InferContext& context);
void infer_affine_grid(InferContext& context);
void infer_col2im(InferContext& context);
void infer_non_max_suppression(InferContext& context);

}  // namespace adze::neural
