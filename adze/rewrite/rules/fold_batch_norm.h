#pragma once

#include <vector>

#include "adze/rewrite/rule.h"

namespace adze::rewrite {

/// Before  layer → BatchNormalization, or BatchNormalization → Conv or Gemm
/// After   the layer with other weights and bias; W' = W·a, b' = b·a + c with a = scale / √(var + ε), c = shift -
/// mean·a When    inference mode, all parameters constant, only the normalization reads the layer (Conv with any
/// groups,
///         ConvTranspose or Gemm), weights read nowhere else. Before a Conv:
///         without padding, because what is padded would not be normalized.
/// Rounding
/// Source  Jacob et al., Quantization and Training of Neural Networks …, 2018, section 3.2
std::vector<Rule> fold_batch_norm_rules();

}  // namespace adze::rewrite
