#include "adze/engine/steps/transpose.h"

#include <algorithm>
#include <cstring>

#include "adze/engine/kernels/interleave/interleave.h"
#include "adze/engine/kernels/transpose/transpose.h"

namespace adze::engine {

namespace {

constexpr std::int64_t byte_grain = 1 << 15;

/// One axis of the output: elements from one index to the next, in the input and in the output.
struct Axis {
  std::int64_t size, from, to;
};

/// A transpose with axes of one element dropped and those merged that stay together, in the output's order.
std::vector<Axis> merged_axes(const Shape& shape, const std::vector<std::int64_t>& perm) {
  const Shape strides = row_major_strides(shape);
  std::vector<Axis> merged;
  for (const std::int64_t axis : perm) {
    const std::int64_t size = shape[static_cast<std::size_t>(axis)], stride = strides[static_cast<std::size_t>(axis)];
    if (size == 1) continue;
    if (!merged.empty() && merged.back().from == size * stride) {
      merged.back() = {merged.back().size * size, stride, 0};
    } else {
      merged.push_back({size, stride, 0});
    }
  }
  if (merged.empty()) merged.push_back({1, 1, 1});
  std::int64_t step = 1;
  for (std::size_t i = merged.size(); i-- > 0;) {
    merged[i].to = step;
    step *= merged[i].size;
  }
  return merged;
}

/// What lies around the innermost work: where its index-th piece begins.
struct Outer {
  std::vector<Axis> axes;

  std::int64_t count() const {
    std::int64_t count = 1;
    for (const Axis& axis : axes) count *= axis.size;
    return count;
  }
  Axis at(std::int64_t index) const {
    Axis begin{1, 0, 0};
    for (std::size_t i = axes.size(); i-- > 0;) {
      begin.from += index % axes[i].size * axes[i].from;
      begin.to += index % axes[i].size * axes[i].to;
      index /= axes[i].size;
    }
    return begin;
  }
};

/// Rows of so many bytes, step apart in x and side by side in y.
using CopyRows = void (*)(const std::byte* x, std::int64_t step, std::int64_t rows, std::int64_t bytes, std::byte* y);

template <std::size_t known>
void copy_rows(const std::byte* x, std::int64_t step, std::int64_t rows, std::int64_t bytes, std::byte* y) {
  const std::size_t count = known > 0 ? known : static_cast<std::size_t>(bytes);
  for (std::int64_t r = 0; r < rows; ++r, x += step, y += count) std::memcpy(y, x, count);
}

CopyRows copy_rows_of(std::int64_t bytes) {
  switch (bytes) {
    case 2:
      return copy_rows<2>;
    case 4:
      return copy_rows<4>;
    case 8:
      return copy_rows<8>;
    case 12:
      return copy_rows<12>;
    case 16:
      return copy_rows<16>;
    case 32:
      return copy_rows<32>;
    case 64:
      return copy_rows<64>;
    case 128:
      return copy_rows<128>;
    default:
      return copy_rows<0>;
  }
}

/// The last axis lies side by side: rows are copied.
std::unique_ptr<Step> copying_step(const BindContext& context, std::vector<Axis> axes, std::int64_t width) {
  const std::int64_t bytes = axes.back().size * width;
  axes.pop_back();
  Axis rows{1, 0, 0};
  if (!axes.empty()) {
    rows = axes.back();
    axes.pop_back();
  }
  const std::byte* x = context.in_bytes(0);
  auto* y = context.out<std::byte>();
  const int threads = context.threads();
  const std::int64_t grain = std::max<std::int64_t>(1, byte_grain / (rows.size * bytes));
  return make_step("transpose", [=, outer = Outer{std::move(axes)}, copy = copy_rows_of(bytes)] {
    run_parallel(threads, outer.count(), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Axis at = outer.at(i);
        copy(x + at.from * width, rows.from * width, rows.size, bytes, y + at.to * width);
      }
    });
  });
}

