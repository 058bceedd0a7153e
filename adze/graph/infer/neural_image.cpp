#include <cmath>

#include "adze/base/checked.h"
#include "adze/base/text.h"
#include "adze/graph/infer/neural.h"
#include "adze/graph/window.h"

namespace adze::neural {

namespace {

/// Which dimensions Resize's scales or sizes speak of: attribute axes, else all of them.
std::vector<std::size_t> resized_axes(const Node& node, std::size_t rank) {
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : node.get_ints("axes")) {
    axes.push_back(static_cast<std::size_t>(normalize_axis(axis, static_cast<std::int64_t>(rank))));
  }
  if (!axes.empty()) return axes;
  for (std::size_t i = 0; i < rank; ++i) axes.push_back(i);
  return axes;
}

Dim scaled(const Dim& input, float scale) {
  if (!(scale > 0) || !std::isfinite(scale)) throw ModelError(cat("scale ", scale, " must be positive"));
  if (scale == 1) return input;
  if (!input.is_known()) return {};
  const float size = std::floor(static_cast<float>(input.value) * scale);  // in f32, as ONNX Runtime does
  if (size > 0x1p62) throw ModelError("resized dimension overflows 64 bits");
  return static_cast<std::int64_t>(size);
}

void apply_scales(SymbolicShape& shape, const std::vector<std::size_t>& axes, const Tensor& scales) {
  if (static_cast<std::size_t>(scales.size()) != axes.size()) {
    throw ModelError(cat("scales has ", scales.size(), " entries, expected ", axes.size()));
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double scale = scales.get_double(static_cast<std::int64_t>(i));
    shape[axes[i]] = scaled(shape[axes[i]], static_cast<float>(scale));
  }
}

/// not_larger and not_smaller: one factor for all axes, so that every one fits (or covers) the wished size.
void keep_aspect_ratio(SymbolicShape& shape, const std::vector<std::size_t>& axes, const SymbolicShape& sizes,
                       bool not_larger) {
  double factor = not_larger ? HUGE_VAL : 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Dim& input = shape[axes[i]];
    if (!input.is_known() || !sizes[i].is_known() || input.value == 0) {
      for (const std::size_t axis : axes) shape[axis] = Dim();
      return;
    }
    const double scale = static_cast<double>(sizes[i].value) / static_cast<double>(input.value);
    factor = not_larger ? std::min(factor, scale) : std::max(factor, scale);
  }
  for (const std::size_t axis : axes) {
    shape[axis] = Dim(static_cast<std::int64_t>(std::floor(factor * static_cast<double>(shape[axis].value) + 0.5)));
  }
}

void apply_sizes(const Node& node, SymbolicShape& shape, const std::vector<std::size_t>& axes,
                 const SymbolicShape& sizes) {
  if (sizes.size() != axes.size()) {
    throw ModelError(cat("sizes has ", sizes.size(), " entries, expected ", axes.size()));
  }
  const std::string policy = node.get_string("keep_aspect_ratio_policy");
  if (policy == "not_larger" || policy == "not_smaller") {
    return keep_aspect_ratio(shape, axes, sizes, policy == "not_larger");
  }
  if (policy != "stretch") throw ModelError(cat("keep_aspect_ratio_policy ", quoted(policy), " is not known"));
  for (std::size_t i = 0; i < axes.size(); ++i) shape[axes[i]] = sizes[i];
}

}  // namespace

void infer_resize(InferContext& context) {
  const Node& node = context.node();
  if (context.has_input(2) && context.has_input(3)) {
    const Tensor* scales = context.constant(2);
    const Tensor* sizes = context.constant(3);
    const bool one_empty = (scales != nullptr && scales->empty()) || (sizes != nullptr && sizes->empty());
    if (scales != nullptr && sizes != nullptr && !one_empty) throw ModelError("both scales and sizes are given");
  }
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  SymbolicShape shape = *context.shape(0);
  const auto axes = resized_axes(node, shape.size());
  const Tensor* scales = context.constant(2);
  const auto sizes = context.dims(3);
  if (scales != nullptr && !scales->empty()) {
    apply_scales(shape, axes, *scales);
  } else if (sizes && !sizes->empty()) {
    apply_sizes(node, shape, axes, *sizes);
  } else {
    for (const std::size_t axis : axes) shape[axis] = Dim();
  }
  context.set_output(0, context.dtype(0), std::move(shape));
}

