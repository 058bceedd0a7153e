// Convolutions, pools, resizing and matrix products.
#include <algorithm>

#include "adze/base/checked.h"
#include "adze/formats/tflite/translator.h"

namespace adze::tflite {

namespace {

/// The window of a convolution or pool over height and width.
struct Window {
  std::vector<std::int64_t> kernel, strides, dilations{1, 1};
  bool same = false;
};

void check_window(const Window& window) {
  for (const auto* list : {&window.kernel, &window.strides, &window.dilations}) {
    for (const std::int64_t value : *list) {
      if (value < 1) throw ModelError(cat("kernel, stride and dilation must be at least 1, found ", value));
    }
  }
}

void require_rank(Translator& t, std::int32_t tensor, std::int64_t rank, const char* what) {
  if (t.rank(tensor) != rank) {
    throw ModelError(cat(what, " has shape ", shape_text(t.info(tensor).shape), ", expected rank ", rank));
  }
}

/// Explicit pads [top, left, bottom, right]; SAME puts the odd one at the end.
std::vector<std::int64_t> explicit_pads(const Window& window, const Shape& nhwc) {
  std::vector<std::int64_t> pads(4, 0);
  if (!window.same) return pads;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t size = nhwc[axis + 1];
    const std::int64_t stride = window.strides[axis];
    const std::int64_t reach = checked_add(checked_mul(window.kernel[axis] - 1, window.dilations[axis]), 1);
    const std::int64_t steps = (size + stride - 1) / stride;
    const std::int64_t total = std::max<std::int64_t>(checked_add(checked_mul(steps - 1, stride), reach - size), 0);
    pads[axis] = total / 2;
    pads[axis + 2] = total - total / 2;
  }
  return pads;
}

Attributes window_attributes(const Window& window, const Shape& nhwc, bool dilations) {
  Attributes attributes = {
      {"kernel_shape", window.kernel}, {"pads", explicit_pads(window, nhwc)}, {"strides", window.strides}};
  if (dilations) attributes.emplace_back("dilations", window.dilations);
  return attributes;
}

ValueId bias_of(Translator& t, const Operator& op, std::size_t index, std::int64_t channels) {
  if (!t.has_input(op, index)) return ValueId::None;
  const std::int32_t bias = t.input(op, index);
  if (t.info(bias).shape != Shape{channels}) {
    throw ModelError(cat("the bias has shape ", shape_text(t.info(bias).shape), ", expected [", channels, "]"));
  }
  return t.numbers(bias);
}

void translate_conv_2d(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), w = t.input(op, 1);
  require_rank(t, x, 4, "the input");
  require_rank(t, w, 4, "the filter");
  const Shape& filter = t.info(w).shape;  // O H W I
  const std::int64_t channels = t.info(x).shape[3];
  if (filter[3] == 0 || channels % filter[3] != 0) {
    throw ModelError(cat("filter ", shape_text(filter), " does not fit ", channels, " input channels"));
  }
  Window window{
      {filter[1], filter[2]},
      {t.option<std::int32_t>(op, field::conv::stride_h), t.option<std::int32_t>(op, field::conv::stride_w)},
      {t.option<std::int32_t>(op, field::conv::dilation_h, 1), t.option<std::int32_t>(op, field::conv::dilation_w, 1)},
      t.option<std::int8_t>(op, field::conv::padding) == 0};
  check_window(window);
  const ValueId weights = t.numbers(w, Layout::ChannelsFirst);
  const ValueId bias = bias_of(t, op, 2, filter[0]);
  Attributes attributes = window_attributes(window, t.info(x).shape, true);
  attributes.emplace_back("group", channels / filter[3]);
  std::vector<ValueId> inputs = {t.numbers(x, Layout::ChannelsFirst), weights};
  if (bias != ValueId::None) inputs.push_back(bias);
  const ValueId y = t.add(op, OpKind::Conv, std::move(inputs), std::move(attributes));
  t.finish(t.output(op), t.activate(op, y, t.activation(op, field::conv::activation)), Layout::ChannelsFirst);
}

