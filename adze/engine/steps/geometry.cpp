#include "adze/engine/steps/geometry.h"

#include "adze/graph/window.h"

namespace adze::engine {

kernels::WindowGeometry geometry_of(const BindContext& context, const Shape& weights) {
  const Shape x = context.shape(0), y = context.output_shape();
  const Shape spatial(x.begin() + 1, x.end() - 1);
  SymbolicShape kernel;
  if (!weights.empty()) kernel.assign(weights.begin() + 2, weights.end());
  Window window = window_of(context.node(), spatial.size(), kernel);
  resolve_pads(window, spatial);
  const std::size_t last = spatial.size() - 1;
  const bool two = spatial.size() == 2;
  kernels::WindowGeometry g;
  g.batch = x.front();
  g.in_channels = x.back();
  g.out_channels = y.back();
  g.in_width = spatial[last];
  g.out_width = y[1 + last];
  g.kernel_width = window.kernel[last];
  g.stride_width = window.strides[last];
  g.dilation_width = window.dilations[last];
  g.pad_left = window.pads_begin[last];
  if (two) {
    g.in_height = spatial[0];
    g.out_height = y[1];
    g.kernel_height = window.kernel[0];
    g.stride_height = window.strides[0];
    g.dilation_height = window.dilations[0];
    g.pad_top = window.pads_begin[0];
  }
  g.groups = weights.empty() ? 1 : context.node().get_int("group", 1);
  // What the output's size implies: windows rounded down leave pixels unread, ceil_mode reads beyond.
  g.pad_bottom =
      (g.out_height - 1) * g.stride_height + (g.kernel_height - 1) * g.dilation_height + 1 - g.in_height - g.pad_top;
  g.pad_right =
      (g.out_width - 1) * g.stride_width + (g.kernel_width - 1) * g.dilation_width + 1 - g.in_width - g.pad_left;
  return g;
}

}  // namespace adze::engine
