#include "adze/numerics/shape.h"

#include <algorithm>

#include "adze/base/checked.h"
#include "adze/base/text.h"

namespace adze {

std::int64_t num_elements(const Shape& shape) {
  bool is_empty = false;
  for (const std::int64_t dim : shape) {
    if (dim < 0) throw ModelError(cat("shape ", shape_text(shape), " has a negative dimension"));
    is_empty |= dim == 0;
  }
  if (is_empty) return 0;
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count = checked_mul(count, dim, "number of elements");
  return count;
}

Shape row_major_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    // Only shapes without elements can overflow here, and their strides are never used.
    if (__builtin_mul_overflow(stride, std::max<std::int64_t>(1, shape[i]), &stride)) stride = 1;
  }
  return strides;
}

std::string shape_text(const Shape& shape) {
  return shape_text(symbolic(shape));
}

std::int64_t normalize_axis(std::int64_t axis, std::int64_t rank) {
  if (axis < -rank || axis >= rank) {
    throw ModelError(cat("axis ", axis, " is out of range for rank ", rank));
  }
  return axis < 0 ? axis + rank : axis;
}

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      throw ModelError(cat("shapes ", shape_text(a), " and ", shape_text(b), " do not broadcast"));
    }
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

SymbolicShape symbolic(const Shape& shape) {
  return SymbolicShape(shape.begin(), shape.end());
}

std::optional<Shape> concrete(const SymbolicShape& shape) {
  Shape result;
  result.reserve(shape.size());
  for (const Dim& dim : shape) {
    if (!dim.is_known()) return std::nullopt;
    result.push_back(dim.value);
  }
  return result;
}

std::string shape_text(const SymbolicShape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    if (shape[i].is_known() || (shape[i].symbol.empty() && shape[i].value != -1)) {
      text += cat(shape[i].value);
    } else {
      text += shape[i].symbol.empty() ? "?" : shape[i].symbol;
    }
  }
  return text + "]";
}

bool compatible(const SymbolicShape& a, const SymbolicShape& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const Dim& x, const Dim& y) {
           return !x.is_known() || !y.is_known() || x.value == y.value;
         });
}

}  // namespace adze
