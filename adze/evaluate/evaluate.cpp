#include "adze/evaluate/evaluate.h"

#include <chrono>

#include "adze/base/text.h"
#include "adze/evaluate/detail/judge.h"

namespace adze {

EvaluateResult evaluate(const RunFunction& run, const Dataset& dataset, const EvaluateOptions& options,
                        ProgressSink& progress) {
  const auto start = std::chrono::steady_clock::now();
  auto indices = sample_indices(dataset, options.samples, options.seed, options.sampling);
  ProgressPhase phase(progress, "evaluate", static_cast<std::int64_t>(indices.size()), "samples");
  BatchLoader loader(dataset, std::move(indices), {options.batch_size, options.prefetch});
  detail::Judge judge(dataset, options);
  while (const auto batch = loader.next()) {
    check_cancelled();
    judge.add(*batch, run({&batch->inputs, 1}));
    phase.advance(batch->size());
  }
  EvaluateResult result = judge.finish();
  for (const BadSample& bad : result.skipped) progress.note(cat("skipped ", bad.name, ": ", bad.reason));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace adze
