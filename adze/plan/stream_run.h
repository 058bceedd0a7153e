#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "adze/plan/plan.h"

namespace adze {

/// What a stage computes in one call, as the emitted scheduler hands it over.
struct RowBand {
  std::int64_t row = 0, rows = 0;      ///< of the output
  std::int64_t from = 0, in_rows = 0;  ///< of the inputs: the first that lies at `in`, and how many
  std::int64_t pad_top = 0;            ///< rows of padding before that
  std::vector<const std::byte*> in;    ///< by operand of the form
  std::byte* out = nullptr;
};

/// Runs a group of a plan in its arena: plain C++, the measure of the emitted scheduler. The tensors that come in must
/// lie there.
void run_rows(const Plan& plan, const RowGroup& group, std::span<std::byte> arena,
              const std::function<void(const RowStage& stage, const RowBand& band)>& compute);

}  // namespace adze