void infer_upsample(InferContext& context) {
  if (!context.shape(0)) return context.set_output(0, context.dtype(0));
  SymbolicShape shape = *context.shape(0);
  if (const Tensor* scales = context.constant(1)) {
    apply_scales(shape, resized_axes(context.node(), shape.size()), *scales);
  } else {
    shape.assign(shape.size(), Dim());
  }
  context.set_output(0, context.dtype(0), std::move(shape));
}

void infer_grid_sample(InferContext& context) {
  const auto& x = context.shape(0);
  const auto& grid = context.shape(1);
  if (!x && !grid) return context.set_output(0, context.dtype(0));
  const std::size_t rank = x ? x->size() : grid->size();
  if (rank < 3) throw ModelError("input must have batch, channel and spatial dimensions");
  if (x && grid) {
    require_rank(context, 1, static_cast<std::int64_t>(rank));
    require_equal((*grid)[rank - 1], static_cast<std::int64_t>(rank - 2), "coordinates per point and spatial rank");
    require_equal((*grid)[0], (*x)[0], "batch of input and grid");
  }
  SymbolicShape output = unknown_dims(rank);
  if (x) output[0] = (*x)[0], output[1] = (*x)[1];
  if (grid) {
    if (!x) output[0] = (*grid)[0];
    for (std::size_t i = 2; i < rank; ++i) output[i] = (*grid)[i - 1];
  }
  context.set_output(0, context.dtype(0), std::move(output));
}

void infer_affine_grid(InferContext& context) {
  const auto size = context.dims(1);
  std::optional<SymbolicShape> output;
  if (size) {
    if (size->size() != 4 && size->size() != 5) throw ModelError("size must hold 4 (2-D) or 5 (3-D) dimensions");
    output = SymbolicShape{(*size)[0]};
    output->insert(output->end(), size->begin() + 2, size->end());
    output->emplace_back(static_cast<std::int64_t>(size->size()) - 2);
  }
  context.set_output(0, context.dtype(0), std::move(output));
}

void infer_col2im(InferContext& context) {
  require_rank(context, 0, 3);
  const auto image = context.dims(1);
  const auto block = context.ints(2);
  if (!image) return context.set_output(0, context.dtype(0));
  SymbolicShape output = unknown_dims(2);
  if (context.shape(0)) {
    output[0] = (*context.shape(0))[0];
    const Dim& columns = (*context.shape(0))[1];
    if (block && columns.is_known()) {
      const std::int64_t size = num_elements(*block);
      if (size < 1 || columns.value % size != 0) {
        throw ModelError(cat("a block of ", size, " elements does not divide the ", columns.value, " rows"));
      }
      output[1] = columns.value / size;
    }
  }
  output.insert(output.end(), image->begin(), image->end());
  context.set_output(0, context.dtype(0), std::move(output));
}

void infer_non_max_suppression(InferContext& context) {
  require_rank(context, 0, 3);
  require_rank(context, 1, 3);
  if (context.shape(0)) require_equal((*context.shape(0))[2], 4, "entries of a box and 4");
  if (context.shape(0) && context.shape(1)) {
    require_equal((*context.shape(0))[0], (*context.shape(1))[0], "batch of boxes and scores");
    require_equal((*context.shape(0))[1], (*context.shape(1))[2], "number of boxes and scores");
  }
  context.set_output(0, DType::S64, SymbolicShape{Dim(), Dim(3)});
}

}  // namespace adze::neural
