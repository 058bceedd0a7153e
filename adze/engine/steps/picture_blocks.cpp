#include "adze/engine/steps/picture_blocks.h"

#include <algorithm>
#include <cstring>

#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

void copy_flipped(std::uint8_t* to, const std::uint8_t* from, std::size_t count, std::uint8_t flip) {
  const std::uint64_t flips = 0x0101010101010101u * flip;
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, from + i, 8);
    word ^= flips;
    std::memcpy(to + i, &word, 8);
  }
  for (; i < count; ++i) to[i] = from[i] ^ flip;
}

std::int64_t part(std::int64_t total, std::int64_t count, std::int64_t i) {
  return total * i / count;
}

}  // namespace

namespace {

bool moves_nothing(const kernels::WindowGeometry& g) {
  return g.taps() == 1 && g.stride_height == 1 && g.stride_width == 1 && g.in_height == g.out_height &&
         g.in_width == g.out_width && g.pad_top == 0 && g.pad_left == 0;
}

}  // namespace

kernels::WindowGeometry as_one_row(kernels::WindowGeometry g) {
  if (!moves_nothing(g)) return g;
  g.in_width = g.out_width = g.batch * g.in_pixels();
  g.in_height = g.out_height = g.batch = 1;
  return g;
}

kernels::WindowGeometry as_rows(kernels::WindowGeometry g) {
  if (!moves_nothing(g)) return g;
  g.in_width = g.out_width = g.in_pixels();
  g.in_height = g.out_height = 1;
  return g;
}

PictureBlocks::PictureBlocks(const kernels::WindowGeometry& g, std::int64_t pixels, bool always_copy,
                             std::int64_t margin)
    : g_(g), margin_(margin) {
  const auto pieces = [](std::int64_t total, std::int64_t size) { return (total + size - 1) / size; };
  padded_ = always_copy || g.pad_top > 0 || g.pad_left > 0 || g.pad_bottom > 0 || g.pad_right > 0;
  if (g.out_width > pixels) {
    across_ = pieces(g.out_width, pixels);
    down_ = g.out_height;
  } else {
    down_ = pieces(g.out_height, std::max<std::int64_t>(1, pixels / g.out_width));
  }
  const std::int64_t columns = (pieces(g.out_width, across_) - 1) * g.stride_width;
  row_elements_ = (padded_ ? columns + (g.kernel_width - 1) * g.dilation_width + 1 : g.in_width) * g.in_channels;
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

template <typename T, typename Copy>
const T* PictureBlocks::copy_of(const Block& block, const T* x, T pad, Copy copy_elements) const {
  const std::int64_t top = block.row * g_.stride_height - g_.pad_top;
  const std::int64_t left = block.column * g_.stride_width - g_.pad_left, channels = g_.in_channels;
  if (!padded_) return x + (top * g_.in_width + left) * channels;
  const std::int64_t rows = (block.rows - 1) * g_.stride_height + (g_.kernel_height - 1) * g_.dilation_height + 1;
  const std::int64_t width = (block.columns - 1) * g_.stride_width + (g_.kernel_width - 1) * g_.dilation_width + 1;
  T* copy = thread_elements<T>(rows * row_elements_ + margin_);
  // The picture's columns in [left, left + width) lie at [begin, end) of a row of the copy.
  const std::int64_t begin = std::clamp<std::int64_t>(-left, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(g_.in_width - left, begin, width);
  for (std::int64_t row = top; row < top + rows; ++row) {
    T* to = copy + (row - top) * row_elements_;
    if (row < 0 || row >= g_.in_height) {
      std::fill_n(to, width * channels, pad);
      continue;
    }
    std::fill_n(to, begin * channels, pad);
    if (end > begin) {
      copy_elements(to + begin * channels, x + (row * g_.in_width + left + begin) * channels,
                    static_cast<std::size_t>((end - begin) * channels));
    }
    std::fill_n(to + end * channels, (width - end) * channels, pad);
  }
  return copy;
}

const float* PictureBlocks::source(const Block& block, const float* x) const {
  return copy_of(block, x, 0.0f,
                 [](float* to, const float* from, std::size_t count) { std::memcpy(to, from, count * sizeof(float)); });
}

const std::uint8_t* PictureBlocks::source(const Block& block, const std::uint8_t* x, std::uint8_t pad,
                                          std::uint8_t flip) const {
  return copy_of(block, x, pad, [flip](std::uint8_t* to, const std::uint8_t* from, std::size_t count) {
    if (flip != 0) {
      copy_flipped(to, from, count, flip);
    } else {
      std::memcpy(to, from, count);
    }
  });
}

}  // namespace adze::engine
