#pragma once

#include "adze/prune/gram.h"
#include "adze/prune/masks.h"

namespace adze::prune {

/// Prunes one layer column by column, correcting the columns still to come for what each loses (optimal brain surgeon
/// with one Hessian, that of the layer's squared output error, for all rows). Which weights go is decided in runs of
/// 128 columns by w² / d² (N:M: in runs of M; blocks: rows of a block together).
/// Source  Frantar and Alistarh, SparseGPT, arXiv:2301.00774
/// Returns the mask.
Mask prune_by_obs(Graph& graph, const Layer& layer, const Gram& gram, const Pattern& pattern, double ratio,
                  double damping = 0.01);

}  // namespace adze::prune
