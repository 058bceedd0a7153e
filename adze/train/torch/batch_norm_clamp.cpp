#include "adze/train/torch/batch_norm_clamp.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace adze::train {

namespace {

/// Elements of one piece of work.
constexpr std::int64_t piece_elements = 1 << 15;

/// x as rows of channels, cut into pieces.
struct Rows {
  std::int64_t rows, channels, per_piece, pieces;

  explicit Rows(const at::Tensor& x)
      : rows(x.numel() / x.size(1)),
        channels(x.size(1)),
        per_piece(std::max<std::int64_t>(1, piece_elements / channels)),
        pieces((rows + per_piece - 1) / per_piece) {}

  /// work(piece, offset of its first element, its rows) for every piece.
  template <typename Work>
  void for_each(Work work) const {
    at::parallel_for(0, pieces, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = begin; k < end; ++k) {
        work(k, k * per_piece * channels, std::min(per_piece, rows - k * per_piece));
      }
    });
  }
};

/// Two sums by channel, one pair of rows a piece; the total adds pieces in their order.
class PairOfSums {
 public:
  explicit PairOfSums(const Rows& rows)
      : channels_(rows.channels), sums_(static_cast<std::size_t>(2 * rows.pieces * rows.channels)) {}
  float* first(std::int64_t piece) { return sums_.data() + 2 * piece * channels_; }
  float* second(std::int64_t piece) { return first(piece) + channels_; }

  std::vector<double> total(bool second) const {
    std::vector<double> result(static_cast<std::size_t>(channels_));
    const std::size_t step = result.size();
    for (std::size_t start = second ? step : 0; start < sums_.size(); start += 2 * step) {
      for (std::size_t c = 0; c < step; ++c) result[c] += static_cast<double>(sums_[start + c]);
    }
    return result;
  }

 private:
  std::int64_t channels_;
  std::vector<float> sums_;
};

/// What normalizing by the batch means for each channel: [factor, offset, mean, 1 / deviation] as rows of one tensor.
at::Tensor batch_affine(const at::Tensor& x, const BatchNormTensors& norm, double keep, double epsilon) {
  const Rows rows(x);
  const float* in = x.data_ptr<float>();
  PairOfSums moments(rows);
  // Squares of differences from some sample lose less than squares.
  rows.for_each([&](std::int64_t k, std::int64_t at, std::int64_t count) {
    add_moments(in + at, count, rows.channels, in, moments.first(k), moments.second(k));
  });
  const std::vector<double> sums = moments.total(false), squares = moments.total(true);
  at::Tensor result = at::empty({4, rows.channels}, at::kFloat);
  float *factor = result.data_ptr<float>(), *offset = factor + rows.channels, *mean = offset + rows.channels,
        *inverse = mean + rows.channels;
  float *kept_mean = norm.mean.data_ptr<float>(), *kept_variance = norm.variance.data_ptr<float>();
  const auto count = static_cast<double>(rows.rows);
  for (std::int64_t c = 0; c < rows.channels; ++c) {
    const double shifted = sums[static_cast<std::size_t>(c)] / count;
    const double variance = std::max(0.0, squares[static_cast<std::size_t>(c)] / count - shifted * shifted);
    const double center = shifted + static_cast<double>(in[c]);
    const double reciprocal = 1 / std::sqrt(variance + epsilon);
    const double scale = static_cast<double>(norm.scale.data_ptr<float>()[c]) * reciprocal;
    factor[c] = static_cast<float>(scale);
    offset[c] = static_cast<float>(static_cast<double>(norm.bias.data_ptr<float>()[c]) - center * scale);
    mean[c] = static_cast<float>(center);
    inverse[c] = static_cast<float>(reciprocal);
    kept_mean[c] = static_cast<float>(keep * static_cast<double>(kept_mean[c]) + (1 - keep) * center);
    kept_variance[c] = static_cast<float>(keep * static_cast<double>(kept_variance[c]) +
                                          (1 - keep) * variance * count / std::max(1.0, count - 1));
  }
  return result;
}

