#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace adze {

/// Concrete dimensions, outermost first. An empty shape is a scalar.
using Shape = std::vector<std::int64_t>;

/// Product of the dimensions. Throws ModelError when one is negative or the product overflows.
std::int64_t num_elements(const Shape& shape);
/// Elements to step over for one step in each dimension, row-major.
Shape row_major_strides(const Shape& shape);
/// "[1, 3, 32, 32]"
std::string shape_text(const Shape& shape);
/// The axis in [0, rank), counting negative ones from the end. Throws ModelError when out of range.
std::int64_t normalize_axis(std::int64_t axis, std::int64_t rank);
/// NumPy broadcasting of two shapes. Throws ModelError naming both when they do not match.
Shape broadcast_shapes(const Shape& a, const Shape& b);

/// A dimension that may be unknown: a number, a named symbol ("batch"), or neither.
struct Dim {
  std::int64_t value = -1;  ///< -1: not a known number
  std::string symbol;       ///< equal symbols are equal sizes; "" says nothing

  Dim() = default;
  Dim(std::int64_t value) : value(value) {}
  static Dim named(std::string symbol) {
    Dim dim;
    dim.symbol = std::move(symbol);
    return dim;
  }
  bool is_known() const { return value >= 0; }
  bool operator==(const Dim&) const = default;
};

using SymbolicShape = std::vector<Dim>;

SymbolicShape symbolic(const Shape& shape);
/// The numbers, when every dimension is known.
std::optional<Shape> concrete(const SymbolicShape& shape);
/// "[batch, 3, ?, 32]"
std::string shape_text(const SymbolicShape& shape);
/// Could both be the same shape? Known numbers must agree; symbols and unknowns match anything.
bool compatible(const SymbolicShape& a, const SymbolicShape& b);

}  // namespace adze