/// Another axis lies side by side in the input: the two change places in matrices.
std::unique_ptr<Step> turning_step(const BindContext& context, std::vector<Axis> axes, std::int64_t width) {
  const Axis last = axes.back();
  axes.pop_back();
  const auto beside = std::ranges::find(axes, 1, &Axis::from);
  if (beside == axes.end()) return nullptr;
  const Axis columns = *beside;
  axes.erase(beside);
  const kernels::TransposeKernel& kernel = kernels::transpose_kernel(context.isa());
  constexpr std::int64_t band = 64;  // columns of one piece
  const std::int64_t bands = (columns.size + band - 1) / band;
  const std::byte* x = context.in_bytes(0);
  auto* y = context.out<std::byte>();
  const int threads = context.threads();
  const std::int64_t grain = std::max<std::int64_t>(1, byte_grain / (last.size * std::min(band, columns.size) * width));
  return make_step(kernel.name, [=, outer = Outer{std::move(axes)}, run = kernel.run] {
    run_parallel(threads, outer.count() * bands, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Axis at = outer.at(i / bands);
        const std::int64_t first = i % bands * band, count = std::min(band, columns.size - first);
        run({x + (at.from + first) * width, last.size, count, last.from, y + (at.to + first * columns.to) * width,
             columns.to},
            width);
      }
    });
  });
}

/// Rows of few elements whose next row lies beside them in the input: few planes to channels last.
template <typename T, int Count>
void interleave(const T* x, std::int64_t stride, std::int64_t rows, T* y) {
  for (std::int64_t r = 0; r < rows; ++r, ++x, y += Count) {
#pragma GCC unroll 4
    for (int i = 0; i < Count; ++i) y[i] = x[i * stride];
  }
}

/// Null where there are too many planes, or their elements do not lie side by side.
template <typename T>
std::unique_ptr<Step> weaving_step(const BindContext& context, std::vector<Axis> axes) {
  const Axis planes = axes.back();
  axes.pop_back();
  if (axes.empty() || axes.back().from != 1 || planes.size > 4) return nullptr;
  const Axis pixels = axes.back();
  axes.pop_back();
  const auto weave = planes.size == 2 ? interleave<T, 2> : planes.size == 3 ? interleave<T, 3> : interleave<T, 4>;
  const T* x = reinterpret_cast<const T*>(context.in_bytes(0));
  T* y = context.out<T>();
  const int threads = context.threads();
  return make_step("interleave", [=, outer = Outer{std::move(axes)}] {
    for (std::int64_t i = 0; i < outer.count(); ++i) {
      const Axis at = outer.at(i);
      run_parallel(threads, pixels.size, byte_grain / planes.size, [&](std::int64_t begin, std::int64_t end) {
        weave(x + at.from + begin, planes.from, end - begin, y + at.to + begin * planes.size);
      });
    }
  });
}

/// Bytes of three planes to pixels.
std::unique_ptr<Step> pixels_step(const BindContext& context, const std::vector<Axis>& axes) {
  if (axes.size() != 2 || axes[0].from != 1 || axes[1].size != 3) return nullptr;
  const kernels::InterleaveKernel& kernel = kernels::interleave_kernel(context.isa());
  const auto* x = context.in_u8(0);
  auto* y = context.out<std::uint8_t>();
  return make_step(kernel.name, [=, run = kernel.run, count = axes[0].size] { run(x, 3, count, y); });
}

}  // namespace

std::unique_ptr<Step> bind_transpose(const BindContext& context) {
  const Shape shape = context.shape(0);
  std::vector<std::int64_t> perm = context.node().get_ints("perm");
  if (perm.empty()) {
    for (std::size_t i = shape.size(); i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  }
  const std::int64_t bits = dtype_bits(context.dtype(0));
  if (bits != 8 && bits != 16 && bits != 32 && bits != 64) return nullptr;
  const std::vector<Axis> axes = merged_axes(shape, perm);
  if (axes.back().from == 1) return copying_step(context, axes, bits / 8);
  std::unique_ptr<Step> step;
  if (bits == 8) step = pixels_step(context, axes);
  if (step == nullptr && bits == 8) step = weaving_step<std::uint8_t>(context, axes);
  if (step == nullptr && bits == 16) step = weaving_step<std::uint16_t>(context, axes);
  if (step == nullptr && bits == 32) step = weaving_step<std::uint32_t>(context, axes);
  if (step != nullptr) return step;
  return turning_step(context, axes, bits / 8);
}

}  // namespace adze::engine
