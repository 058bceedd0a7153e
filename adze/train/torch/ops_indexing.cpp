#include <ATen/ATen.h>

#include "adze/base/text.h"
#include "adze/train/torch/op_call.h"

namespace adze::train {

namespace {

using at::Tensor;

/// ONNX counts negative indices from the end.
Tensor from_start(const Tensor& index, std::int64_t size) {
  const Tensor wide = index.to(at::kLong);
  return at::where(wide < 0, wide + size, wide);
}

void gather(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t axis = call.axis(call.node.get_int("axis"), x.dim());
  const Tensor index = from_start(call.in(1), x.size(axis));
  if (axis == 0 && x.dim() == 2 && at::isFloatingType(x.scalar_type())) return call.set(at::embedding(x, index));
  auto shape = x.sizes().vec();
  const auto at = shape.begin() + axis;
  shape.insert(shape.erase(at), index.sizes().begin(), index.sizes().end());
  call.set(x.index_select(axis, index.reshape({-1})).reshape(shape));
}

void gather_elements(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t axis = call.axis(call.node.get_int("axis"), x.dim());
  call.set(at::gather(x, axis, from_start(call.in(1), x.size(axis))));
}

/// One index list for each of the last axis' components.
c10::List<c10::optional<Tensor>> components(const Tensor& x, const Tensor& indices) {
  c10::List<c10::optional<Tensor>> result;
  for (std::int64_t i = 0; i < indices.size(-1); ++i) result.push_back(from_start(indices.select(-1, i), x.size(i)));
  return result;
}

void gather_nd(OpCall& call) {
  if (call.node.get_int("batch_dims") != 0) throw UnsupportedError("GatherND with batch_dims has no gradient here");
  call.set(call.in(0).index(components(call.in(0), call.in(1))));
}

void scatter_elements(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t axis = call.axis(call.node.get_int("axis"), x.dim());
  const Tensor index = from_start(call.in(1), x.size(axis));
  const std::string reduction = call.node.get_string("reduction");
  if (reduction == "none") return call.set(x.scatter(axis, index, call.in(2)));
  if (reduction == "add") return call.set(x.scatter_add(axis, index, call.in(2)));
  throw UnsupportedError(cat("ScatterElements with reduction ", reduction, " has no gradient here"));
}

void scatter_nd(OpCall& call) {
  const std::string reduction = call.node.get_string("reduction");
  if (reduction != "none" && reduction != "add") {
    throw UnsupportedError(cat("ScatterND with reduction ", reduction, " has no gradient here"));
  }
  call.set(call.in(0).index_put(components(call.in(0), call.in(1)), call.in(2), reduction == "add"));
}

void one_hot(OpCall& call) {
  const std::int64_t depth = call.ints(1).at(0);
  const Tensor index = from_start(call.in(0), depth), values = call.in(2);
  const std::int64_t axis = call.axis(call.node.get_int("axis"), index.dim() + 1);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(index.dim() + 1), 1);
  shape[static_cast<std::size_t>(axis)] = depth;
  const Tensor hit = index.unsqueeze(axis) == at::arange(depth, at::kLong).reshape(shape);
  call.set(at::where(hit, values.select(0, 1), values.select(0, 0)));
}

}  // namespace

std::span<const OpEntry> indexing_ops() {
  static const OpEntry entries[] = {
      {OpKind::Gather, gather},
      {OpKind::GatherElements, gather_elements},
      {OpKind::GatherND, gather_nd},
      {OpKind::OneHot, one_hot},
      {OpKind::Scatter, scatter_elements},
      {OpKind::ScatterElements, scatter_elements},
      {OpKind::ScatterND, scatter_nd},
  };
  return entries;
}

}  // namespace adze::train