void translate_depthwise_conv_2d(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), w = t.input(op, 1);
  require_rank(t, x, 4, "the input");
  require_rank(t, w, 4, "the filter");
  const Shape& filter = t.info(w).shape;  // 1 H W O
  const std::int64_t channels = t.info(x).shape[3];
  if (filter[0] != 1 || channels == 0 || filter[3] % channels != 0) {
    throw ModelError(cat("filter ", shape_text(filter), " does not fit ", channels, " input channels"));
  }
  Window window{
      {filter[1], filter[2]},
      {t.option<std::int32_t>(op, field::depthwise::stride_h), t.option<std::int32_t>(op, field::depthwise::stride_w)},
      {t.option<std::int32_t>(op, field::depthwise::dilation_h, 1),
       t.option<std::int32_t>(op, field::depthwise::dilation_w, 1)},
      t.option<std::int8_t>(op, field::depthwise::padding) == 0};
  check_window(window);
  const Tensor turned = permuted(t.constant(w), {3, 0, 1, 2});
  const ValueId weights = t.changed_constant(w, turned, 0, "/oihw");
  const ValueId bias = bias_of(t, op, 2, filter[3]);
  Attributes attributes = window_attributes(window, t.info(x).shape, true);
  attributes.emplace_back("group", channels);
  std::vector<ValueId> inputs = {t.numbers(x, Layout::ChannelsFirst), weights};
  if (bias != ValueId::None) inputs.push_back(bias);
  const ValueId y = t.add(op, OpKind::Conv, std::move(inputs), std::move(attributes));
  t.finish(t.output(op), t.activate(op, y, t.activation(op, field::depthwise::activation)), Layout::ChannelsFirst);
}

void translate_transpose_conv(Translator& t, const Operator& op) {
  const std::int32_t w = t.input(op, 1), x = t.input(op, 2);
  require_rank(t, x, 4, "the input");
  require_rank(t, w, 4, "the filter");
  const Shape& filter = t.info(w).shape;  // O H W I
  const std::vector<std::int64_t> wanted = t.constant_ints(t.input(op, 0));
  if (wanted.size() != 4) throw ModelError("the output shape must have four numbers");
  Window window{{filter[1], filter[2]},
                {t.option<std::int32_t>(op, field::transpose_conv::stride_h),
                 t.option<std::int32_t>(op, field::transpose_conv::stride_w)},
                {1, 1},
                t.option<std::int8_t>(op, field::transpose_conv::padding) == 0};
  check_window(window);
  // The pads are those of the convolution whose gradient this is; what is missing at the end is output padding.
  const std::vector<std::int64_t> pads = explicit_pads(window, wanted);
  std::vector<std::int64_t> output_padding;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t full =
        checked_add(checked_mul(t.info(x).shape[axis + 1] - 1, window.strides[axis]), window.kernel[axis]);
    output_padding.push_back(wanted[axis + 1] - (full - pads[axis] - pads[axis + 2]));
    if (output_padding.back() < 0 || output_padding.back() >= window.strides[axis]) {
      throw ModelError(cat("output shape ", shape_text(wanted), " does not fit the input and the stride"));
    }
  }
  const ValueId weights = t.changed_constant(w, permuted(t.constant(w), {3, 0, 1, 2}), 1, "/iohw");
  std::vector<ValueId> inputs = {t.numbers(x, Layout::ChannelsFirst), weights};
  if (const ValueId bias = bias_of(t, op, 3, filter[0]); bias != ValueId::None) inputs.push_back(bias);
  const ValueId y = t.add(op, OpKind::ConvTranspose, std::move(inputs),
                          {{"kernel_shape", window.kernel},
                           {"strides", window.strides},
                           {"pads", pads},
                           {"output_padding", output_padding}});
  t.finish(t.output(op), t.activate(op, y, t.activation(op, field::transpose_conv::activation)), Layout::ChannelsFirst);
}

