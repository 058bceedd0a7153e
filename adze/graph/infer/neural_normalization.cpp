#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"

namespace adze::neural {

namespace {

/// The channel dimension of an input laid out as batch, channel, …; 1 channel for a rank-1 input.
Dim channels_of(const InferContext& context) {
  const auto& shape = context.shape(0);
  if (!shape) return {};
  if (shape->empty()) throw ModelError("input must have a batch dimension");
  return shape->size() > 1 ? (*shape)[1] : Dim(1);
}

}  // namespace

void infer_batch_normalization(InferContext& context) {
  Dim channels = channels_of(context);
  for (std::size_t i = 1; i < 5; ++i) {
    require_rank(context, i, 1);
    if (context.shape(i)) channels = unified(channels, (*context.shape(i))[0], "channels and parameter length");
  }
  auto shape = context.shape(0);
  if (shape && shape->size() > 1) (*shape)[1] = channels;
  context.set_output(0, context.dtype(0), std::move(shape));
  const bool training = context.node().get_int("training_mode") != 0;
  if (!training && (context.node().output(1) != ValueId::None || context.node().output(2) != ValueId::None)) {
    throw ModelError("running statistics are computed only with training_mode = 1");
  }
  context.set_output(1, first_dtype(context, {3, 4}), SymbolicShape{channels});
  context.set_output(2, first_dtype(context, {4, 3}), SymbolicShape{channels});
}

void infer_channel_normalization(InferContext& context) {
  const Dim channels = channels_of(context);
  std::optional<std::int64_t> groups;
  if (context.node().kind == OpKind::GroupNormalization) {
    groups = context.node().get_int("num_groups");
    if (*groups < 1) throw ModelError(cat("num_groups is ", *groups, "; the least is 1"));
    if (channels.is_known() && channels.value % *groups != 0) {
      throw ModelError(cat("num_groups ", *groups, " does not divide the ", channels.value, " channels"));
    }
  }
  for (std::size_t i = 1; i < 3; ++i) {
    require_rank(context, i, 1);
    if (!context.shape(i)) continue;
    const Dim& length = (*context.shape(i))[0];
    if (groups && length.is_known() && length.value == *groups) continue;  // one factor per group: opset 18's form
    require_equal(channels, length, "channels and parameter length");
  }
  context.set_output(0, context.dtype(0), context.shape(0));
}

void infer_layer_normalization(InferContext& context) {
  const Node& node = context.node();
  context.set_output(0, context.dtype(0), context.shape(0));
  const DType stash = static_cast<DType>(node.get_int("stash_type"));
  if (stash != DType::F32 && stash != DType::BF16) throw ModelError("stash_type must be 1 (f32) or 16 (bf16)");
  if (!context.shape(0)) {
    context.set_output(1, stash);
    context.set_output(2, stash);
    return;
  }
  SymbolicShape statistics = *context.shape(0);
  const auto rank = static_cast<std::int64_t>(statistics.size());
  const std::int64_t axis = normalize_axis(node.get_int("axis"), rank);
  for (std::int64_t i = axis; i < rank; ++i) statistics[static_cast<std::size_t>(i)] = Dim(1);
  context.set_output(1, stash, statistics);
  context.set_output(2, stash, statistics);
}

void infer_lrn(InferContext& context) {
  if (context.node().get_int("size") < 1) throw ModelError("size must be 1 at least");
  channels_of(context);
  context.set_output(0, context.dtype(0), context.shape(0));
}

void infer_dropout(InferContext& context) {
  context.set_output(0, context.dtype(0), context.shape(0));
  context.set_output(1, DType::Bool, context.shape(0));
}

}  // namespace adze::neural
