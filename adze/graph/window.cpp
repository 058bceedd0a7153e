#include "adze/graph/window.h"

#include <algorithm>

#include "adze/base/checked.h"
#include "adze/base/text.h"

namespace adze {

namespace {

AutoPad parse_auto_pad(const Node& node) {
  const std::string text = find_attribute_schema(node.kind, "auto_pad") ? node.get_string("auto_pad") : "NOTSET";
  if (text == "NOTSET" || text.empty()) return AutoPad::NotSet;
  if (text == "VALID") return AutoPad::Valid;
  if (text == "SAME_UPPER") return AutoPad::SameUpper;
  if (text == "SAME_LOWER") return AutoPad::SameLower;
  throw ModelError(cat("auto_pad is ", quoted(text), "; it must be NOTSET, SAME_UPPER, SAME_LOWER or VALID"));
}

/// The list attribute, or count times fallback when it is absent or empty; every entry at least least.
std::vector<std::int64_t> checked_list(const Node& node, std::string_view attribute, std::size_t count,
                                       std::int64_t fallback, std::int64_t least) {
  std::vector<std::int64_t> values;
  if (find_attribute_schema(node.kind, attribute) != nullptr) values = node.get_ints(attribute);
  if (values.empty()) return std::vector<std::int64_t>(count, fallback);
  if (values.size() != count) {
    throw ModelError(cat("attribute ", attribute, " has ", values.size(), " entries, expected ", count));
  }
  for (const std::int64_t value : values) {
    if (value < least) throw ModelError(cat("attribute ", attribute, " holds ", value, "; the least is ", least));
  }
  return values;
}

std::vector<std::int64_t> kernel_of(const Node& node, std::size_t rank, const SymbolicShape& weight) {
  if (weight.empty() && node.get_ints("kernel_shape").empty()) throw ModelError("attribute kernel_shape is missing");
  std::vector<std::int64_t> kernel = checked_list(node, "kernel_shape", rank, -1, 1);
  for (std::size_t i = 0; i < weight.size() && i < rank; ++i) {
    if (!weight[i].is_known()) continue;
    if (weight[i].value < 1) throw ModelError(cat("the weight's spatial dimension ", i, " is ", weight[i].value));
    if (kernel[i] >= 0 && kernel[i] != weight[i].value) {
      throw ModelError(cat("kernel_shape ", kernel[i], " contradicts the weight's dimension ", weight[i].value));
    }
    kernel[i] = weight[i].value;
  }
  std::int64_t volume = 1;
  for (const std::int64_t size : kernel) volume = checked_mul(volume, std::max<std::int64_t>(size, 1), "kernel size");
  return kernel;
}

std::int64_t same_output(std::int64_t input, std::int64_t stride) {
  return input <= 0 ? 0 : (input - 1) / stride + 1;
}

bool is_same(AutoPad auto_pad) {
  return auto_pad == AutoPad::SameUpper || auto_pad == AutoPad::SameLower;
}

/// (steps - 1) * stride + extent
std::int64_t covered(std::int64_t steps, std::int64_t stride, std::int64_t extent) {
  return checked_add(checked_mul(steps - 1, stride, "window size"), extent, "window size");
}

}  // namespace

std::int64_t Window::extent(std::size_t i) const {
  if (kernel[i] < 0) return -1;
  return covered(kernel[i], dilations[i], 1);
}

Window window_of(const Node& node, std::size_t spatial_rank, const SymbolicShape& kernel) {
  Window window;
  window.kernel = kernel_of(node, spatial_rank, kernel);
  window.strides = checked_list(node, "strides", spatial_rank, 1, 1);
  window.dilations = checked_list(node, "dilations", spatial_rank, 1, 1);
  window.auto_pad = parse_auto_pad(node);
  const auto pads = checked_list(node, "pads", 2 * spatial_rank, 0, 0);
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(spatial_rank);
  window.pads_begin.assign(pads.begin(), middle);
  window.pads_end.assign(middle, pads.end());
  if (window.auto_pad != AutoPad::NotSet) {  // pads next to auto_pad mean nothing
    window.pads_begin.assign(spatial_rank, 0);
    window.pads_end.assign(spatial_rank, 0);
  }
  if (find_attribute_schema(node.kind, "ceil_mode") != nullptr) window.ceil_mode = node.get_int("ceil_mode") != 0;
  return window;
}

Dim window_output(const Window& window, std::size_t i, const Dim& input) {
  const std::int64_t stride = window.strides[i];
  if (is_same(window.auto_pad)) {
    if (stride == 1) return input;
    return input.is_known() ? Dim(same_output(input.value, stride)) : Dim();
  }
  const std::int64_t extent = window.extent(i);
  if (extent < 0) return {};
  const std::int64_t pads = checked_add(window.pads_begin[i], window.pads_end[i], "padding");
  if (!input.is_known()) return stride == 1 && pads == extent - 1 ? input : Dim();
  const std::int64_t room = checked_add(input.value, pads, "padded size") - extent;
  if (room < 0) {
    throw ModelError(cat("a window of ", extent, " does not fit into ", input.value, " + ", pads,
                         " padding along spatial dimension ", i));
  }
  std::int64_t output = room / stride + 1;
  if (window.ceil_mode && room % stride != 0) {
    ++output;
    // A window that would begin in the padding at the end is left out.
    if (checked_mul(output - 1, stride, "window position") >= input.value + window.pads_begin[i]) --output;
  }
  return output;
}

void resolve_pads(Window& window, const Shape& input) {
  if (!is_same(window.auto_pad)) return;
  for (std::size_t i = 0; i < window.rank(); ++i) {
    const std::int64_t output = same_output(input[i], window.strides[i]);
    const std::int64_t need = covered(std::max<std::int64_t>(output, 1), window.strides[i], window.extent(i));
    const std::int64_t total = std::max<std::int64_t>(0, need - input[i]);
    window.pads_begin[i] = window.auto_pad == AutoPad::SameUpper ? total / 2 : total - total / 2;
    window.pads_end[i] = total - window.pads_begin[i];
  }
}

TransposedWindow transposed_window_of(const Node& node, std::size_t spatial_rank, const SymbolicShape& kernel) {
  TransposedWindow geometry;
  geometry.window = window_of(node, spatial_rank, kernel);
  geometry.output_padding = checked_list(node, "output_padding", spatial_rank, 0, 0);
  auto shape = node.get_ints("output_shape");
  if (shape.size() == spatial_rank + 2) shape.erase(shape.begin(), shape.begin() + 2);  // some exporters write N, C too
  if (!shape.empty() && shape.size() != spatial_rank) {
    throw ModelError(cat("output_shape has ", shape.size(), " entries, expected ", spatial_rank));
  }
  for (const std::int64_t size : shape) {
    if (size < 1) throw ModelError(cat("output_shape holds ", size));
  }
  geometry.output_shape = std::move(shape);
  return geometry;
}

Dim transposed_output(const TransposedWindow& geometry, std::size_t i, const Dim& input) {
  if (!geometry.output_shape.empty()) return geometry.output_shape[i];
  const Window& window = geometry.window;
  if (is_same(window.auto_pad)) {
    if (window.strides[i] == 1) return input;
    return input.is_known() ? Dim(checked_mul(input.value, window.strides[i], "output size")) : Dim();
  }
  if (!input.is_known() || window.kernel[i] < 0) return {};
  std::int64_t output = covered(input.value, window.strides[i], window.extent(i));
  output = checked_add(output, geometry.output_padding[i], "output size");
  output = checked_sub(checked_sub(output, window.pads_begin[i]), window.pads_end[i]);
  if (output < 1) throw ModelError(cat("pads leave an output of ", output, " along spatial dimension ", i));
  return output;
}

void resolve_pads(TransposedWindow& geometry, const Shape& input) {
  Window& window = geometry.window;
  if (geometry.output_shape.empty() && !is_same(window.auto_pad)) return;
  for (std::size_t i = 0; i < window.rank(); ++i) {
    const std::int64_t output = transposed_output(geometry, i, input[i]).value;
    std::int64_t full = covered(input[i], window.strides[i], window.extent(i));
    full = checked_add(full, geometry.output_padding[i], "output size");
    const std::int64_t total = std::max<std::int64_t>(0, full - output);
    window.pads_begin[i] = window.auto_pad == AutoPad::SameUpper ? total / 2 : total - total / 2;
    window.pads_end[i] = total - window.pads_begin[i];
  }
}

}  // namespace adze
