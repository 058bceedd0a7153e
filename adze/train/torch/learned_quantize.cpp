#include "adze/train/torch/learned_quantize.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "adze/train/torch/quantize_runs.h"

namespace adze::train {

namespace {

/// How elements share scales: `outer` runs of `channels` pieces of `inner` neighbouring elements.
struct Layout {
  std::int64_t outer = 1, channels = 1, inner = 1;
};

Layout layout_of(const at::Tensor& x, std::int64_t axis) {
  Layout layout;
  if (axis < 0) {
    layout.inner = x.numel();
    return layout;
  }
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    (i < axis ? layout.outer : i == axis ? layout.channels : layout.inner) *= x.size(i);
  }
  return layout;
}

/// Elements of one piece of work: sums of pieces do not depend on the number of threads.
constexpr std::int64_t piece = 1 << 14;

class LearnedQuantize : public torch::autograd::Function<LearnedQuantize> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given, const at::Tensor& scale,
                            std::int64_t axis, std::int64_t low, std::int64_t high, double gradient_factor,
                            Bounds bounds) {
    const at::Tensor x = given.contiguous(axis <= 0 ? given.suggest_memory_format() : at::MemoryFormat::Contiguous);
    context->save_for_backward({x, scale});
    context->saved_data["axis"] = axis;
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    context->saved_data["factor"] = gradient_factor;
    context->saved_data["lowest"] = static_cast<double>(bounds.low);
    context->saved_data["highest"] = static_cast<double>(bounds.high);
    at::Tensor y = at::empty_like(x);
    const Layout layout = layout_of(x, axis);
    const Bounds codes{static_cast<float>(low), static_cast<float>(high)};
    const float *in = x.data_ptr<float>(), *scales = scale.data_ptr<float>();
    float* out = y.data_ptr<float>();
    const std::int64_t pieces = (layout.inner + piece - 1) / piece;
    at::parallel_for(0, layout.outer * layout.channels * pieces, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = begin; k < end; ++k) {
        const std::int64_t run = k / pieces, start = k % pieces * piece, at = run * layout.inner + start;
        quantize_run(in + at, out + at, std::min(piece, layout.inner - start), scales[run % layout.channels], codes,
                     bounds);
      }
    });
    return y;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &scale = saved[1];
    const at::Tensor dy = gradients[0].to(at::kFloat).contiguous(x.suggest_memory_format());
    const Layout layout = layout_of(x, context->saved_data["axis"].toInt());
    const Bounds codes{static_cast<float>(context->saved_data["low"].toInt()),
                       static_cast<float>(context->saved_data["high"].toInt())};
    const Bounds bounds{static_cast<float>(context->saved_data["lowest"].toDouble()),
                        static_cast<float>(context->saved_data["highest"].toDouble())};
    at::Tensor dx = at::empty_like(x), dscale = at::zeros_like(scale);
    const float *in = x.data_ptr<float>(), *above = dy.data_ptr<float>(), *scales = scale.data_ptr<float>();
    float* below = dx.data_ptr<float>();
    const std::int64_t pieces = (layout.inner + piece - 1) / piece, runs = layout.outer * layout.channels;
    std::vector<double> sums(static_cast<std::size_t>(runs * pieces));
    at::parallel_for(0, runs * pieces, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = begin; k < end; ++k) {
        const std::int64_t run = k / pieces, start = k % pieces * piece, at = run * layout.inner + start;
        sums[static_cast<std::size_t>(k)] =
            quantize_gradient_run(in + at, above + at, below + at, std::min(piece, layout.inner - start),
                                  scales[run % layout.channels], codes, bounds);
      }
    });
    std::vector<double> totals(static_cast<std::size_t>(layout.channels));
    for (std::size_t k = 0; k < sums.size(); ++k) {
      totals[static_cast<std::size_t>(static_cast<std::int64_t>(k) / pieces % layout.channels)] += sums[k];
    }
    const double factor = context->saved_data["factor"].toDouble();
    for (std::size_t c = 0; c < totals.size(); ++c) {
      dscale.data_ptr<float>()[c] = static_cast<float>(totals[c] * factor);
    }
    return {dx, dscale, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor learned_quantize(const at::Tensor& x, const at::Tensor& scale, std::optional<std::int64_t> axis,
                            std::int64_t low, std::int64_t high, double gradient_factor, Bounds bounds) {
  if (!x.device().is_cpu()) {
    // On other devices libtorch's own, which multiplies by the reciprocal.
    const at::Tensor none = at::zeros_like(scale), kept = at::hardtanh(x, bounds.low, bounds.high);
    if (axis) {
      return at::_fake_quantize_learnable_per_channel_affine(kept, scale, none, *axis, low, high, gradient_factor);
    }
    return at::_fake_quantize_learnable_per_tensor_affine(kept, scale, none, low, high, gradient_factor);
  }
  return LearnedQuantize::apply(x.to(at::kFloat), scale, axis.value_or(-1), low, high, gradient_factor, bounds);
}

}  // namespace adze::train