void translate_pool(Translator& t, const Operator& op, OpKind kind) {
  const std::int32_t x = t.input(op, 0);
  require_rank(t, x, 4, "the input");
  Window window{{t.option<std::int32_t>(op, field::pool::filter_h), t.option<std::int32_t>(op, field::pool::filter_w)},
                {t.option<std::int32_t>(op, field::pool::stride_h), t.option<std::int32_t>(op, field::pool::stride_w)},
                {1, 1},
                t.option<std::int8_t>(op, field::pool::padding) == 0};
  check_window(window);
  const ValueId y =
      t.add(op, kind, {t.numbers(x, Layout::ChannelsFirst)}, window_attributes(window, t.info(x).shape, false));
  t.finish(t.output(op), t.activate(op, y, t.activation(op, field::pool::activation)), Layout::ChannelsFirst);
}

void translate_resize(Translator& t, const Operator& op, const char* mode, bool align_corners, bool half_pixel) {
  const std::int32_t x = t.input(op, 0);
  require_rank(t, x, 4, "the input");
  const std::vector<std::int64_t> size = t.constant_ints(t.input(op, 1));
  if (size.size() != 2 || size[0] < 1 || size[1] < 1) throw ModelError("the size must be two positive numbers");
  const bool nearest = std::string_view(mode) == "nearest";
  const std::string coordinates = align_corners ? "align_corners" : half_pixel ? "half_pixel" : "asymmetric";
  Attributes attributes = {{"mode", std::string(mode)}, {"axes", std::vector<std::int64_t>{2, 3}}};
  if (nearest) {  // TFLite: floor((i + 0.5) * scale) with half pixels, round(i * scale) with aligned corners
    attributes.emplace_back("nearest_mode", std::string(align_corners || half_pixel ? "round_prefer_ceil" : "floor"));
  }
  attributes.emplace_back("coordinate_transformation_mode", coordinates);
  const ValueId sizes = t.ints(t.info(t.output(op)).name + "/sizes", size);
  const ValueId y =
      t.add(op, OpKind::Resize, {t.numbers(x, Layout::ChannelsFirst), ValueId::None, ValueId::None, sizes},
            std::move(attributes));
  t.finish(t.output(op), y, Layout::ChannelsFirst);
}

/// SPACE_TO_DEPTH and DEPTH_TO_SPACE: TFLite orders the block before the channel, as ONNX does.
void translate_block(Translator& t, const Operator& op, OpKind kind) {
  const std::int32_t x = t.input(op, 0);
  require_rank(t, x, 4, "the input");
  const std::int64_t size = t.option<std::int32_t>(op, field::block::size);
  if (size < 1) throw ModelError(cat("block size ", size));
  t.finish(t.output(op), t.add(op, kind, {t.numbers(x, Layout::ChannelsFirst)}, {{"blocksize", size}}),
           Layout::ChannelsFirst);
}

/// Weights [O, H*W*C] for rows that are in the order C, H, W.
Tensor turned_weights(const Tensor& weights, const Shape& nhwc) {
  const Shape wide = {weights.dim(0), nhwc[1], nhwc[2], nhwc[3]};
  return permuted(weights.reshaped(wide), to_channels_first).reshaped(weights.shape());
}

