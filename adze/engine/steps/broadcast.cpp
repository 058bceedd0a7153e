#include "adze/engine/steps/broadcast.h"

namespace adze::engine {

namespace {

/// Strides of an operand along the output's dimensions; 0 where it is repeated.
Shape operand_strides(const Shape& operand, const Shape& y) {
  const Shape own = row_major_strides(operand);
  Shape strides(y.size(), 0);
  const std::size_t lead = y.size() - operand.size();
  for (std::size_t i = 0; i < operand.size(); ++i) {
    if (operand[i] != 1) strides[lead + i] = own[i];
  }
  return strides;
}

}  // namespace

BroadcastLoop::BroadcastLoop(const Shape& a, const Shape& b, const Shape& y) {
  const Shape a_strides = operand_strides(a, y), b_strides = operand_strides(b, y);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i] == 1) continue;
    const Dimension next{y[i], a_strides[i], b_strides[i]};
    // The dimension before continues where this one ends: one longer loop.
    if (!outer_.empty() && outer_.back().a_stride == next.a_stride * next.size &&
        outer_.back().b_stride == next.b_stride * next.size) {
      outer_.back() = {outer_.back().size * next.size, next.a_stride, next.b_stride};
    } else {
      outer_.push_back(next);
    }
  }
  if (outer_.empty()) return;
  length_ = outer_.back().size;
  a_step_ = outer_.back().a_stride;
  b_step_ = outer_.back().b_stride;
  outer_.pop_back();
  for (const Dimension& dimension : outer_) rows_ *= dimension.size;
}

}  // namespace adze::engine
