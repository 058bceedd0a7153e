#include "adze/engine/steps/picture_blocks.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace adze::engine {

namespace {

/// This thread's memory for padded copies. Grows on first use only.
float* thread_floats(std::size_t count) {
  static thread_local std::vector<float> memory;
  if (memory.size() < count) memory.resize(count);
  return memory.data();
}

std::int64_t part(std::int64_t total, std::int64_t count, std::int64_t i) {
  return total * i / count;
}

}  // namespace

kernels::WindowGeometry as_one_row(kernels::WindowGeometry g) {
  const bool plain = g.taps() == 1 && g.stride_height == 1 && g.stride_width == 1 && g.in_height == g.out_height &&
                     g.in_width == g.out_width && g.pad_top == 0 && g.pad_left == 0;
  if (!plain) return g;
  g.in_width = g.out_width = g.batch * g.in_pixels();
  g.in_height = g.out_height = g.batch = 1;
  return g;
}

PictureBlocks::PictureBlocks(const kernels::WindowGeometry& g, std::int64_t pixels) : g_(g) {
  const auto pieces = [](std::int64_t total, std::int64_t size) { return (total + size - 1) / size; };
  padded_ = g.pad_top > 0 || g.pad_left > 0 || g.pad_bottom > 0 || g.pad_right > 0;
  if (g.out_width > pixels) {
    across_ = pieces(g.out_width, pixels);
    down_ = g.out_height;
  } else {
    down_ = pieces(g.out_height, std::max<std::int64_t>(1, pixels / g.out_width));
  }
  const std::int64_t columns = (pieces(g.out_width, across_) - 1) * g.stride_width;
  row_floats_ = (padded_ ? columns + (g.kernel_width - 1) * g.dilation_width + 1 : g.in_width) * g.in_channels;
}

PictureBlocks::Block PictureBlocks::at(std::int64_t index) const {
  const std::int64_t i = index / across_, j = index % across_;
  Block block;
  block.row = part(g_.out_height, down_, i);
  block.rows = part(g_.out_height, down_, i + 1) - block.row;
  block.column = part(g_.out_width, across_, j);
  block.columns = part(g_.out_width, across_, j + 1) - block.column;
  block.first_pixel = block.row * g_.out_width + block.column;
  block.pixels = block.rows * block.columns;
  return block;
}

const float* PictureBlocks::source(const Block& block, const float* x) const {
  const std::int64_t top = block.row * g_.stride_height - g_.pad_top;
  const std::int64_t left = block.column * g_.stride_width - g_.pad_left, channels = g_.in_channels;
  if (!padded_) return x + (top * g_.in_width + left) * channels;
  const std::int64_t rows = (block.rows - 1) * g_.stride_height + (g_.kernel_height - 1) * g_.dilation_height + 1;
  const std::int64_t width = (block.columns - 1) * g_.stride_width + (g_.kernel_width - 1) * g_.dilation_width + 1;
  float* copy = thread_floats(static_cast<std::size_t>(rows * row_floats_));
  // The picture's columns in [left, left + width) lie at [begin, end) of a row of the copy.
  const std::int64_t begin = std::clamp<std::int64_t>(-left, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(g_.in_width - left, begin, width);
  for (std::int64_t row = top; row < top + rows; ++row) {
    float* to = copy + (row - top) * row_floats_;
    if (row < 0 || row >= g_.in_height) {
      std::fill_n(to, width * channels, 0.0f);
      continue;
    }
    std::fill_n(to, begin * channels, 0.0f);
    if (end > begin) {
      std::memcpy(to + begin * channels, x + (row * g_.in_width + left + begin) * channels,
                  static_cast<std::size_t>((end - begin) * channels) * sizeof(float));
    }
    std::fill_n(to + end * channels, (width - end) * channels, 0.0f);
  }
  return copy;
}

void PictureBlocks::point_at_pixels(const Block& block, const float* source, const float** rows) const {
  const std::int64_t right = g_.stride_width * g_.in_channels, down = g_.stride_height * row_floats_;
  for (std::int64_t row = 0; row < block.rows; ++row, source += down) {
    const float* at = source;
    for (std::int64_t column = 0; column < block.columns; ++column, at += right) *rows++ = at;
  }
}

}  // namespace adze::engine
