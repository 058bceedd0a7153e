#include "adze/train/torch/round_gradient.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "adze/train/torch/quantize_runs.h"

namespace adze::train {

namespace {

constexpr std::int64_t piece = 1 << 14;

class RoundGradient : public torch::autograd::Function<RoundGradient> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, std::int64_t bits,
                            std::int64_t seed) {
    context->saved_data["bits"] = bits;
    context->saved_data["seed"] = seed;
    return x.view_as(x);
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const at::Tensor dy = gradients[0].to(at::kCPU, at::kFloat).contiguous(gradients[0].suggest_memory_format());
    const float largest = dy.abs().max().item<float>();
    if (!std::isfinite(largest) || largest == 0) return {gradients[0], {}, {}};
    const float top = static_cast<float>((1 << (context->saved_data["bits"].toInt() - 1)) - 1);
    const float scale = largest / top, inverse = top / largest;
    const auto seed = static_cast<std::uint64_t>(context->saved_data["seed"].toInt());
    at::Tensor rounded = at::empty_like(dy);
    const float* in = dy.data_ptr<float>();
    float* out = rounded.data_ptr<float>();
    at::parallel_for(0, dy.numel(), piece, [&](std::int64_t begin, std::int64_t end) {
      round_run(in, out, begin, end, {scale, inverse, top}, seed);
    });
    return {rounded.to(gradients[0].options()), {}, {}};
  }
};

}  // namespace

at::Tensor round_gradient(const at::Tensor& x, int bits, std::uint64_t seed) {
  return RoundGradient::apply(x, bits, static_cast<std::int64_t>(seed));
}

}  // namespace adze::train
