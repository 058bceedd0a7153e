#pragma once

#include <string>
#include <vector>

#include "adze/emit/c/layer.h"

namespace adze::emit {

/// How two operands broadcast to a result: neighbouring dimensions that all walk through alike are one; four remain.
struct Walk {
  std::vector<std::int64_t> dims, a, b;
  std::string text() const;  ///< as three C initializers
};
Walk walk_of(const LayerWriter& writer);

/// The elements of one row of the result, as one more C argument; nothing where there are no rows.
std::string row_elements(const LayerWriter& writer);

/// How a QAdd, QSub or QMul rescales its operands and its result, as QuantizedAdd does it; fraction_bits: of the
/// rescaled operands.
struct BinaryRequantize {
  RequantizeParameters by_a, by_b, by_y;
};
BinaryRequantize binary_requantize(const Node& node, int fraction_bits);

/// A mean over axes that are neighbours in memory: the operand as [outer, count, columns].
struct MeanWalk {
  std::int64_t outer = 1, count = 1, columns = 1;
};
/// UnsupportedError where they are not.
MeanWalk mean_walk(const LayerWriter& writer);
/// What the sum is multiplied by, as QuantizedMean does it: the division joins the multiplier. Empty for onnx.
Channel mean_channel(RoundingProfile profile, const Affine& x, const Affine& y, std::int64_t count);

}  // namespace adze::emit
