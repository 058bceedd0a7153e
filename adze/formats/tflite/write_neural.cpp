// Convolutions, pools, resizing.
#include <algorithm>

#include "adze/base/checked.h"
#include "adze/formats/tflite/write_window.h"
#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

namespace {

/// A constant's stored elements and scale after a change of order; channel_axis is where the scales' axis goes.
std::int32_t turned_weights(Writer& w, const Step& step, ValueId value, const Tensor& turned,
                            std::int64_t channel_axis) {
  const std::string& name = w.graph().value(w.stored(value)).name;
  if (!step.quantized || w.quantization(value) == nullptr) return w.constant(name, turned);
  Quantization scales = *w.quantization(value);
  scales.axis = scales.scales.size() > 1 ? channel_axis : 0;
  return w.constant(name, turned, scales);
}

/// The stored elements for an integer step, else the floats.
Tensor weights_of(const Writer& w, const Step& step, ValueId value) {
  const Tensor* content = w.stored_constant(value);
  if (content == nullptr) throw UnsupportedError("the weights must be constant in TFLite, and are computed");
  return step.quantized ? *content : w.float_constant(value);
}

struct Kernel {
  std::vector<std::int64_t> size, strides, dilations;
};

Kernel kernel_of(const Writer& w, const Node& node, bool has_weights) {
  Kernel kernel{node.get_ints("kernel_shape"), node.get_ints("strides"), node.get_ints("dilations")};
  if (has_weights && kernel.size.empty()) {
    const Shape& shape = w.shape(node.input(1));
    kernel.size.assign(shape.begin() + 2, shape.end());
  }
  if (kernel.strides.empty()) kernel.strides.assign(kernel.size.size(), 1);
  if (kernel.dilations.empty()) kernel.dilations.assign(kernel.size.size(), 1);
  return kernel;
}

/// One-dimensional pictures become rows of height 1.
void widen(Kernel& kernel, std::vector<std::int64_t>& pads) {
  if (kernel.size.size() != 1) return;
  for (auto* list : {&kernel.size, &kernel.strides, &kernel.dilations}) list->insert(list->begin(), 1);
  pads = {0, pads[0], 0, pads[1]};
}

std::int32_t bias_tensor(Writer& w, const Step& step, ValueId bias) {
  const std::string& name = w.graph().value(w.stored(bias)).name;
  if (!step.quantized) return w.constant(name, w.float_constant(bias));
  return integer_bias(w, step, bias);
}

/// The picture as a rank-4 NHWC tensor; [N, C, L] becomes [N, 1, L, C].
std::int32_t picture(Writer& w, const Step& step, ValueId x) {
  if (w.rank(x) == 4) return w.operand(step, x, true);
  if (w.rank(x) != 3) {
    throw UnsupportedError(cat("pictures of shape ", shape_text(w.shape(x)), " have no form in TFLite"));
  }
  const Shape& shape = w.shape(x);
  const std::int32_t turned = w.transposed(w.operand(step, x), {0, 2, 1});
  return w.reshaped(turned, {shape[0], 1, shape[2], shape[1]});
}

/// Adds the operator; its result goes back to [N, C, L] when the picture was that.
void finish_picture(Writer& w, const Step& step, const Emission& emission, std::vector<std::int32_t> inputs,
                    const std::optional<Quantization>& own = std::nullopt) {
  const Target& target = step.targets.at(0);
  if (w.rank(target.raw) == 4) {
    w.finish(step, emission, std::move(inputs), true, own);
    return;
  }
  const std::int32_t flat = w.begin(target, false, step.quantized, own);
  const Shape shape = w.shape(target.raw);
  w.tensor(flat).shape = {shape[0], 1, shape[2], shape[1]};
  w.tensor(flat).name = w.graph().value(target.raw).name + "/rows";
  w.add(emission, std::move(inputs), {flat});
  const std::int32_t rows = w.reshaped(flat, {shape[0], shape[2], shape[1]});
  w.end(target, w.transposed(rows, {0, 2, 1}), false, step.quantized, target.activation);
}

Fields window_fields(const Kernel& kernel, bool same) {
  return {option_field<std::int8_t>(field::conv::padding, same ? 0 : 1),
          option_field(field::conv::stride_w, checked_cast<std::int32_t>(kernel.strides[1])),
          option_field(field::conv::stride_h, checked_cast<std::int32_t>(kernel.strides[0]))};
}

void write_conv(Writer& w, const Step& step) {
  const Node& node = step.node;
  const ValueId x = node.input(0), weights = node.input(1);
  Tensor content = weights_of(w, step, weights);
  Kernel kernel = kernel_of(w, node, true);
  std::vector<std::int64_t> pads = explicit_pads(node, w.shape(x), kernel.size, kernel.strides, kernel.dilations);
  if (content.rank() == 3) content = content.reshaped({content.dim(0), content.dim(1), 1, content.dim(2)});
  widen(kernel, pads);
  std::int32_t input = picture(w, step, x);
  const bool same = fit_padding(w, input, kernel.size, kernel.strides, kernel.dilations, pads, Fill::Zero);
  const std::int64_t channels = w.shape(x)[1], group = node.get_int("group");
  const bool depthwise = group == channels && group > 1;
  // O I H W becomes 1 H W O, or O H W I.
  const Tensor turned = permuted(content, depthwise ? std::vector<std::int64_t>{1, 2, 3, 0} : to_channels_last);
  std::vector<std::int32_t> inputs = {input, turned_weights(w, step, weights, turned, depthwise ? 3 : 0)};
  if (node.input(2) != ValueId::None) {
    inputs.push_back(bias_tensor(w, step, node.input(2)));
  } else if (const auto zeros = missing_bias(w, step, content.dim(0))) {
    inputs.push_back(*zeros);
  }
  Emission emission{.code = depthwise ? 4 : 3, .options_kind = static_cast<std::uint8_t>(depthwise ? 2 : 1)};
  emission.fields = window_fields(kernel, same);
  const int first = depthwise ? int{field::depthwise::dilation_w} : int{field::conv::dilation_w};
  if (depthwise) {
    emission.fields.push_back(
        option_field(field::depthwise::multiplier, checked_cast<std::int32_t>(content.dim(0) / channels)));
  }
  emission.fields.push_back(option_field(first, checked_cast<std::int32_t>(kernel.dilations[1])));
  emission.fields.push_back(option_field(first + 1, checked_cast<std::int32_t>(kernel.dilations[0])));
  emission.activation_field = depthwise ? int{field::depthwise::activation} : int{field::conv::activation};
  emission.version = step.quantized ? 3 : depthwise ? 2 : 1;
  if (step.quantized && w.graph().value(w.stored(x)).type.dtype == DType::S16) emission.version = depthwise ? 5 : 4;
  finish_picture(w, step, emission, std::move(inputs));
}

void write_conv_transpose(Writer& w, const Step& step) {
  const Node& node = step.node;
  const ValueId x = node.input(0), weights = node.input(1);
  const Kernel kernel = kernel_of(w, node, true);
  if (w.rank(x) != 4 || node.get_int("group") != 1 ||
      std::ranges::any_of(kernel.dilations, [](std::int64_t d) { return d != 1; })) {
    throw UnsupportedError("only two-dimensional transposed convolutions without groups and dilations are supported");
  }
  const Shape result = in_file_order(w.shape(step.targets.at(0).raw));
  std::vector<std::int64_t> pads = node.get_ints("pads");
  if (pads.empty()) pads.assign(4, 0);
  const auto same = same_pads({result[1], result[2]}, kernel.size, kernel.strides, {1, 1});
  const bool valid = std::ranges::all_of(pads, [](std::int64_t pad) { return pad == 0; });
  if (!valid && pads != same) throw UnsupportedError(cat("pads ", shape_text(pads), " are neither SAME nor VALID"));
  const Tensor turned = permuted(weights_of(w, step, weights), {1, 2, 3, 0});  // I O H W becomes O H W I
  std::vector<std::int32_t> inputs = {w.ints(node.name + "/output_shape", result),
                                      turned_weights(w, step, weights, turned, 0), w.operand(step, x, true)};
  if (node.input(2) != ValueId::None) inputs.push_back(bias_tensor(w, step, node.input(2)));
  Emission emission{.code = 67, .options_kind = 49, .version = inputs.size() == 4 ? 3 : step.quantized ? 2 : 1};
  emission.fields = window_fields(kernel, !valid);
  w.finish(step, emission, std::move(inputs), true);
}

void write_pool(Writer& w, const Step& step, bool average) {
  const Node& node = step.node;
  const ValueId x = node.input(0);
  Kernel kernel = kernel_of(w, node, false);
  const bool global = node.kind == OpKind::GlobalMaxPool;
  if (global) {
    kernel.size.assign(w.shape(x).begin() + 2, w.shape(x).end());
    kernel.strides = kernel.dilations = std::vector<std::int64_t>(kernel.size.size(), 1);
  }
  if (std::ranges::any_of(kernel.dilations, [](std::int64_t d) { return d != 1; })) {
    throw UnsupportedError("dilated pools have no form in TFLite");
  }
  const Shape result = w.shape(step.targets.at(0).raw);
  auto pads = global ? std::vector<std::int64_t>(2 * kernel.size.size(), 0)
                     : explicit_pads(node, w.shape(x), kernel.size, kernel.strides, kernel.dilations);
  extend_pads(pads, w.shape(x), result, kernel.size, kernel.strides);
  widen(kernel, pads);
  std::int32_t input = picture(w, step, x);
  const bool zeros = average && node.get_int("count_include_pad", 0) != 0;
  const Fill fill = !average ? Fill::Lowest : zeros ? Fill::Zero : Fill::None;
  const bool same = fit_padding(w, input, kernel.size, kernel.strides, kernel.dilations, pads, fill, zeros);
  Emission emission{.code = average ? 1 : 17, .options_kind = 5, .version = step.quantized ? 2 : 1};
  emission.fields = window_fields(kernel, same);
  emission.fields.push_back(option_field(field::pool::filter_w, checked_cast<std::int32_t>(kernel.size[1])));
  emission.fields.push_back(option_field(field::pool::filter_h, checked_cast<std::int32_t>(kernel.size[0])));
  emission.activation_field = field::pool::activation;
  const Quantization* scale = step.quantized ? w.quantization(x) : nullptr;
  finish_picture(w, step, emission, {input}, scale == nullptr ? std::nullopt : std::optional(*scale));
}

void write_resize(Writer& w, const Step& step) {
  const Node& node = step.node;
  const ValueId x = node.input(0);
  const Shape from = w.shape(x), to = w.shape(step.targets.at(0).raw);
  const std::string mode = node.get_string("mode"), where = node.get_string("coordinate_transformation_mode");
  if (from.size() != 4 || from[0] != to[0] || from[1] != to[1]) {
    throw UnsupportedError("only height and width of pictures can be resized in TFLite");
  }
  const bool nearest = mode == "nearest";
  const bool aligned = where == "align_corners", half = where == "half_pixel";
  const std::string rounding = node.get_string("nearest_mode");
  bool fits =
      (nearest || mode == "linear") && (aligned || half || where == "asymmetric") && node.get_int("antialias", 0) == 0;
  if (nearest && rounding != (aligned || half ? "round_prefer_ceil" : "floor")) {
    // For whole factors, half pixels and rounding down mean the same element: floor(i / factor).
    const bool whole = to[2] % from[2] == 0 && to[3] % from[3] == 0;
    fits = fits && whole && half && rounding == "round_prefer_floor";
  }
  if (!fits) throw UnsupportedError(cat("resizing by ", mode, ", ", where, ", ", rounding, " has no form in TFLite"));
  Emission emission{.code = nearest ? 97 : 23, .options_kind = static_cast<std::uint8_t>(nearest ? 74 : 15)};
  const int first = nearest ? int{field::resize_nearest::align_corners} : int{field::resize_bilinear::align_corners};
  emission.fields = {option_field<std::uint8_t>(first, aligned), option_field<std::uint8_t>(first + 1, half)};
  emission.version = half ? 3 : step.quantized ? 2 : 1;
  const Quantization* scale = step.quantized ? w.quantization(x) : nullptr;
  w.finish(step, emission, {w.operand(step, x, true), w.ints(node.name + "/size", {to[2], to[3]})}, true,
           scale == nullptr ? std::nullopt : std::optional(*scale));
}

void write_block(Writer& w, const Step& step) {
  const bool to_space = step.node.kind == OpKind::DepthToSpace;
  if (to_space && step.node.get_string("mode") == "CRD") {
    throw UnsupportedError("DepthToSpace of mode CRD has no form in TFLite");
  }
  Emission emission{.code = to_space ? 5 : 26, .options_kind = static_cast<std::uint8_t>(to_space ? 94 : 19)};
  emission.fields = {option_field(field::block::size, checked_cast<std::int32_t>(step.node.get_int("blocksize")))};
  const Quantization* scale = step.quantized ? w.quantization(step.node.input(0)) : nullptr;
  w.finish(step, emission, {w.operand(step, step.node.input(0), true)}, true,
           scale == nullptr ? std::nullopt : std::optional(*scale));
}

constexpr WriteEntry table[] = {
    {OpKind::Conv, LayoutNeed::Spatial, Integers::AnyScale, true, write_conv},
    {OpKind::ConvTranspose, LayoutNeed::Spatial, Integers::AnyScale, false, write_conv_transpose},
    {OpKind::AveragePool, LayoutNeed::Spatial, Integers::SameScale, true,
     [](Writer& w, const Step& step) { write_pool(w, step, true); }},
    {OpKind::MaxPool, LayoutNeed::Spatial, Integers::SameScale, true,
     [](Writer& w, const Step& step) { write_pool(w, step, false); }},
    {OpKind::GlobalMaxPool, LayoutNeed::Spatial, Integers::SameScale, true,
     [](Writer& w, const Step& step) { write_pool(w, step, false); }},
    {OpKind::Resize, LayoutNeed::Spatial, Integers::SameScale, false, write_resize},
    {OpKind::DepthToSpace, LayoutNeed::Spatial, Integers::SameScale, false, write_block},
    {OpKind::SpaceToDepth, LayoutNeed::Spatial, Integers::SameScale, false, write_block},
};

}  // namespace

std::span<const WriteEntry> neural_writers() {
  return table;
}

}  // namespace adze::tflite
