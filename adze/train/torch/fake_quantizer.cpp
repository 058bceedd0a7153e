#include "adze/train/torch/fake_quantizer.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstdlib>

#include "adze/base/text.h"
#include "adze/numerics/affine.h"
#include "adze/train/torch/learned_quantize.h"
#include "adze/train/torch/tensors.h"

namespace adze::train {

namespace {

/// Share of the old range that a step keeps.
constexpr double range_decay = 0.99;

std::int64_t metadata_int(const Node& node, const char* key, std::int64_t fallback) {
  const auto found = node.metadata.find(key);
  return found == node.metadata.end() ? fallback : std::strtoll(found->second.c_str(), nullptr, 10);
}

ScaleRule rule_of(const Node& node) {
  const auto found = node.metadata.find("adze.fake_quant");
  if (found == node.metadata.end()) return ScaleRule::Fixed;
  if (found->second == "learned") return ScaleRule::Learned;
  if (found->second == "moving_average") return ScaleRule::MovingAverage;
  throw ModelError(
      cat("metadata adze.fake_quant is ", adze::quoted(found->second), ", expected learned or moving_average"));
}

}  // namespace

FakeQuantizer::FakeQuantizer(const Graph& graph, const Node& node)
    : rule_(rule_of(node)), scale_value_(node.input(1)), zero_point_value_(node.input(2)) {
  const Tensor* scales = graph.constant(scale_value_);
  const Tensor* zero_points = graph.constant(zero_point_value_);
  const bool has_zero_point = zero_point_value_ != ValueId::None;
  if (scales == nullptr || scales->dtype() != DType::F32 || (has_zero_point && zero_points == nullptr)) {
    throw UnsupportedError("quantization with scales that are computed has no gradient here");
  }
  if (node.get_int("block_size") != 0) throw UnsupportedError("quantization in blocks has no gradient here");
  const DType dtype = graph.value(node.output()).type.dtype;
  if (!is_integer(dtype) || dtype_bits(dtype) > 16) {
    throw UnsupportedError(cat("quantization to ", dtype_name(dtype), " has no gradient here"));
  }
  low_ = metadata_int(node, "adze.code_low", integer_min(dtype));
  high_ = metadata_int(node, "adze.code_high", integer_max(dtype));
  signs_ = node.metadata.contains("adze.code_signs");
  is_weight_ = graph.constant(node.input(0)) != nullptr;
  if (scales->rank() == 1 && scales->size() > 1) {
    const auto& shape = graph.value(node.input(0)).type.shape;
    const std::int64_t rank = shape ? static_cast<std::int64_t>(shape->size()) : 0;
    const std::int64_t axis = node.get_int("axis");
    axis_ = axis < 0 ? axis + rank : axis;
  }
  scale = to_torch(scales->reshaped({scales->size()}));
  zero_point = has_zero_point ? to_torch(converted(zero_points->reshaped({zero_points->size()}), DType::F32))
                              : at::zeros_like(scale);
  const bool one_zero = (zero_point == zero_point[0]).all().item<bool>();
  if (!one_zero) throw UnsupportedError("channels with zero points of their own have no gradient here");
  if (rule_ == ScaleRule::MovingAverage && !is_weight_) {
    const double s = scale[0].item<double>(), z = zero_point[0].item<double>();
    range = at::tensor({(static_cast<double>(low_) - z) * s, (static_cast<double>(high_) - z) * s}, at::kFloat);
  }
}

void FakeQuantizer::follow_weights(const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  at::Tensor magnitude = x.detach().abs();
  magnitude = axis_ ? magnitude.movedim(*axis_, 0).reshape({scale.size(0), -1}) : magnitude.reshape({1, -1});
  magnitude = signs_ ? magnitude.mean(1) : magnitude.amax(1);
  scale.copy_(at::where(magnitude > 0, magnitude / static_cast<double>(high_), scale));
}

void FakeQuantizer::follow_activations(const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  const auto [low, high] = at::aminmax(x.detach());
  const at::Tensor now = at::stack({low, high}).to(at::kFloat);
  range.copy_(range * range_decay + now * (1 - range_decay));
  const IntegerGrid grid{DType::S16, static_cast<std::int32_t>(low_), static_cast<std::int32_t>(high_), false};
  const AffineScale affine = scale_for_range(range[0].item<double>(), range[1].item<double>(), grid);
  scale.fill_(affine.scale);
  zero_point.fill_(affine.zero_point);
}

void FakeQuantizer::share(const FakeQuantizer& other) {
  scale = other.scale;
  zero_point = other.zero_point;
  range = other.range;
  log_domain_ = other.log_domain_;
  follows_ = false;
}

at::Tensor FakeQuantizer::quantize(const at::Tensor& x, double gradient_factor, Bounds bounds) const {
  const auto zero = static_cast<std::int64_t>(zero_point[0].item<float>());
  const at::Tensor step = log_domain_ ? scale.exp() : scale;
  if (signs_) return binarize(x, step, gradient_factor);
  return learned_quantize(x, step, axis_, low_ - zero, high_ - zero, gradient_factor, bounds);
}

/// Value: sign · step. Gradient: x's own, and the step's as LSQ has it outside the range, sign · gradient_factor.
at::Tensor FakeQuantizer::binarize(const at::Tensor& x, const at::Tensor& step, double gradient_factor) const {
  const at::Tensor wide = x.to(at::kFloat), sign = at::where(wide.detach() < 0, -1.0F, 1.0F);
  std::vector<std::int64_t> along(static_cast<std::size_t>(x.dim()), 1);
  if (axis_) along[static_cast<std::size_t>(*axis_)] = x.size(*axis_);
  const at::Tensor each = step.reshape(along);
  const at::Tensor value = sign * each.detach();
  return value + (wide - wide.detach()) + sign * (each - each.detach()) * gradient_factor;
}

void FakeQuantizer::learn_logarithm() {
  const at::NoGradGuard no_grad;
  log_domain_ = true;
  scale = scale.log();
}

at::Tensor FakeQuantizer::step() const {
  return log_domain_ ? scale.detach().exp() : scale.detach();
}

at::Tensor FakeQuantizer::operator()(const at::Tensor& x, const RunMode& mode, Bounds bounds) {
  if (rule_ == ScaleRule::MovingAverage && follows_) {
    if (is_weight_) {
      follow_weights(x);
    } else if (mode.training) {
      follow_activations(x);
    }
  }
  if (rule_ != ScaleRule::Learned) return quantize(x, 0, unbounded);
  if (log_domain_) return quantize(x, 1, bounds);
  // LSQ's gradient scale: 1 / sqrt(numbers that share the step · largest code). For activations a sample's numbers.
  const double sharing = static_cast<double>(x.numel()) / static_cast<double>(is_weight_ ? scale.size(0) : x.size(0));
  return quantize(x, 1 / std::sqrt(std::max(1.0, sharing) * static_cast<double>(high_ - low_) / 2), bounds);
}

}  // namespace adze::train
