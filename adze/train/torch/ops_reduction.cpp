#include <ATen/ATen.h>

#include "adze/train/torch/op_call.h"

namespace adze::train {

namespace {

using at::Tensor;
using Ints = std::vector<std::int64_t>;

/// Reduce operators: axes as input 1, all when left out (or none, with noop_with_empty_axes).
template <typename Function>
void reduce(OpCall& call, Function function) {
  const Tensor& x = call.in(0);
  Ints axes;
  if (call.has(1)) axes = call.ints(1);
  if (axes.empty()) {
    if (call.node.get_int("noop_with_empty_axes") != 0) return call.set(x);
    for (std::int64_t i = 0; i < x.dim(); ++i) axes.push_back(i);
  }
  if (x.dim() == 0) return call.set(function(x.reshape({1}), Ints{0}, false));
  call.set(function(x, axes, call.node.get_int("keepdims") != 0));
}

Tensor product(Tensor x, Ints axes, bool keep) {
  for (std::int64_t& axis : axes) axis = axis < 0 ? axis + x.dim() : axis;
  std::sort(axes.rbegin(), axes.rend());
  for (const std::int64_t axis : axes) x = at::prod(x, axis, keep);
  return x;
}

template <Tensor (*function)(const Tensor&, std::int64_t, bool)>
void arg(OpCall& call) {
  const std::int64_t axis = call.node.get_int("axis");
  const bool keep = call.node.get_int("keepdims") != 0;
  const Tensor& x = call.in(0);
  if (call.node.get_int("select_last_index") == 0) return call.set(function(x, axis, keep));
  const std::int64_t last = x.size(call.axis(axis, x.dim())) - 1;
  call.set(last - function(x.flip(axis), axis, keep));
}

Tensor arg_max(const Tensor& x, std::int64_t axis, bool keep) {
  return at::argmax(x, axis, keep);
}
Tensor arg_min(const Tensor& x, std::int64_t axis, bool keep) {
  return at::argmin(x, axis, keep);
}

void cumulative_sum(OpCall& call) {
  Tensor x = call.in(0);
  const std::int64_t axis = call.axis(call.ints(1).at(0), x.dim());
  const bool reverse = call.node.get_int("reverse") != 0;
  if (reverse) x = x.flip(axis);
  Tensor sums = at::cumsum(x, axis);
  if (call.node.get_int("exclusive") != 0) sums = sums - x;
  call.set(reverse ? sums.flip(axis) : sums);
}

void lp_normalization(OpCall& call) {
  const Tensor& x = call.in(0);
  const std::int64_t axis = call.node.get_int("axis");
  call.set(x / at::linalg_vector_norm(x, call.node.get_int("p"), at::IntArrayRef(axis), true));
}

void mean_variance_normalization(OpCall& call) {
  const Tensor& x = call.in(0);
  Ints axes = call.node.get_ints("axes");
  if (axes.empty()) axes = {0, 2, 3};
  const Tensor centred = x - x.mean(axes, true);
  call.set(centred / (at::sqrt((centred * centred).mean(axes, true)) + 1e-9));
}

void top_k(OpCall& call) {
  const auto [values, indices] =
      at::topk(call.in(0), call.ints(1).at(0), call.node.get_int("axis"), call.node.get_int("largest") != 0, true);
  call.set(0, values);
  call.set(1, indices);
}

}  // namespace

std::span<const OpEntry> reduction_ops() {
  static const OpEntry entries[] = {
      {OpKind::ArgMax, arg<arg_max>},
      {OpKind::ArgMin, arg<arg_min>},
      {OpKind::CumSum, cumulative_sum},
      {OpKind::Det, [](OpCall& c) { c.set(at::det(c.in(0))); }},
      {OpKind::Einsum,
       [](OpCall& c) {
         c.set(at::einsum(c.node.get_string("equation"), at::TensorList(c.inputs().data(), c.inputs().size())));
       }},
      {OpKind::LogSoftmax, [](OpCall& c) { c.set(at::log_softmax(c.in(0), c.node.get_int("axis"))); }},
      {OpKind::LpNormalization, lp_normalization},
      {OpKind::MeanVarianceNormalization, mean_variance_normalization},
      {OpKind::ReduceL1,
       [](OpCall& c) { reduce(c, [](const Tensor& x, const Ints& a, bool k) { return at::abs(x).sum(a, k); }); }},
      {OpKind::ReduceL2,
       [](OpCall& c) {
         reduce(c, [](const Tensor& x, const Ints& a, bool k) { return at::linalg_vector_norm(x, 2, a, k); });
       }},
      {OpKind::ReduceLogSum,
       [](OpCall& c) { reduce(c, [](const Tensor& x, const Ints& a, bool k) { return at::log(x.sum(a, k)); }); }},
      {OpKind::ReduceLogSumExp,
       [](OpCall& c) { reduce(c, [](const Tensor& x, const Ints& a, bool k) { return at::logsumexp(x, a, k); }); }},
      {OpKind::ReduceMax,
       [](OpCall& c) { reduce(c, [](const Tensor& x, const Ints& a, bool k) { return at::amax(x, a, k); }); }},
      {OpKind::ReduceMean,
       [](OpCall& c) { reduce(c, [](const Tensor& x, const Ints& a, bool k) { return x.mean(a, k); }); }},
      {OpKind::ReduceMin,
       [](OpCall& c) { reduce(c, [](const Tensor& x, const Ints& a, bool k) { return at::amin(x, a, k); }); }},
      {OpKind::ReduceProd, [](OpCall& c) { reduce(c, product); }},
      {OpKind::ReduceSum,
       [](OpCall& c) { reduce(c, [](const Tensor& x, const Ints& a, bool k) { return x.sum(a, k); }); }},
      {OpKind::ReduceSumSquare,
       [](OpCall& c) { reduce(c, [](const Tensor& x, const Ints& a, bool k) { return (x * x).sum(a, k); }); }},
      {OpKind::Softmax, [](OpCall& c) { c.set(at::softmax(c.in(0), c.node.get_int("axis"))); }},
      {OpKind::TopK, top_k},
  };
  return entries;
}

}  // namespace adze::train