void translate_fully_connected(Translator& t, const Operator& op) {
  const std::int32_t x = t.input(op, 0), w = t.input(op, 1), y = t.output(op);
  require_rank(t, w, 2, "the weights");
  if (t.option<std::int8_t>(op, field::fully_connected::weights_format) != 0) {
    throw UnsupportedError("shuffled weights are not supported");
  }
  const std::string& name = t.info(y).name;
  const std::int64_t outputs = t.info(w).shape[0], depth = t.info(w).shape[1];
  const bool turned = !t.flattened(x).empty();
  const ValueId weights =
      turned ? t.changed_constant(w, turned_weights(t.constant(w), t.flattened(x)), 0, "/chw") : t.numbers(w);
  ValueId rows = t.numbers(x, Layout::Plain);
  const Shape& shape = t.info(x).shape;
  if (shape.empty() || depth == 0 || num_elements(shape) % depth != 0) {
    throw ModelError(cat("input ", shape_text(shape), " does not fit weights ", shape_text(t.info(w).shape)));
  }
  const bool reshape = shape.size() != 2 || shape[1] != depth;
  if (reshape) rows = t.add(op, OpKind::Reshape, {rows, t.ints(name + "/rows", {-1, depth})});
  std::vector<ValueId> inputs = {rows, weights};
  if (const ValueId bias = bias_of(t, op, 2, outputs); bias != ValueId::None) inputs.push_back(bias);
  ValueId result = t.add(op, OpKind::Gemm, std::move(inputs), {{"transB", std::int64_t{1}}});
  result = t.activate(op, result, t.activation(op, field::fully_connected::activation));
  const Shape& wanted = t.info(y).shape;
  if (wanted.size() != 2) {
    Shape target = wanted;
    if (!target.empty()) target[0] = -1;
    result = t.add(op, OpKind::Reshape, {result, t.ints(name + "/shape", target)});
  }
  t.finish(y, result, Layout::Plain);
}

void translate_batch_matmul(Translator& t, const Operator& op) {
  const auto operand = [&](std::size_t i, int adjoint) {
    const std::int32_t tensor = t.input(op, i);
    const ValueId value = t.numbers(tensor, Layout::Plain);
    if (!t.option<bool>(op, adjoint)) return value;
    const std::int64_t rank = t.rank(tensor);
    if (rank < 2) throw ModelError("a matrix product needs matrices");
    std::vector<std::int64_t> permutation;
    for (std::int64_t axis = 0; axis < rank; ++axis) permutation.push_back(axis);
    std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
    return t.transpose(value, permutation, t.info(tensor).name + "/transposed");
  };
  const ValueId a = operand(0, field::batch_matmul::adjoint_x);
  const ValueId b = operand(1, field::batch_matmul::adjoint_y);
  t.finish(t.output(op), t.add(op, OpKind::MatMul, {a, b}), Layout::Plain);
}

constexpr OperatorEntry table[] = {
    {1, LayoutNeed::Spatial, [](Translator& t, const Operator& op) { translate_pool(t, op, OpKind::AveragePool); }},
    {3, LayoutNeed::Spatial, translate_conv_2d},
    {4, LayoutNeed::Spatial, translate_depthwise_conv_2d},
    {5, LayoutNeed::Spatial, [](Translator& t, const Operator& op) { translate_block(t, op, OpKind::DepthToSpace); }},
    {9, LayoutNeed::Plain, translate_fully_connected},
    {17, LayoutNeed::Spatial, [](Translator& t, const Operator& op) { translate_pool(t, op, OpKind::MaxPool); }},
    {23, LayoutNeed::Spatial,
     [](Translator& t, const Operator& op) {
       translate_resize(t, op, "linear", t.option<bool>(op, field::resize_bilinear::align_corners),
                        t.option<bool>(op, field::resize_bilinear::half_pixel));
     }},
    {26, LayoutNeed::Spatial, [](Translator& t, const Operator& op) { translate_block(t, op, OpKind::SpaceToDepth); }},
    {67, LayoutNeed::Spatial, translate_transpose_conv},
    {97, LayoutNeed::Spatial,
     [](Translator& t, const Operator& op) {
       translate_resize(t, op, "nearest", t.option<bool>(op, field::resize_nearest::align_corners),
                        t.option<bool>(op, field::resize_nearest::half_pixel));
     }},
    {126, LayoutNeed::Plain, translate_batch_matmul},
};

}  // namespace

std::span<const OperatorEntry> neural_operators() {
  return table;
}

}  // namespace adze::tflite