class BatchNormClamp : public torch::autograd::Function<BatchNormClamp> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& scale,
                            const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& variance, double keep,
                            double epsilon, double low, double high) {
    const at::Tensor by_channel = batch_affine(x, {scale, bias, mean, variance}, keep, epsilon);
    context->save_for_backward({x, by_channel});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    const Rows rows(x);
    at::Tensor y = at::empty_like(x);
    const float *in = x.data_ptr<float>(), *factor = by_channel.data_ptr<float>();
    float* out = y.data_ptr<float>();
    const Bounds bounds{static_cast<float>(low), static_cast<float>(high)};
    rows.for_each([&](std::int64_t, std::int64_t at, std::int64_t count) {
      normalize_rows(in + at, out + at, count, rows.channels, {factor, factor + rows.channels}, bounds);
    });
    return y;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &by_channel = saved[1];
    const at::Tensor dy = gradients[0].to(at::kFloat).contiguous(x.suggest_memory_format());
    const Rows rows(x);
    const float *in = x.data_ptr<float>(), *above = dy.data_ptr<float>(), *factor = by_channel.data_ptr<float>();
    const Affine affine{factor, factor + rows.channels};
    const float *mean = factor + 2 * rows.channels, *inverse = mean + rows.channels;
    const Bounds bounds{static_cast<float>(context->saved_data["low"].toDouble()),
                        static_cast<float>(context->saved_data["high"].toDouble())};
    PairOfSums partial(rows);
    rows.for_each([&](std::int64_t k, std::int64_t at, std::int64_t count) {
      add_gradients(in + at, above + at, count, rows.channels, affine, mean, bounds, partial.first(k),
                    partial.second(k));
    });
    const std::vector<double> sums = partial.total(false), products = partial.total(true);
    at::Tensor dscale = at::empty({rows.channels}, at::kFloat), dbias = at::empty({rows.channels}, at::kFloat);
    at::Tensor constant = at::empty({2, rows.channels}, at::kFloat);
    float* slope = constant.data_ptr<float>() + rows.channels;
    const auto count = static_cast<double>(rows.rows);
    for (std::int64_t c = 0; c < rows.channels; ++c) {
      const double sum = sums[static_cast<std::size_t>(c)], product = products[static_cast<std::size_t>(c)];
      const auto reciprocal = static_cast<double>(inverse[c]);
      dscale.data_ptr<float>()[c] = static_cast<float>(product * reciprocal);
      dbias.data_ptr<float>()[c] = static_cast<float>(sum);
      constant.data_ptr<float>()[c] = static_cast<float>(sum / count);
      slope[c] = static_cast<float>(product * reciprocal * reciprocal / count);
    }
    at::Tensor dx = at::empty_like(x);
    float* below = dx.data_ptr<float>();
    rows.for_each([&](std::int64_t, std::int64_t at, std::int64_t count_here) {
      propagate_rows(in + at, above + at, below + at, count_here, rows.channels, affine, mean,
                     constant.data_ptr<float>(), slope, bounds);
    });
    return {dx, dscale, dbias, {}, {}, {}, {}, {}, {}};
  }
};

bool plain(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
}

}  // namespace

bool can_batch_norm_clamp(const at::Tensor& x, const BatchNormTensors& norm) {
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat || x.numel() == 0) return false;
  if (!plain(norm.scale) || !plain(norm.bias) || !plain(norm.mean) || !plain(norm.variance)) return false;
  if (x.dim() == 2) return x.is_contiguous();
  return x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor batch_norm_clamp(const at::Tensor& x, const BatchNormTensors& norm, double keep, double epsilon,
                            Bounds bounds) {
  return BatchNormClamp::apply(x, norm.scale, norm.bias, norm.mean, norm.variance, keep, epsilon,
                               static_cast<double>(bounds.low), static_cast<double>(bounds.high));
}

}  // namespace adze::train
