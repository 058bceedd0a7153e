#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adze/numerics/formats/format.h"
#include "adze/numerics/tensor.h"

namespace adze::quantize {

/// A weight as rows of neighbouring values: a row for each output channel, or one for all.
struct Rows {
  std::vector<float> values;
  std::int64_t rows = 1, columns = 0;
};

/// Channels (indices of axis) first: [channels][all others in their order].
Rows rows_of(const Tensor& weight, std::optional<std::int64_t> axis);

/// Is the format's only parameter a factor of all values?
bool has_scale_alone(const NumberFormat& format);

/// Codes of a weight with the pieces that share parameters: [pieces][length], the last of a row filled up with zeros.
struct Coded {
  std::vector<std::uint64_t> codes;
  std::vector<float> scales;  ///< one a piece; empty: the table says it all
  std::vector<float> table;
  std::int64_t pieces = 1, length = 0;
};

/// Every length neighbours of a row share parameters, fitted with least squared error; of whole rows, every group of
/// neighbours has the same.
Coded coded(const NumberFormat& format, const Rows& rows, std::int64_t length, std::int64_t group = 1);

/// The place of a weight among the codes. padded: codes of a row.
std::size_t code_place(std::int64_t index, const Rows& rows, std::int64_t padded, const Shape& shape,
                       std::optional<std::int64_t> axis);

/// What the codes stand for, in the weight's order.
std::vector<float> restored_in_order(const Coded& codes, const Rows& rows, const Shape& shape,
                                     std::optional<std::int64_t> axis);

}  // namespace adze::quantize
