#include <algorithm>
#include <cstring>

#include "adze/engine/step.h"
#include "adze/engine/steps/copies.h"
#include "adze/engine/steps/resize.h"
#include "adze/engine/steps/transpose.h"

namespace adze::engine {

namespace {

/// Inputs or outputs of Concat and Split as rows of bytes.
std::int64_t row_bytes(const Shape& shape, std::int64_t axis, DType dtype) {
  return storage_bytes(dtype, num_elements(Shape(shape.begin() + axis, shape.end())));
}

std::unique_ptr<Step> bind_concat(const BindContext& context) {
  const Shape y = context.output_shape();
  const DType dtype = context.output_dtype();
  if (dtype_bits(dtype) < 8) return nullptr;
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), static_cast<std::int64_t>(y.size()));
  struct Piece {
    const std::byte* data;
    std::int64_t bytes;
  };
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < context.node().inputs.size(); ++i) {
    pieces.push_back({context.in_bytes(i), row_bytes(context.shape(i), axis, dtype)});
  }
  const std::int64_t rows = num_elements(Shape(y.begin(), y.begin() + axis));
  auto* out = context.out<std::byte>();
  return make_step("concat", [=] {
    std::byte* to = out;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (const Piece& piece : pieces) {
        std::memcpy(to, piece.data + r * piece.bytes, static_cast<std::size_t>(piece.bytes));
        to += piece.bytes;
      }
    }
  });
}

std::unique_ptr<Step> bind_split(const BindContext& context) {
  const Shape x = context.shape(0);
  const DType dtype = context.dtype(0);
  if (dtype_bits(dtype) < 8) return nullptr;
  const std::int64_t axis = normalize_axis(context.node().get_int("axis"), static_cast<std::int64_t>(x.size()));
  struct Piece {
    std::byte* data;
    std::int64_t bytes;
  };
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < context.node().outputs.size(); ++i) {
    if (context.node().outputs[i] == ValueId::None) return nullptr;
    pieces.push_back({context.out<std::byte>(i), row_bytes(context.output_shape(i), axis, dtype)});
  }
  const std::int64_t rows = num_elements(Shape(x.begin(), x.begin() + axis));
  const std::byte* from = context.in_bytes(0);
  return make_step("split", [=] {
    const std::byte* next = from;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (const Piece& piece : pieces) {
        std::memcpy(piece.data + r * piece.bytes, next, static_cast<std::size_t>(piece.bytes));
        next += piece.bytes;
      }
    }
  });
}

}  // namespace

std::span<const BinderEntry> movement_binders() {
  static const BinderEntry entries[] = {{OpKind::Concat, bind_concat},
                                        {OpKind::Gather, bind_gather, "map"},
                                        {OpKind::Gather, bind_gather_any, "indices"},
                                        {OpKind::Pad, bind_pad},
                                        {OpKind::Slice, bind_slice},
                                        {OpKind::Resize, bind_resize_nearest, "nearest"},
                                        {OpKind::Resize, bind_resize_bytes, "bytes"},
                                        {OpKind::Resize, bind_resize_weighted, "weighted"},
                                        {OpKind::Split, bind_split},
                                        {OpKind::Transpose, bind_transpose},
                                        {OpKind::Where, bind_where}};
  return entries;
}

}  // namespace adze::engine
