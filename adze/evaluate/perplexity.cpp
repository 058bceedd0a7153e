#include "adze/evaluate/perplexity.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>

#include "adze/base/error.h"
#include "adze/base/random.h"
#include "adze/base/text.h"

namespace adze {

namespace {

// A block is long enough that what lies in different blocks hardly depends on each other, yet there are some left.
constexpr std::int64_t tokens_a_block = 1024;
constexpr std::size_t least_blocks = 30;

/// −ln of the softmax share of the target.
double token_nll(std::span<const float> logits, std::int64_t target) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - largest);
  return largest + std::log(sum) - double{logits[static_cast<std::size_t>(target)]};
}

class Judge {
 public:
  explicit Judge(std::int64_t output) : output_(static_cast<std::size_t>(output)) {}

  void add(const Batch& batch, const std::vector<Tensor>& outputs) {
    if (output_ >= outputs.size()) throw UsageError(cat("the network has no output ", output_));
    if (!batch.targets || !is_integer(batch.targets->dtype())) {
      throw ModelError("perplexity: the data have no next tokens as targets", {}, "use text: a .txt file");
    }
    const Tensor& logits = outputs[output_];
    const Tensor targets = converted(*batch.targets, DType::S64);
    const bool fits = logits.dtype() == DType::F32 && logits.rank() == 3 && targets.rank() == 2 &&
                      logits.dim(0) == targets.dim(0) && logits.dim(1) == targets.dim(1) && logits.dim(2) > 0;
    if (!fits) {
      throw ModelError(cat("perplexity: the network gives ", type_text(logits), " for targets ", type_text(targets),
                           "; expected logits f32[windows, tokens, vocabulary]"));
    }
    add_windows(logits.data<float>(), targets.data<std::int64_t>(), logits.shape());
  }

  PerplexityResult result;

 private:
  void add_windows(std::span<const float> logits, std::span<const std::int64_t> targets, const Shape& shape) {
    const auto vocabulary = static_cast<std::size_t>(shape[2]), tokens = static_cast<std::size_t>(shape[1]);
    for (std::size_t window = 0; window < static_cast<std::size_t>(shape[0]); ++window) {
      double sum = 0;
      for (std::size_t i = window * tokens; i < (window + 1) * tokens; ++i) {
        if (targets[i] < 0 || targets[i] >= shape[2]) {
          throw ModelError(cat("perplexity: token ", targets[i], " in the text, but the network knows ", shape[2]));
        }
        const auto scores = logits.subspan(i * vocabulary, vocabulary);
        sum += token_nll(scores, targets[i]);
        result.correct += argmax(scores) == targets[i];
      }
      result.tokens += shape[1];
      result.window_nll.push_back(sum / static_cast<double>(tokens));
    }
  }

  std::size_t output_;
};

/// Means of blocks of neighbouring windows; a rest that fills no block joins the last one.
std::vector<double> block_means(const std::vector<double>& windows, std::int64_t tokens_a_window) {
  const auto wanted = static_cast<std::size_t>((tokens_a_block + tokens_a_window - 1) / tokens_a_window);
  const std::size_t length = std::clamp<std::size_t>(windows.size() / least_blocks, 1, wanted);
  std::vector<double> means;
  for (std::size_t begin = 0; begin + length <= windows.size(); begin += length) {
    const std::size_t end = begin + 2 * length > windows.size() ? windows.size() : begin + length;
    const double sum = std::accumulate(windows.begin() + static_cast<std::ptrdiff_t>(begin),
                                       windows.begin() + static_cast<std::ptrdiff_t>(end), 0.0);
    means.push_back(sum / static_cast<double>(end - begin));
  }
  return means;
}

}  // namespace

