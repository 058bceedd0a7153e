#include "adze/emit/c/walk.h"

#include <algorithm>

#include "adze/base/text.h"
#include "adze/numerics/quantized_arithmetic.h"
#include "adze/plan/integer_parameters.h"

namespace adze::emit {

namespace {

std::vector<std::int64_t> broadcast_strides(const Shape& own, const Shape& result) {
  std::vector<std::int64_t> strides(result.size(), 0);
  std::int64_t step = 1;
  for (std::size_t i = own.size(); i-- > 0;) {
    const std::size_t at = result.size() - own.size() + i;
    if (own[i] != 1) strides[at] = step;
    step *= own[i];
  }
  return strides;
}

std::string list_text(const std::vector<std::int64_t>& values) {
  std::string text = "{";
  for (std::size_t i = 0; i < values.size(); ++i) text += cat(i == 0 ? "" : ", ", values[i]);
  return text + "}";
}

}  // namespace

std::string row_elements(const LayerWriter& writer) {
  const Shape shape = writer.output_shape();
  return shape.size() < 2 || shape[1] == 0 ? std::string() : cat(", ", num_elements(shape) / shape[1]);
}

BinaryRequantize binary_requantize(const Node& node, int fraction_bits) {
  const float a = left_affine(node).scale, b = right_affine(node).scale, y = output_affine(node).scale;
  const RoundingProfile profile = rounding_of(node);
  if (node.kind == OpKind::QMul) return {{}, {}, make_product_requantize(profile, a, b, y)};
  const double common = 2.0 * static_cast<double>(std::max(a, b));
  return {make_requantize(profile, static_cast<double>(a) / common),
          make_requantize(profile, static_cast<double>(b) / common),
          make_requantize(profile, common / ((1 << fraction_bits) * static_cast<double>(y)))};
}

std::string Walk::text() const {
  return cat(list_text(dims), ", ", list_text(a), ", ", list_text(b));
}

Walk walk_of(const LayerWriter& writer) {
  const Shape result = writer.output_shape();
  const auto as = broadcast_strides(writer.shape(0), result), bs = broadcast_strides(writer.shape(1), result);
  Walk walk;
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i] == 1) continue;
    const bool joins = !walk.dims.empty() && walk.a.back() == as[i] * result[i] && walk.b.back() == bs[i] * result[i];
    if (joins) {
      walk.dims.back() *= result[i];
      walk.a.back() = as[i];
      walk.b.back() = bs[i];
    } else {
      walk.dims.push_back(result[i]);
      walk.a.push_back(as[i]);
      walk.b.push_back(bs[i]);
    }
  }
  if (walk.dims.size() > 4) writer.refuse("operands that broadcast over more than four dimensions");
  while (walk.dims.size() < 4) {
    walk.dims.insert(walk.dims.begin(), 1);
    walk.a.insert(walk.a.begin(), 0);
    walk.b.insert(walk.b.begin(), 0);
  }
  return walk;
}

MeanWalk mean_walk(const LayerWriter& writer) {
  const Node& node = writer.node();
  const Shape x = writer.shape(0);
  std::vector<bool> reduced(x.size(), false);
  for (const std::int64_t axis : node.get_ints("axes")) reduced[stored_axis(node, axis, x.size())] = true;
  MeanWalk walk;
  int phase = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 1) continue;
    if (reduced[i]) {
      if (phase == 2) writer.refuse("a mean over dimensions that do not lie together");
      phase = 1;
      walk.count *= x[i];
    } else {
      if (phase == 1) phase = 2;
      (phase == 0 ? walk.outer : walk.columns) *= x[i];
    }
  }
  return walk;
}

Channel mean_channel(RoundingProfile profile, const Affine& x, const Affine& y, std::int64_t count) {
  Channel by;
  if (profile == RoundingProfile::Onnx) return by;
  const FixedMultiplier fixed = quantize_multiplier(static_cast<double>(x.scale) / static_cast<double>(y.scale));
  int shift = 0;
  while (count >> (shift + 1) != 0) ++shift;
  shift = std::min({shift, 32, 31 + fixed.shift});
  by.multiplier = static_cast<std::int32_t>((std::int64_t{fixed.multiplier} << shift) / count);
  by.shift = fixed.shift - shift;
  return by;
}

}  // namespace adze::emit
