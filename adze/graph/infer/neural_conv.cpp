#include "adze/base/checked.h"
#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"
#include "adze/graph/window.h"

namespace adze::neural {

namespace {

std::int64_t group_of(const Node& node) {
  const std::int64_t group = node.get_int("group");
  if (group < 1) throw ModelError(cat("group is ", group, "; the least is 1"));
  return group;
}

/// The rank that input and weight share, when one of them is known.
std::optional<std::size_t> shared_rank(const InferContext& context) {
  const auto x = context.rank(0), w = context.rank(1);
  if (x && w && *x != *w) {
    throw ModelError(cat("input ", shape_text(*context.shape(0)), " and weight ", shape_text(*context.shape(1)),
                         " must have the same rank"));
  }
  const auto rank = x ? x : w;
  if (!rank) return std::nullopt;
  if (*rank < 3) throw ModelError(cat("input has rank ", *rank, ", expected batch, channels and spatial dimensions"));
  return static_cast<std::size_t>(*rank);
}

void check_bias(const InferContext& context, const Dim& channels) {
  if (!context.has_input(2) || !context.shape(2)) return;
  require_rank(context, 2, 1);
  require_equal((*context.shape(2))[0], channels, "bias length and output channels");
}

void infer_shape(InferContext& context, DType dtype, bool has_bias) {
  const std::int64_t group = group_of(context.node());
  const auto rank = shared_rank(context);
  if (!rank) return context.set_output(0, dtype);
  const SymbolicShape x = context.shape(0).value_or(unknown_dims(*rank));
  const SymbolicShape w = context.shape(1).value_or(unknown_dims(*rank));
  if (w[1].is_known()) {
    require_equal(x[1], checked_mul(w[1].value, group, "channels"), "input channels and weight channels × group");
  }
  if (x[1].is_known() && x[1].value % group != 0) {
    throw ModelError(cat("group ", group, " does not divide the ", x[1].value, " input channels"));
  }
  if (w[0].is_known() && w[0].value % group != 0) {
    throw ModelError(cat("group ", group, " does not divide the ", w[0].value, " output channels"));
  }
  if (has_bias) check_bias(context, w[0]);
  const Window window = window_of(context.node(), *rank - 2, SymbolicShape(w.begin() + 2, w.end()));
  SymbolicShape output = {x[0], w[0]};
  for (std::size_t i = 0; i < window.rank(); ++i) output.push_back(window_output(window, i, x[i + 2]));
  context.set_output(0, dtype, std::move(output));
}

}  // namespace

void infer_conv(InferContext& context) {
  infer_shape(context, first_dtype(context, {0, 1, 2}), true);
}

void infer_conv_integer(InferContext& context) {
  infer_shape(context, DType::S32, false);
}

void infer_conv_transpose(InferContext& context) {
  const DType dtype = first_dtype(context, {0, 1, 2});
  const std::int64_t group = group_of(context.node());
  const auto rank = shared_rank(context);
  if (!rank) return context.set_output(0, dtype);
  const SymbolicShape x = context.shape(0).value_or(unknown_dims(*rank));
  const SymbolicShape w = context.shape(1).value_or(unknown_dims(*rank));
  require_equal(x[1], w[0], "input channels and weight channels");
  if (w[0].is_known() && w[0].value % group != 0) {
    throw ModelError(cat("group ", group, " does not divide the ", w[0].value, " input channels"));
  }
  const Dim channels = w[1].is_known() ? Dim(checked_mul(w[1].value, group, "channels")) : Dim();
  check_bias(context, channels);
  const auto geometry = transposed_window_of(context.node(), *rank - 2, SymbolicShape(w.begin() + 2, w.end()));
  SymbolicShape output = {x[0], channels};
  for (std::size_t i = 0; i + 2 < *rank; ++i) output.push_back(transposed_output(geometry, i, x[i + 2]));
  context.set_output(0, dtype, std::move(output));
}

}  // namespace adze::neural
