#include "adze/base/checked.h"
#include "adze/base/text.h"
#include "adze/engine/reference/detail/elements.h"
#include "adze/engine/reference/neural.h"
#include "adze/engine/reference/taps.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::neural {

namespace {

/// The output shape that the window alone implies: what the indices of MaxUnpool count in.
Shape unpooled_shape(const Context& context, const Tensor& x) {
  const Window window = window_of(context.node(), static_cast<std::size_t>(x.rank() - 2));
  Shape shape = {x.dim(0), x.dim(1)};
  for (std::size_t i = 0; i < window.rank(); ++i) {
    const std::int64_t size = x.shape()[i + 2];
    const std::int64_t steps = checked_mul(size - 1, window.strides[i], "output size");
    const std::int64_t full = checked_add(steps, window.extent(i), "output size");
    shape.push_back(full - window.pads_begin[i] - window.pads_end[i]);
  }
  return shape;
}

/// Where element `offset` of a tensor of shape `from` lies in one of shape `to`, or -1 when it is outside.
std::int64_t moved_offset(std::int64_t offset, const Shape& from, const Shape& to) {
  std::int64_t result = 0, stride = 1;
  for (std::size_t i = from.size(); i-- > 0;) {
    const std::int64_t at = offset % from[i];
    if (at >= to[i]) return -1;
    result += at * stride;
    stride *= to[i];
    offset /= from[i];
  }
  return result;
}

}  // namespace

/// Puts each element back where MaxPool took it. With output_shape the unpooled tensor is padded at the end to it.
void max_unpool(Context& context) {
  const Tensor& x = context.input(0);
  const Tensor& indices = context.input(1);
  if (indices.shape() != x.shape()) throw ModelError("indices and input have different shapes");
  const Shape result = checked_shape(context), unpooled = unpooled_shape(context, x);
  const std::int64_t count = num_elements(unpooled);
  const std::vector<double> xs = to_doubles(x);
  std::vector<double> y(detail::count_to_compute(result));
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t index = indices.get_int(i);
    if (index < 0 || index >= count) throw ModelError(cat("index ", index, " is outside of the ", count, " elements"));
    const std::int64_t at = moved_offset(index, unpooled, result);
    if (at >= 0) y[static_cast<std::size_t>(at)] = xs[static_cast<std::size_t>(i)];
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

/// Adds the columns of [N, C·block, L] up to the image whose windows they are.
void col2im(Context& context) {
  const Tensor& x = context.input(0);
  const Shape result = checked_shape(context);
  const Shape image = part(result, 2), block = to_ints(context.input(2));
  const std::size_t rank = image.size();
  if (block.size() != rank) throw ModelError("image_shape and block_shape differ in length");
  const Window window = window_of(context.node(), rank, symbolic(block));
  Shape steps;
  for (std::size_t i = 0; i < rank; ++i) steps.push_back(window_output(window, i, image[i]).value);
  const std::int64_t columns = num_elements(steps), block_size = num_elements(block), pixels = num_elements(image);
  if (x.dim(2) != columns)
    throw ModelError(cat("input has ", x.dim(2), " columns, the image has ", columns, " blocks"));
  if (result[1] * block_size != x.dim(1)) throw ModelError("the block size does not divide dimension 1");
  const std::vector<double> xs = to_doubles(x);
  std::vector<double> y(detail::count_to_compute(result));
  Shape position(rank, 0);
  std::vector<Tap> taps;
  for (std::int64_t column = 0; column < columns; ++column, next_index(position, steps)) {
    taps_at(window, image, position, taps);
    for (std::int64_t plane = 0; plane < result[0] * result[1]; ++plane) {
      for (const Tap& tap : taps) {
        const std::int64_t row = plane * block_size + tap.kernel;
        y[static_cast<std::size_t>(plane * pixels + tap.input)] += xs[static_cast<std::size_t>(row * columns + column)];
      }
    }
  }
  context.set(0, from_doubles(x.dtype(), result, y));
}

}  // namespace adze::reference::neural
