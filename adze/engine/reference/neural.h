#pragma once

#include "adze/engine/reference/reference.h"

namespace adze::reference::neural {

// Kernels by topic (one neural_<topic>.cpp each); the table is in neural.cpp.
void conv(Context& context);
void conv_integer(Context& context);
void conv_transpose(Context& context);
void gemm(Context& context);
void matmul(Context& context);
void matmul_integer(Context& context);
void max_pool(Context& context);
void average_pool(Context& context);
void lp_pool(Context& context);
void global_pool(Context& context);
void max_unpool(Context& context);
void col2im(Context& context);
void batch_normalization(Context& context);
void instance_normalization(Context& context);
void group_normalization(Context& context);
void layer_normalization(Context& context);
void lrn(Context& context);
void dropout(Context& context);
void resize(Context& context);
void upsample(Context& context);
void grid_sample(Context& context);
void affine_grid(Context& context);
void max_roi_pool(Context& context);
void roi_align(Context& context);
void non_max_suppression(Context& context);

}  // namespace adze::reference::neural
