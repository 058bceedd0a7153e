#pragma once

#include "adze/engine/kernels/conv_s8/conv_s8.h"
#include "tests/kernels/support.h"

namespace adze::kernel_test {

/// A random product of bytes: rows in fours, side by side or anywhere, stretches or single quads, any tail.
class GemmS8Problem {
 public:
  GemmS8Problem(Random& random, std::int64_t most_rows, std::int64_t most_columns, std::int64_t most_quads);

  /// What the kernel makes of it; tiles_together: 0 for as many as gemm_s8_scratch() says.
  std::vector<std::uint8_t> run(kernels::GemmS8 kernel, std::int64_t tiles_together = 0) const;
  /// The sums as they are, in place of bytes.
  std::vector<std::int32_t> run_sums(kernels::GemmS8 kernel, std::int64_t tiles_together = 0) const;
  std::string describe() const;
  std::int64_t row_count() const { return static_cast<std::int64_t>(rows_.size()); }

 private:
  void run(kernels::GemmS8 kernel, std::int64_t tiles_together, std::uint8_t* y, std::int32_t* sums) const;
  void place_rows(Random& random, std::int64_t row_count);
  void place_quads(Random& random, std::int64_t quads);
  void make_tail(Random& random);

  std::int64_t columns_, stride_, step_;
  bool in_fours_;
  Tensor x_, w_;
  std::vector<const std::uint8_t*> rows_;
  std::vector<std::int32_t> offsets_, bias_, multiplier_, shift_;
  std::vector<std::int32_t> row_terms_;  ///< of each row, or none
  std::vector<float> scale_;
  kernels::OutputStage stage_;
};

}  // namespace adze::kernel_test
