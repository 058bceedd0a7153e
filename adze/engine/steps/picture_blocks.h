#pragma once

#include <cstdint>

#include "adze/engine/kernels/geometry.h"

namespace adze::engine {

/// The geometry of a convolution that reads each pixel once and moves nothing, as one row of all pictures' pixels;
/// any other is returned as it is.
kernels::WindowGeometry as_one_row(kernels::WindowGeometry g);
/// The same as one row for each picture.
kernels::WindowGeometry as_rows(kernels::WindowGeometry g);

/// Cuts the output pixels of a convolution into blocks: whole rows, or a part of one row. A block reads the picture
/// where it is, or, where there are pads, a padded copy of its part.
class PictureBlocks {
 public:
  static constexpr std::int64_t most_pixels = 1024;

  PictureBlocks() = default;
  /// Blocks of about the number of pixels. always_copy: also where there are no pads. margin: elements that
  /// may be read beyond the end of a copy.
  PictureBlocks(const kernels::WindowGeometry& g, std::int64_t pixels, bool always_copy = false,
                std::int64_t margin = 64);

  struct Block {
    std::int64_t row, column;  ///< of the first pixel
    std::int64_t rows, columns;
    std::int64_t first_pixel, pixels;
  };
  std::int64_t count() const { return down_ * across_; }
  Block at(std::int64_t index) const;

  /// Where the first pixel's window begins: in x, or in this thread's padded copy, valid until its next call.
  const float* source(const Block& block, const float* x) const;
  /// The same for bytes: pads hold the given one; bytes of a copy are read with flip XORed. A copy can be read a few
  /// bytes beyond its end.
  const std::uint8_t* source(const Block& block, const std::uint8_t* x, std::uint8_t pad, std::uint8_t flip) const;

  /// Where each pixel's window begins.
  template <typename T>
  void point_at_pixels(const Block& block, const T* source, const T** rows) const {
    const std::int64_t right = g_.stride_width * g_.in_channels, down = g_.stride_height * row_elements_;
    for (std::int64_t row = 0; row < block.rows; ++row, source += down) {
      const T* at = source;
      for (std::int64_t column = 0; column < block.columns; ++column, at += right) *rows++ = at;
    }
  }
  /// From a pixel's window to that of the next.
  std::int64_t right_step() const { return g_.stride_width * g_.in_channels; }
  /// From a pixel's window to that of the pixel below.
  std::int64_t down_step() const { return g_.stride_height * row_elements_; }
  /// Of a tap, from its window's begin.
  std::int64_t tap_offset(std::int64_t ky, std::int64_t kx) const {
    return ky * g_.dilation_height * row_elements_ + kx * g_.dilation_width * g_.in_channels;
  }

 private:
  template <typename T, typename Copy>
  const T* copy_of(const Block& block, const T* x, T pad, Copy copy_elements) const;

  kernels::WindowGeometry g_;
  std::int64_t down_ = 1, across_ = 1;
  bool padded_ = false;
  std::int64_t margin_ = 64;
  std::int64_t row_elements_ = 0;  ///< of the picture, or of a copy
};

}  // namespace adze::engine
