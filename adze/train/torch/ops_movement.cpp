#include <ATen/ATen.h>

#include <algorithm>

#include "adze/base/text.h"
#include "adze/numerics/shape.h"
#include "adze/train/torch/op_call.h"
#include "adze/train/torch/tensors.h"

namespace adze::train {

namespace {

using at::Tensor;
using Ints = std::vector<std::int64_t>;

void concat(OpCall& call) {
  call.set(at::cat(at::TensorList(call.inputs().data(), call.inputs().size()), call.node.get_int("axis")));
}

void expand(OpCall& call) {
  call.set(call.in(0).expand(broadcast_shapes(call.in(0).sizes().vec(), call.ints(1))));
}

void flatten(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t axis = call.axis(call.node.get_int("axis"), x.dim());
  std::int64_t rows = 1, columns = 1;
  for (std::int64_t i = 0; i < x.dim(); ++i) (i < axis ? rows : columns) *= x.size(i);
  call.set(x.reshape({rows, columns}));
}

void reshape(OpCall& call) {
  Ints shape = call.ints(1);
  const Tensor& x = call.in(0);
  if (call.node.get_int("allowzero") == 0) {
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 0) shape[i] = x.size(static_cast<std::int64_t>(i));
    }
  }
  call.set(x.reshape(shape));
}

void squeeze(OpCall& call) {
  Tensor x = call.in(0);
  if (!call.has(1)) return call.set(x.squeeze());
  Ints axes = call.ints(1);
  for (std::int64_t& axis : axes) axis = call.axis(axis, x.dim());
  std::sort(axes.rbegin(), axes.rend());
  for (const std::int64_t axis : axes) x = x.squeeze(axis);
  call.set(x);
}

void unsqueeze(OpCall& call) {
  Tensor x = call.in(0);
  Ints axes = call.ints(1);
  const std::int64_t rank = x.dim() + static_cast<std::int64_t>(axes.size());
  for (std::int64_t& axis : axes) axis = call.axis(axis, rank);
  std::sort(axes.begin(), axes.end());
  for (const std::int64_t axis : axes) x = x.unsqueeze(axis);
  call.set(x);
}

void transpose(OpCall& call) {
  Ints order = call.node.get_ints("perm");
  if (order.empty()) {
    for (std::int64_t i = call.rank() - 1; i >= 0; --i) order.push_back(i);
  }
  call.set(call.in(0).permute(order));
}

void slice(OpCall& call) {
  Tensor x = call.in(0);
  const Ints starts = call.ints(1), ends = call.ints(2);
  Ints axes, steps(starts.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (call.has(3)) axes = call.ints(3);
  if (call.has(4)) steps = call.ints(4);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t axis = call.axis(axes[i], x.dim()), size = x.size(axis), step = steps[i];
    std::int64_t start = starts[i] < 0 ? starts[i] + size : starts[i];
    std::int64_t end = ends[i] < 0 ? std::max<std::int64_t>(ends[i], -size - 1) + size : ends[i];
    if (step > 0) {
      start = std::clamp<std::int64_t>(start, 0, size);
      end = std::clamp<std::int64_t>(end, start, size);
      x = x.slice(axis, start, end, step);
    } else {
      start = std::clamp<std::int64_t>(start, 0, size - 1);
      end = std::clamp<std::int64_t>(end, -1, start);
      x = x.index_select(axis, at::arange(start, end, step, at::kLong));
    }
  }
  call.set(x);
}

void split(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t axis = call.axis(call.node.get_int("axis"), x.dim());
  Ints sizes;
  if (call.has(1)) {
    sizes = call.ints(1);
  } else {
    const auto count = static_cast<std::int64_t>(call.node.outputs.size());
    const std::int64_t part = (x.size(axis) + count - 1) / count;
    for (std::int64_t i = 0; i < count; ++i) sizes.push_back(std::min(part, x.size(axis) - i * part));
  }
  const std::vector<Tensor> parts = x.split_with_sizes(sizes, axis);
  for (std::size_t i = 0; i < parts.size(); ++i) call.set(i, parts[i]);
}

/// Pads of ONNX (all begins, then all ends) in libtorch's order: last axis first, begin and end side by side.
Ints torch_pads(const Ints& pads, const Ints& axes, std::int64_t rank) {
  Ints result(static_cast<std::size_t>(2 * rank), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<std::size_t>(2 * (rank - 1 - axes[i]));
    result[at] = pads[i];
    result[at + 1] = pads[i + axes.size()];
  }
  return result;
}

