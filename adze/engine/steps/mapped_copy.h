#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "adze/numerics/shape.h"

namespace adze::engine {

/// y[i, j, …] = x[maps[0][i], maps[1][j], …] of elements of width bytes; a negative index anywhere gives the fill.
class MappedCopy {
 public:
  /// One map for each axis of x, as long as y is along it. fill: one element, or null for maps without negative
  /// indices.
  MappedCopy(const Shape& x, const std::vector<std::vector<std::int64_t>>& maps, std::int64_t width,
             const std::byte* fill);

  std::int64_t rows() const { return rows_; }
  std::int64_t row_bytes() const { return row_bytes_; }
  /// Rows [begin, end) of the output, each along the innermost axis that is not copied whole.
  void run(const std::byte* x, std::byte* y, std::int64_t begin, std::int64_t end) const;

 private:
  struct Outer {
    std::vector<std::int64_t> offsets;  ///< in bytes; negative: fill
  };
  struct Piece {
    std::int64_t to, from, bytes;  ///< from negative: fill
  };
  std::int64_t base_of(std::int64_t row) const;
  void copy_row(const std::byte* x, std::byte* y) const;

  std::vector<Outer> outer_;
  std::vector<Piece> pieces_;          ///< of a row
  std::vector<std::int64_t> offsets_;  ///< of a row's single elements, where pieces would be too short
  std::vector<std::byte> fill_;        ///< a row of it
  std::int64_t width_, rows_ = 1, row_bytes_ = 0;
};

}  // namespace adze::engine
