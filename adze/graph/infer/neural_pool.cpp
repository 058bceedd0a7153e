#include "adze/base/checked.h"
#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"
#include "adze/graph/window.h"

namespace adze::neural {

namespace {

/// The input's spatial rank; throws unless there is a batch and a channel dimension before it.
std::size_t spatial_rank(const SymbolicShape& shape) {
  if (shape.size() < 2) {
    throw ModelError(cat("input has shape ", shape_text(shape), ", expected batch and channels at least"));
  }
  return shape.size() - 2;
}

Dim attribute_dim(const Node& node, std::string_view attribute) {
  const std::int64_t value = node.get_int(attribute);
  if (value < 1) throw ModelError(cat("attribute ", attribute, " is ", value, "; the least is 1"));
  return value;
}

}  // namespace

void infer_pool(InferContext& context) {
  const bool indices = context.node().kind == OpKind::MaxPool;
  const auto& shape = context.shape(0);
  const std::size_t rank = shape ? spatial_rank(*shape) : context.node().get_ints("kernel_shape").size();
  const Window window = window_of(context.node(), rank);
  if (context.node().kind == OpKind::LpPool) attribute_dim(context.node(), "p");
  std::optional<SymbolicShape> output;
  if (shape) {
    output = SymbolicShape{(*shape)[0], (*shape)[1]};
    for (std::size_t i = 0; i < rank; ++i) output->push_back(window_output(window, i, (*shape)[i + 2]));
  }
  context.set_output(0, context.dtype(0), output);
  if (indices) context.set_output(1, DType::S64, output);
}

void infer_global_pool(InferContext& context) {
  auto shape = context.shape(0);
  if (shape) {
    const std::size_t rank = spatial_rank(*shape);
    for (std::size_t i = 0; i < rank; ++i) (*shape)[i + 2] = Dim(1);
  }
  context.set_output(0, context.dtype(0), std::move(shape));
}

void infer_max_unpool(InferContext& context) {
  const auto& shape = context.shape(0);
  if (!shape) return context.set_output(0, context.dtype(0));
  const std::size_t rank = spatial_rank(*shape);
  const Window window = window_of(context.node(), rank);
  if (context.has_input(2)) {
    auto sizes = context.dims(2);
    if (sizes && sizes->size() != rank + 2) {
      throw ModelError(cat("output_shape has ", sizes->size(), " entries, expected ", rank + 2));
    }
    return context.set_output(0, context.dtype(0), sizes ? *sizes : unknown_dims(rank + 2));
  }
  SymbolicShape output = {(*shape)[0], (*shape)[1]};
  for (std::size_t i = 0; i < rank; ++i) {
    const Dim& size = (*shape)[i + 2];
    if (!size.is_known()) {
      output.emplace_back();
      continue;
    }
    const std::int64_t steps = checked_mul(size.value - 1, window.strides[i], "output size");
    const std::int64_t full = checked_add(steps, window.extent(i), "output size");
    output.emplace_back(full - window.pads_begin[i] - window.pads_end[i]);
    if (!output.back().is_known()) throw ModelError("the pads are larger than the unpooled output");
  }
  context.set_output(0, context.dtype(0), std::move(output));
}

void infer_max_roi_pool(InferContext& context) {
  require_rank(context, 0, 4);
  require_rank(context, 1, 2);
  const auto pooled = context.node().get_ints("pooled_shape");
  if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1) {
    throw ModelError("pooled_shape must hold two sizes of at least 1");
  }
  const Dim rois = context.shape(1) ? (*context.shape(1))[0] : Dim();
  if (context.shape(1)) require_equal((*context.shape(1))[1], 5, "entries of a region and 5");
  const Dim channels = context.shape(0) ? (*context.shape(0))[1] : Dim();
  context.set_output(0, context.dtype(0), SymbolicShape{rois, channels, pooled[0], pooled[1]});
}

void infer_roi_align(InferContext& context) {
  require_rank(context, 0, 4);
  require_rank(context, 1, 2);
  require_rank(context, 2, 1);
  Dim rois = context.shape(1) ? (*context.shape(1))[0] : Dim();
  if (context.shape(1)) require_equal((*context.shape(1))[1], 4, "entries of a region and 4");
  if (context.shape(2)) rois = unified(rois, (*context.shape(2))[0], "number of regions and batch indices");
  const Dim channels = context.shape(0) ? (*context.shape(0))[1] : Dim();
  if (context.node().get_int("sampling_ratio") < 0) throw ModelError("sampling_ratio must not be negative");
  context.set_output(0, context.dtype(0),
                     SymbolicShape{rois, channels, attribute_dim(context.node(), "output_height"),
                                   attribute_dim(context.node(), "output_width")});
}

}  // namespace adze::neural
