#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "adze/graph/graph.h"
#include "adze/train/torch/op_call.h"

namespace adze::train {

/// How the scale of a fake quantizer comes about: metadata "adze.fake_quant" of the QuantizeLinear.
enum class ScaleRule : std::uint8_t {
  Fixed,          ///< as the graph says
  Learned,        ///< a parameter with LSQ's gradient and gradient scale: Esser et al., arXiv:1902.08153
  MovingAverage,  ///< from the range seen: of weights now, of activations by moving average (Jacob et al.,
                  ///< arXiv:1712.05877)
};

/// A QuantizeLinear and DequantizeLinear in one, with the straight-through estimator: the gradient passes where the
/// value lies within the codes' range and is 0 outside. Codes are those of the dtype, or "adze.code_low" to
/// "adze.code_high" of the node's metadata; with "adze.code_signs" they are -1 and 1, and the gradient passes
/// everywhere (Courbariaux et al., BinaryConnect, arXiv:1511.00363; the mean magnitude as scale: Rastegari et al.,
/// XNOR-Net, arXiv:1603.05279).
class FakeQuantizer {
 public:
  /// Throws UnsupportedError for blocks, for types beyond 16 bits and for scales that are not constants.
  FakeQuantizer(const Graph& graph, const Node& node);

  /// bounds: of a Relu or Clip before it; only where scales are learned (takes_bounds).
  at::Tensor operator()(const at::Tensor& x, const RunMode& mode, Bounds bounds = unbounded);
  bool takes_bounds() const { return rule_ == ScaleRule::Learned && !signs_; }
  /// From now on `scale` holds the logarithm of the scale: steps of an optimizer that scales gradients away (Adam) are
  /// then relative to it. Jain et al., Trained Quantization Thresholds, arXiv:1903.08066.
  void learn_logarithm();
  /// The scale itself, detached.
  at::Tensor step() const;
  /// Uses the other's scale, zero point and range, which that one follows alone.
  void share(const FakeQuantizer& other);

  ScaleRule rule() const { return rule_; }
  ValueId scale_value() const { return scale_value_; }
  ValueId zero_point_value() const { return zero_point_value_; }
  bool per_channel() const { return axis_.has_value(); }
  /// f32 [1] or [channels]; and the zero points in f32, [1] or [channels].
  at::Tensor scale, zero_point;
  /// MovingAverage of activations: lowest and highest value, f32 [2]; undefined otherwise.
  at::Tensor range;

 private:
  void follow_weights(const at::Tensor& x);
  void follow_activations(const at::Tensor& x);
  at::Tensor quantize(const at::Tensor& x, double gradient_factor, Bounds bounds) const;
  at::Tensor binarize(const at::Tensor& x, const at::Tensor& step, double gradient_factor) const;

  ScaleRule rule_ = ScaleRule::Fixed;
  ValueId scale_value_ = ValueId::None, zero_point_value_ = ValueId::None;
  std::optional<std::int64_t> axis_;
  std::int64_t low_ = -128, high_ = 127;
  bool is_weight_ = false;
  bool signs_ = false;
  bool follows_ = true;
  bool log_domain_ = false;
};

}  // namespace adze::train
