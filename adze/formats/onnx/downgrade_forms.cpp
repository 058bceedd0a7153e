#include "adze/formats/onnx/downgrade_rules.h"

namespace adze::onnx {

namespace {

void axes_to_attribute(Downgrade& down) {
  if (down.node.has("noop_with_empty_axes")) {
    const bool noop = down.node.get_int("noop_with_empty_axes") != 0;
    if (noop && !down.has_input(1)) down.refuse("noop_with_empty_axes for this operator");
    down.node.erase("noop_with_empty_axes");
  }
  down.ints_to_attribute(1, "axes");
}

void split_sizes(Downgrade& down) {
  if (!down.node.has("num_outputs")) return;
  const std::int64_t parts = down.node.get_int("num_outputs");
  const auto& shape = down.type(0).shape;
  if (!shape) down.refuse("Split into parts of an unknown shape");
  const auto axis = normalize_axis(down.node.get_int("axis"), static_cast<std::int64_t>(shape->size()));
  const Dim& dim = (*shape)[static_cast<std::size_t>(axis)];
  if (!dim.is_known() || dim.value % parts != 0) down.refuse("Split into unequal or unknown parts without sizes");
  down.node.erase("num_outputs");
}

void pad_axes(Downgrade& down) {
  if (down.has_input(3)) down.refuse("axes for Pad");
}

void pad_wrap(Downgrade& down) {
  if (down.node.get_string("mode") == "wrap") down.refuse("mode wrap for Pad");
}

void resize_18(Downgrade& down) {
  down.drop_int("antialias", 0);
  down.drop_text("keep_aspect_ratio_policy", "stretch");
  if (down.node.has("axes")) down.refuse("axes for Resize");
}

/// Opsets 11 and 12 want all inputs: empty tensors stand for absent ones.
void resize_11(Downgrade& down) {
  for (std::size_t i = 1; i <= 2; ++i) {
    if (down.has_input(i)) continue;
    if (down.node.inputs.size() <= i) down.node.inputs.resize(i + 1, ValueId::None);
    down.node.inputs[i] = down.graph.add_constant(
        down.graph.unique_name(cat(down.node.name, i == 1 ? "_roi" : "_scales")), Tensor(DType::F32, {0}));
  }
}

void scatter_16(Downgrade& down) {
  down.drop_text("reduction", "none");
}

void scatter_18(Downgrade& down) {
  const std::string reduction = down.node.get_string("reduction");
  if (reduction == "max" || reduction == "min") down.refuse(cat("reduction = ", reduction, " for this operator"));
}

void cast_saturate(Downgrade& down) {
  down.node.erase("saturate");
}

void quantize_21(Downgrade& down) {
  down.drop_int("block_size", 0);
  if (!down.node.has("output_dtype")) return;
  const std::int64_t dtype = down.node.get_int("output_dtype");
  if (!down.has_input(2) && dtype != 0 && dtype != static_cast<std::int64_t>(DType::U8)) {
    down.refuse("output_dtype for QuantizeLinear without zero point");
  }
  down.node.erase("output_dtype");
}

void quantize_13(Downgrade& down) {
  const auto& scale = down.type(1).shape;
  if (!scale || !scale->empty()) down.refuse("scales a channel for this operator");
  down.node.erase("axis");
}

void group_norm_21(Downgrade& down) {
  const auto& shape = down.type(0).shape;
  const bool same = shape && shape->size() > 1 && (*shape)[1] == Dim(down.node.get_int("num_groups"));
  if (!same) down.refuse("GroupNormalization with a scale and bias a channel");
  down.node.erase("stash_type");
}

void dft_axis(Downgrade& down) {
  const std::int64_t axis = down.has_input(2) ? down.constant(2, "axis").get_int(0) : -2;
  const auto& shape = down.type(0).shape;
  if (axis < 0 && !shape) down.refuse("axis counted from the end for DFT");
  down.node.set("axis", axis < 0 ? axis + static_cast<std::int64_t>(shape->size()) : axis);
  down.drop_input(2);
}

void grid_sample_modes(Downgrade& down) {
  const std::string mode = down.node.get_string("mode");
  if (down.type(0).shape && down.type(0).shape->size() != 4) down.refuse("GridSample of volumes");
  down.node.set("mode", mode == "linear" ? std::string("bilinear") : mode == "cubic" ? std::string("bicubic") : mode);
}

void roi_align_16(Downgrade& down) {
  down.drop_text("coordinate_transformation_mode", "output_half_pixel");
}

void shape_15(Downgrade& down) {
  if (down.node.has("end") || down.node.get_int("start") != 0) down.refuse("start and end for Shape");
  down.node.erase("start");
}

void batch_norm_14(Downgrade& down) {
  down.drop_int("training_mode", 0);
}
void reshape_14(Downgrade& down) {
  down.drop_int("allowzero", 0);
}
void layout_14(Downgrade& down) {
  down.drop_int("layout", 0);
}

/// Before 13 the softmaxes flattened everything from axis on; at the last axis that means the same.
void softmax_13(Downgrade& down) {
  const auto& shape = down.type(0).shape;
  const std::int64_t axis = down.node.get_int("axis");
  const bool is_last = axis == -1 || (shape && axis == static_cast<std::int64_t>(shape->size()) - 1);
  if (!is_last) down.refuse("softmax along an axis that is not the last");
  down.node.set("axis", std::int64_t{-1});
}

void split_13(Downgrade& down) {
  down.ints_to_attribute(1, "split");
}

void dropout_12(Downgrade& down) {
  if (down.has_input(2) && down.constant(2, "training modes").get_int(0) != 0) down.refuse("training for Dropout");
  if (down.has_input(1)) down.node.set("ratio", static_cast<float>(down.constant(1, "ratios").get_double(0)));
  down.node.inputs.resize(1);
  down.node.erase("seed");
}

void arg_12(Downgrade& down) {
  down.drop_int("select_last_index", 0);
}
void gather_nd_12(Downgrade& down) {
  down.drop_int("batch_dims", 0);
}
void average_pool_19(Downgrade& down) {
  down.drop_ints("dilations", 1);
}

void lp_pool_18(Downgrade& down) {
  down.drop_ints("dilations", 1);
  down.drop_int("ceil_mode", 0);
}

/// In the order from the newest change to the oldest.
constexpr DowngradeRule rules[] = {
    {OpKind::GroupNormalization, 21, group_norm_21},
    {OpKind::QuantizeLinear, 21, quantize_21},
    {OpKind::DequantizeLinear, 21, quantize_21},
    {OpKind::DFT, 20, dft_axis},
    {OpKind::GridSample, 20, grid_sample_modes},
    {OpKind::AveragePool, 19, average_pool_19},
    {OpKind::Cast, 19, cast_saturate},
    {OpKind::CastLike, 19, cast_saturate},
    {OpKind::QuantizeLinear, 19, cast_saturate},
    {OpKind::Pad, 19, pad_wrap},
    {OpKind::LpPool, 18, lp_pool_18},
    {OpKind::Pad, 18, pad_axes},
    {OpKind::Resize, 18, resize_18},
    {OpKind::ScatterElements, 18, scatter_18},
    {OpKind::ScatterND, 18, scatter_18},
    {OpKind::Split, 18, split_sizes},
    {OpKind::ReduceL1, 18, axes_to_attribute},
    {OpKind::ReduceL2, 18, axes_to_attribute},
    {OpKind::ReduceLogSum, 18, axes_to_attribute},
    {OpKind::ReduceLogSumExp, 18, axes_to_attribute},
    {OpKind::ReduceMax, 18, axes_to_attribute},
    {OpKind::ReduceMean, 18, axes_to_attribute},
    {OpKind::ReduceMin, 18, axes_to_attribute},
    {OpKind::ReduceProd, 18, axes_to_attribute},
    {OpKind::ReduceSumSquare, 18, axes_to_attribute},
    {OpKind::RoiAlign, 16, roi_align_16},
    {OpKind::ScatterElements, 16, scatter_16},
    {OpKind::ScatterND, 16, scatter_16},
    {OpKind::Shape, 15, shape_15},
    {OpKind::BatchNormalization, 14, batch_norm_14},
    {OpKind::Reshape, 14, reshape_14},
    {OpKind::RNN, 14, layout_14},
    {OpKind::LSTM, 14, layout_14},
    {OpKind::GRU, 14, layout_14},
    {OpKind::Softmax, 13, softmax_13},
    {OpKind::LogSoftmax, 13, softmax_13},
    {OpKind::Hardmax, 13, softmax_13},
    {OpKind::ReduceSum, 13, axes_to_attribute},
    {OpKind::Squeeze, 13, axes_to_attribute},
    {OpKind::Unsqueeze, 13, axes_to_attribute},
    {OpKind::Split, 13, split_13},
    {OpKind::QuantizeLinear, 13, quantize_13},
    {OpKind::DequantizeLinear, 13, quantize_13},
    {OpKind::Resize, 13, resize_11},
    {OpKind::ArgMax, 12, arg_12},
    {OpKind::ArgMin, 12, arg_12},
    {OpKind::Dropout, 12, dropout_12},
    {OpKind::GatherND, 12, gather_nd_12},
};

}  // namespace

std::span<const DowngradeRule> form_downgrades() {
  return rules;
}

}  // namespace adze::onnx
