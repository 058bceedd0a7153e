#include <algorithm>
#include <cstring>

#include "adze/engine/kernels/interleave/interleave.h"
#include "adze/engine/step.h"
#include "adze/engine/steps/copies.h"
#include "adze/engine/steps/resize.h"

namespace adze::engine {

namespace {

constexpr std::int64_t byte_grain = 1 << 15;

/// A transpose with dimensions that stay together merged and ones dropped: sizes in output order, strides in the input.
struct MergedTranspose {
  std::vector<std::int64_t> sizes, strides;
};

MergedTranspose merge(const Shape& shape, const std::vector<std::int64_t>& perm) {
  const Shape strides = row_major_strides(shape);
  MergedTranspose merged;
  for (const std::int64_t axis : perm) {
    const std::int64_t size = shape[static_cast<std::size_t>(axis)], stride = strides[static_cast<std::size_t>(axis)];
    if (size == 1) continue;
    if (!merged.sizes.empty() && merged.strides.back() == size * stride) {
      merged.sizes.back() *= size;
      merged.strides.back() = stride;
    } else {
      merged.sizes.push_back(size);
      merged.strides.push_back(stride);
    }
  }
  if (merged.sizes.empty()) return {{1}, {1}};
  return merged;
}

/// One innermost row of the output: count elements, stride apart in the input.
template <typename T>
void gather_row(const T* x, std::int64_t stride, std::int64_t count, T* y) {
  if (stride == 1) {
    std::memcpy(y, x, static_cast<std::size_t>(count) * sizeof(T));
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i * stride];
  }
}

/// Rows of few elements whose next row lies beside them in the input: few planes to channels last.
template <typename T, int Count>
void interleave(const T* x, std::int64_t stride, std::int64_t rows, T* y) {
  for (std::int64_t r = 0; r < rows; ++r, ++x, y += Count) {
#pragma GCC unroll 4
    for (int i = 0; i < Count; ++i) y[i] = x[i * stride];
  }
}

template <typename T>
void (*interleave_of(std::int64_t count))(const T*, std::int64_t, std::int64_t, T*) {
  return count == 2 ? interleave<T, 2> : count == 3 ? interleave<T, 3> : count == 4 ? interleave<T, 4> : nullptr;
}

template <typename T>
std::unique_ptr<Step> transpose_step(const BindContext& context, const MergedTranspose& merged) {
  const T* x = reinterpret_cast<const T*>(context.in_bytes(0));
  T* y = context.out<T>();
  const std::int64_t count = merged.sizes.back(), stride = merged.strides.back();
  const std::int64_t rows = num_elements(merged.sizes) / count;
  const int threads = context.threads();
  const std::size_t rank = merged.sizes.size();
  if (const auto weave = interleave_of<T>(count);
      weave != nullptr && rank >= 2 && rank <= 3 && merged.strides[rank - 2] == 1) {
    const std::int64_t together = merged.sizes[rank - 2], step = rank == 3 ? merged.strides[0] : 0;
    return make_step("interleave", [=] {
      for (std::int64_t i = 0; i < rows / together; ++i) {
        run_parallel(threads, together, byte_grain / count, [&](std::int64_t begin, std::int64_t end) {
          weave(x + i * step + begin, stride, end - begin, y + (i * together + begin) * count);
        });
      }
    });
  }
  return make_step("transpose", [=] {
    run_parallel(threads, rows, std::max<std::int64_t>(1, byte_grain / count),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t r = begin; r < end; ++r) {
                     std::int64_t rest = r, at = 0;
                     for (std::size_t d = merged.sizes.size() - 1; d-- > 0;) {
                       at += rest % merged.sizes[d] * merged.strides[d];
                       rest /= merged.sizes[d];
                     }
                     gather_row(x + at, stride, count, y + r * count);
                   }
                 });
  });
}

/// Bytes of planes to pixels, [planes, count] to [count, planes].
std::unique_ptr<Step> interleave_step(const BindContext& context, std::int64_t planes, std::int64_t count) {
  const kernels::InterleaveKernel& kernel = kernels::interleave_kernel(context.isa());
  const auto* x = context.in_u8(0);
  auto* y = context.out<std::uint8_t>();
  return make_step(kernel.name, [=, run = kernel.run] { run(x, planes, count, y); });
}

std::unique_ptr<Step> bind_transpose(const BindContext& context) {
  const Shape shape = context.shape(0);
  std::vector<std::int64_t> perm = context.node().get_ints("perm");
  if (perm.empty()) {
    for (std::size_t i = shape.size(); i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  }
  const MergedTranspose merged = merge(shape, perm);
  const bool planes_to_pixels = merged.sizes.size() == 2 && merged.strides[0] == 1;
  switch (dtype_bits(context.dtype(0))) {
    case 8:
      if (planes_to_pixels) return interleave_step(context, merged.sizes[1], merged.sizes[0]);
      return transpose_step<std::uint8_t>(context, merged);
    case 16:
      return transpose_step<std::uint16_t>(context, merged);
    case 32:
      return transpose_step<std::uint32_t>(context, merged);
    case 64:
      return transpose_step<std::uint64_t>(context, merged);
    default:
      return nullptr;
  }
}

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
  static const BinderEntry entries[] = {
      {OpKind::Concat, bind_concat}, {OpKind::Gather, bind_gather},         {OpKind::Pad, bind_pad},
      {OpKind::Slice, bind_slice},   {OpKind::Resize, bind_resize_nearest}, {OpKind::Resize, bind_resize_weighted},
      {OpKind::Split, bind_split},   {OpKind::Transpose, bind_transpose}};
  return entries;
}

}  // namespace adze::engine