BlockBootstrap block_bootstrap(std::span<const double> blocks, std::uint64_t seed, int rounds) {
  BlockBootstrap result;
  if (blocks.empty() || rounds < 1) return result;
  const auto count = static_cast<double>(blocks.size());
  result.mean = std::accumulate(blocks.begin(), blocks.end(), 0.0) / count;
  Random random(seed);
  std::vector<double> means;
  double squares = 0;
  for (int round = 0; round < rounds; ++round) {
    double sum = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) sum += blocks[random.below(blocks.size())];
    means.push_back(sum / count);
    squares += (means.back() - result.mean) * (means.back() - result.mean);
  }
  std::sort(means.begin(), means.end());
  // Resampling n blocks shows (n − 1) / n of the variance.
  const double correction = blocks.size() > 1 ? count / (count - 1) : 1.0;
  result.standard_error = std::sqrt(squares / rounds * correction);
  const auto quantile = [&](double share) {
    return means[static_cast<std::size_t>(std::lround(share * static_cast<double>(means.size() - 1)))];
  };
  result.interval = {quantile(0.025), quantile(0.975)};
  return result;
}

bool is_language_data(const Dataset& dataset) {
  return dataset.metadata().contains("adze.vocabulary");
}

PerplexityResult evaluate_perplexity(const RunFunction& run, const Dataset& dataset, const EvaluateOptions& options,
                                     ProgressSink& progress) {
  const auto start = std::chrono::steady_clock::now();
  auto indices = sample_indices(dataset, options.samples, options.seed, Sampling::Random);
  ProgressPhase phase(progress, "evaluate", static_cast<std::int64_t>(indices.size()), "windows");
  BatchLoader loader(dataset, std::move(indices), {.batch_size = options.batch_size, .prefetch = options.prefetch});
  Judge judge(options.output);
  while (const auto batch = loader.next()) {
    check_cancelled();
    judge.add(*batch, run({&batch->inputs, 1}));
    phase.advance(batch->size());
  }
  PerplexityResult result = std::move(judge.result);
  result.skipped = dataset.bad_samples();
  if (result.tokens == 0) throw ModelError("perplexity: there is no text to judge");
  const auto windows = static_cast<std::int64_t>(result.window_nll.size());
  const std::vector<double> blocks = block_means(result.window_nll, result.tokens / windows);
  const BlockBootstrap bootstrap = block_bootstrap(blocks, options.seed);
  result.nll = std::accumulate(result.window_nll.begin(), result.window_nll.end(), 0.0) / static_cast<double>(windows);
  result.standard_error = bootstrap.standard_error;
  result.nll_interval = bootstrap.interval;
  result.perplexity = std::exp(result.nll);
  result.perplexity_error = result.perplexity * result.standard_error;
  result.interval = {std::exp(bootstrap.interval.low), std::exp(bootstrap.interval.high)};
  result.bits_per_token = result.nll / std::numbers::ln2;
  result.blocks = static_cast<std::int64_t>(blocks.size());
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

PerplexityComparison compare_perplexity(const RunFunction& run_a, const RunFunction& run_b, const Dataset& data_a,
                                        const Dataset& data_b, const EvaluateOptions& options, ProgressSink& progress) {
  PerplexityComparison result;
  result.a = evaluate_perplexity(run_a, data_a, options, progress);
  result.b = evaluate_perplexity(run_b, data_b, options, progress);
  if (result.a.window_nll.size() != result.b.window_nll.size() || result.a.tokens != result.b.tokens) {
    throw UsageError(cat("the networks read ", result.a.window_nll.size(), " and ", result.b.window_nll.size(),
                         " windows of the text"),
                     "compare networks of the same context");
  }
  std::vector<double> differences(result.a.window_nll.size());
  for (std::size_t i = 0; i < differences.size(); ++i) differences[i] = result.b.window_nll[i] - result.a.window_nll[i];
  const auto windows = static_cast<std::int64_t>(differences.size());
  const BlockBootstrap bootstrap = block_bootstrap(block_means(differences, result.a.tokens / windows), options.seed);
  result.ratio = std::exp(result.b.nll - result.a.nll);
  result.interval = {std::exp(bootstrap.interval.low), std::exp(bootstrap.interval.high)};
  const double distance = result.b.nll - result.a.nll;
  result.p_value = bootstrap.standard_error > 0
                       ? std::erfc(std::abs(distance) / bootstrap.standard_error / std::numbers::sqrt2)
                       : (distance == 0 ? 1.0 : 0.0);
  return result;
}

}  // namespace adze