void pad(OpCall& call) {
  const Tensor& x = call.in(0);
  Ints axes;
  for (std::int64_t i = 0; i < x.dim(); ++i) axes.push_back(i);
  if (call.has(3)) {
    axes = call.ints(3);
    for (std::int64_t& axis : axes) axis = call.axis(axis, x.dim());
  }
  Ints pads = torch_pads(call.ints(1), axes, x.dim());
  const std::string mode = call.node.get_string("mode");
  if (mode == "constant") {
    const double value = call.has(2) ? call.in(2).item<double>() : 0.0;
    return call.set(at::constant_pad_nd(x, pads, value));
  }
  if (mode == "wrap") throw UnsupportedError("Pad of mode wrap has no gradient here");
  while (pads.size() > 2 && pads[pads.size() - 1] == 0 && pads[pads.size() - 2] == 0) pads.resize(pads.size() - 2);
  call.set(at::pad(x, pads, mode == "edge" ? "replicate" : mode));
}

void depth_to_space(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t b = call.node.get_int("blocksize"), n = x.size(0), c = x.size(1) / (b * b), h = x.size(2),
                     w = x.size(3);
  const bool dcr = call.node.get_string("mode") == "DCR";
  const Tensor parts = dcr ? x.reshape({n, b, b, c, h, w}).permute({0, 3, 4, 1, 5, 2})
                           : x.reshape({n, c, b, b, h, w}).permute({0, 1, 4, 2, 5, 3});
  call.set(parts.reshape({n, c, h * b, w * b}));
}

void space_to_depth(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t b = call.node.get_int("blocksize"), n = x.size(0), c = x.size(1), h = x.size(2) / b,
                     w = x.size(3) / b;
  call.set(x.reshape({n, c, h, b, w, b}).permute({0, 3, 5, 1, 2, 4}).reshape({n, c * b * b, h, w}));
}

void shape_of(OpCall& call) {
  const auto sizes = call.in(0).sizes();
  const auto rank = static_cast<std::int64_t>(sizes.size());
  std::int64_t start = call.node.get_int("start"), end = call.node.get_int("end", rank);
  start = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<std::int64_t>(end < 0 ? end + rank : end, start, rank);
  call.set(at::tensor(sizes.slice(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)), at::kLong));
}

void constant_of_shape(OpCall& call) {
  const Attribute* given = call.node.find("value");
  const Tensor value = given != nullptr ? to_torch(std::get<adze::Tensor>(*given)) : at::zeros({1});
  call.set(at::full(call.ints(0), value.item(), value.scalar_type()));
}

void trilu(OpCall& call) {
  const std::int64_t diagonal = call.has(1) ? call.ints(1).at(0) : 0;
  call.set(call.node.get_int("upper") != 0 ? at::triu(call.in(0), diagonal) : at::tril(call.in(0), diagonal));
}

}  // namespace

std::span<const OpEntry> movement_ops() {
  static const OpEntry entries[] = {
      {OpKind::Concat, concat},
      {OpKind::ConstantOfShape, constant_of_shape},
      {OpKind::DepthToSpace, depth_to_space},
      {OpKind::Expand, expand},
      {OpKind::Flatten, flatten},
      {OpKind::Identity, [](OpCall& c) { c.set(c.in(0)); }},
      {OpKind::Pad, pad},
      {OpKind::Range,
       [](OpCall& c) { c.set(at::arange(c.in(0).item(), c.in(1).item(), c.in(2).item(), c.in(0).scalar_type())); }},
      {OpKind::Reshape, reshape},
      {OpKind::Shape, shape_of},
      {OpKind::Size, [](OpCall& c) { c.set(at::full({}, c.in(0).numel(), at::kLong)); }},
      {OpKind::Slice, slice},
      {OpKind::SpaceToDepth, space_to_depth},
      {OpKind::Split, split},
      {OpKind::Squeeze, squeeze},
      {OpKind::Tile, [](OpCall& c) { c.set(c.in(0).repeat(c.ints(1))); }},
      {OpKind::Transpose, transpose},
      {OpKind::Trilu, trilu},
      {OpKind::Unsqueeze, unsqueeze},
  };
  return entries;
}

}  // namespace adze::train
