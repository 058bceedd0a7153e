#pragma once

#include <cstdint>
#include <string>

#include "adze/emit/c/layer.h"
#include "adze/graph/window.h"

namespace adze::emit {

/// How windows go over a picture [height, width, channels] with channels last: a convolution or a pool of one picture.
struct WindowWalk {
  std::int64_t in_h = 1, in_w = 1, in_c = 1;
  std::int64_t out_h = 1, out_w = 1, out_c = 1;
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;

  std::int64_t in_bytes() const { return in_h * in_w * in_c; }
  /// Rows of the input that output rows before `row` may have needed and that `row` and later ones still do begin here.
  std::int64_t first_row_needed(std::int64_t row) const;
};

/// The window's numbers over height and width; one dimension is a picture of one row. x, y: [batch, height, width,
/// channels].
WindowWalk walk_of(const Shape& x, const Shape& y, const Window& window);

/// How many bytes before its input an output may start at the latest, when the kernel writes its pixels in order,
/// `together` at a time. after_reading: it has read all that these pixels need before it writes the first of them;
/// otherwise it may read for a pixel until that is complete. Negative: it may start after the input.
std::int64_t pixel_distance(const WindowWalk& walk, std::int64_t together, bool after_reading);

/// The same for a kernel that reads pixel by pixel what it writes pixel by pixel, and reads of `together` of them until
/// all are complete.
std::int64_t block_distance(const WindowWalk& walk, std::int64_t together);

/// The same for a kernel that has read every row of the input that an output row needs before it writes that row.
std::int64_t row_distance(const WindowWalk& walk);

/// Says what the kernel of a convolution, by its name, allows. batch 1 only: other layers say nothing.
void declare_conv_overlap(LayerWriter& writer, const std::string& kernel, const WindowWalk& walk, std::int64_t groups);

}  // namespace adze::emit
