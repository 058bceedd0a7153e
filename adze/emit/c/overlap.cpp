#include "adze/emit/c/overlap.h"

#include <algorithm>
#include <limits>

namespace adze::emit {

namespace {

constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::max();

/// The first place of a window that lies in [0, size); nothing when none does.
std::int64_t first_inside(std::int64_t at, std::int64_t stride, std::int64_t pad, std::int64_t dilation,
                          std::int64_t kernel, std::int64_t size) {
  for (std::int64_t tap = 0, place = at * stride - pad; tap < kernel; ++tap, place += dilation) {
    if (place >= 0) return place < size ? place : nothing;
  }
  return nothing;
}

std::int64_t first_row(const WindowWalk& walk, std::int64_t row) {
  return first_inside(row, walk.stride_h, walk.pad_top, walk.dilation_h, walk.kernel_h, walk.in_h);
}

/// The first byte that an output pixel reads.
std::int64_t first_byte(const WindowWalk& walk, std::int64_t pixel) {
  const std::int64_t row = first_row(walk, pixel / walk.out_w);
  const std::int64_t column =
      first_inside(pixel % walk.out_w, walk.stride_w, walk.pad_left, walk.dilation_w, walk.kernel_w, walk.in_w);
  return row == nothing || column == nothing ? nothing : (row * walk.in_w + column) * walk.in_c;
}

}  // namespace

std::int64_t WindowWalk::first_row_needed(std::int64_t row) const {
  std::int64_t first = nothing;
  for (; row < out_h; ++row) first = std::min(first, first_row(*this, row));
  return std::min(first, in_h);
}

WindowWalk walk_of(const Shape& x, const Shape& y, const Window& window) {
  const auto of = [](const std::vector<std::int64_t>& values, std::size_t from_end, std::int64_t missing) {
    return values.size() < from_end ? missing : values[values.size() - from_end];
  };
  return {x[1],
          x[2],
          x[3],
          y[1],
          y[2],
          y[3],
          of(window.kernel, 2, 1),
          of(window.kernel, 1, 1),
          of(window.strides, 2, 1),
          of(window.strides, 1, 1),
          of(window.dilations, 2, 1),
          of(window.dilations, 1, 1),
          of(window.pads_begin, 2, 0),
          of(window.pads_begin, 1, 0)};
}

std::int64_t pixel_distance(const WindowWalk& walk, std::int64_t together, bool after_reading) {
  const std::int64_t pixels = walk.out_h * walk.out_w;
  std::int64_t distance = -walk.in_bytes(), needed = nothing;
  for (std::int64_t pixel = pixels - 1; pixel >= 0; --pixel) {
    if (!after_reading) needed = std::min(needed, first_byte(walk, pixel));
    const bool ends_block = (pixel + 1) % together == 0 || pixel == pixels - 1;
    if (ends_block && needed != nothing) distance = std::max(distance, (pixel + 1) * walk.out_c - needed);
    if (after_reading) needed = std::min(needed, first_byte(walk, pixel));
  }
  return distance;
}

std::int64_t block_distance(const WindowWalk& walk, std::int64_t together) {
  const std::int64_t pixels = walk.out_h * walk.out_w;
  std::int64_t distance = -walk.in_bytes();
  for (std::int64_t first = 0; first < pixels; first += together) {
    distance = std::max(distance, std::min(first + together, pixels) * walk.out_c - first * walk.in_c);
  }
  return distance;
}

std::int64_t row_distance(const WindowWalk& walk) {
  std::int64_t distance = -walk.in_bytes(), read = 0;
  for (std::int64_t row = 0; row < walk.out_h; ++row) {
    // Rows up to the window's last one have been copied away.
    read = std::max(read, row * walk.stride_h - walk.pad_top + walk.dilation_h * (walk.kernel_h - 1) + 1);
    if (read >= walk.in_h || row + 1 == walk.out_h) break;
    const std::int64_t left = std::max(read, walk.first_row_needed(row + 1));
    distance = std::max(distance, (row + 1) * walk.out_w * walk.out_c - left * walk.in_w * walk.in_c);
  }
  return distance;
}

void declare_conv_overlap(LayerWriter& writer, const std::string& kernel, const WindowWalk& walk, std::int64_t groups) {
  if (writer.shape(0)[0] != 1) return;
  const bool pointwise = walk.kernel_h == 1 && walk.kernel_w == 1 && walk.pad_top == 0 && walk.pad_left == 0;
  if (kernel == "adze_conv_s8_dsp") {
    writer.may_overlap(0, pixel_distance(walk, 4, true));
  } else if (kernel == "adze_conv_s8_mve") {
    // Without a patch it goes over sixteen pixels once for every four channels.
    const bool by_channels = pointwise && walk.stride_h == 1 && walk.stride_w == 1;
    writer.may_overlap(0, by_channels ? block_distance(walk, 16) : pixel_distance(walk, 4, true));
  } else if (kernel == "adze_conv_s8") {
    writer.may_overlap(0, pixel_distance(walk, 1, !pointwise && groups == 1));
  } else if (kernel == "adze_depthwise_s8") {
    writer.may_overlap(0, pixel_distance(walk, 1, false));
  } else if (kernel == "adze_depthwise_s8_dsp" || kernel == "adze_depthwise_s8_mve" ||
             kernel == "adze_depthwise_3x3_s8_mve") {
    writer.may_overlap(0, row_distance(walk));
  } else if (kernel == "adze_depthwise_3x3_s8_dsp") {
    // Four channels of all rows at a time, three rows of them copied away: a byte is written where it was read.
    const bool in_place = walk.stride_h == 1 && walk.stride_w == 1 && walk.out_w == walk.in_w &&
                          walk.out_h <= walk.in_h && walk.pad_top <= 2;
    if (in_place) writer.may_overlap(0, 0, true);
  }
}

}  // namespace adze::emit
