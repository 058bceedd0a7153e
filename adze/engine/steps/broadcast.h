#pragma once

#include <cstdint>
#include <vector>

#include "adze/numerics/shape.h"

namespace adze::engine {

/// The loops of a broadcasting operator on two operands, neighbouring dimensions of the same kind merged. The innermost
/// one (length() elements, an operand's step 1 or 0) is the caller's.
class BroadcastLoop {
 public:
  BroadcastLoop(const Shape& a, const Shape& b, const Shape& y);

  std::int64_t rows() const { return rows_; }  ///< how often the innermost loop runs
  std::int64_t length() const { return length_; }
  std::int64_t a_step() const { return a_step_; }
  std::int64_t b_step() const { return b_step_; }

  /// Calls row(offset in a, offset in b, offset in y) for rows [begin, end).
  template <typename Row>
  void run(std::int64_t begin, std::int64_t end, Row row) const {
    for (std::int64_t r = begin; r < end; ++r) {
      std::int64_t rest = r, at_a = 0, at_b = 0;
      for (std::size_t d = outer_.size(); d-- > 0;) {
        const std::int64_t index = rest % outer_[d].size;
        rest /= outer_[d].size;
        at_a += index * outer_[d].a_stride;
        at_b += index * outer_[d].b_stride;
      }
      row(at_a, at_b, r * length_);
    }
  }

 private:
  struct Dimension {
    std::int64_t size, a_stride, b_stride;
  };
  std::vector<Dimension> outer_;
  std::int64_t rows_ = 1, length_ = 1, a_step_ = 1, b_step_ = 1;
};

}  // namespace adze::engine
