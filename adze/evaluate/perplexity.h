#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/evaluate/evaluate.h"

namespace adze {

/// How well a network predicts the next token.
struct PerplexityResult {
  std::int64_t tokens = 0;
  std::int64_t correct = 0;       ///< tokens that the network ranked first
  double nll = 0.0;               ///< mean negative log-likelihood of a token, in nats
  double standard_error = 0.0;    ///< of nll, over blocks of text
  Interval nll_interval;          ///< 95 %
  double perplexity = 0.0;        ///< exp(nll)
  double perplexity_error = 0.0;  ///< its standard error: perplexity · standard_error
  Interval interval;              ///< 95 %, of perplexity
  double bits_per_token = 0.0;
  std::int64_t blocks = 0;  ///< that the error was estimated from
  std::vector<BadSample> skipped;
  double seconds = 0.0;
  /// Per window in the data's order: the mean negative log-likelihood of its tokens, for paired comparisons.
  std::vector<double> window_nll;
};

/// Is this text to predict, whose samples have whole-number targets, one a token?
bool is_language_data(const Dataset& dataset);

/// Runs a network whose output is logits [N, tokens, vocabulary] over windows with targets s64 [N, tokens].
/// Neighbouring tokens are alike, so the error comes from a bootstrap over blocks of whole windows (seeded), never over
/// tokens. Throws ModelError when outputs and targets do not fit. Source  Künsch, The Jackknife and the Bootstrap for
/// General Stationary Observations, 1989
PerplexityResult evaluate_perplexity(const RunFunction& run, const Dataset& dataset,
                                     const EvaluateOptions& options = {}, ProgressSink& progress = silent_progress());

/// Two networks on the same text: B's figures against A's, window by window.
struct PerplexityComparison {
  PerplexityResult a, b;
  double ratio = 1;    ///< of the perplexities, B by A
  Interval interval;   ///< 95 %, of the ratio
  double p_value = 1;  ///< of "no difference", two-sided, by the standard error of the blocks' differences
};
PerplexityComparison compare_perplexity(const RunFunction& run_a, const RunFunction& run_b, const Dataset& data_a,
                                        const Dataset& data_b, const EvaluateOptions& options = {},
                                        ProgressSink& progress = silent_progress());

/// Mean and its standard error of means of blocks of equal weight, by resampling blocks.
struct BlockBootstrap {
  double mean = 0.0, standard_error = 0.0;
  Interval interval;  ///< 95 %, percentiles
};
BlockBootstrap block_bootstrap(std::span<const double> blocks, std::uint64_t seed, int rounds = 2000);

}  // namespace adze
