#include "adze/formats/tflite/write_window.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/base/checked.h"

namespace adze::tflite {

std::vector<std::int64_t> same_pads(const Shape& size, const std::vector<std::int64_t>& kernel,
                                    const std::vector<std::int64_t>& strides,
                                    const std::vector<std::int64_t>& dilations) {
  std::vector<std::int64_t> pads(2 * size.size(), 0);
  for (std::size_t axis = 0; axis < size.size(); ++axis) {
    const std::int64_t reach = checked_add(checked_mul(kernel[axis] - 1, dilations[axis]), 1);
    const std::int64_t steps = (size[axis] + strides[axis] - 1) / strides[axis];
    const std::int64_t total = std::max<std::int64_t>((steps - 1) * strides[axis] + reach - size[axis], 0);
    pads[axis] = total / 2;
    pads[axis + size.size()] = total - total / 2;
  }
  return pads;
}

std::vector<std::int64_t> explicit_pads(const Node& node, const Shape& nchw, const std::vector<std::int64_t>& kernel,
                                        const std::vector<std::int64_t>& strides,
                                        const std::vector<std::int64_t>& dilations) {
  const std::string automatic = node.get_string("auto_pad");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const Shape size(nchw.begin() + 2, nchw.end());
    auto pads = same_pads(size, kernel, strides, dilations);
    if (automatic == "SAME_LOWER") {
      std::rotate(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(size.size()), pads.end());
    }
    return pads;
  }
  auto pads = node.get_ints("pads");
  if (pads.empty()) pads.assign(2 * kernel.size(), 0);
  return pads;
}

void extend_pads(std::vector<std::int64_t>& pads, const Shape& nchw, const Shape& result,
                 const std::vector<std::int64_t>& kernel, const std::vector<std::int64_t>& strides) {
  const std::size_t axes = kernel.size();
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t reached = (result[axis + 2] - 1) * strides[axis] + kernel[axis];
    const std::int64_t missing = reached - nchw[axis + 2] - pads[axis] - pads[axis + axes];
    if (missing > 0) pads[axis + axes] += missing;
  }
}

namespace {

/// What PADV2 writes into the border: the lowest number of the tensor's type, in its scale.
std::int32_t lowest(Writer& w, std::int32_t like) {
  const std::string name = w.tensor(like).name + "/lowest";
  const DType dtype = w.tensor(like).dtype;
  if (!is_integer(dtype)) return w.constant(name, Tensor::scalar(std::numeric_limits<float>::lowest()));
  Tensor content(dtype, {});
  content.set_int(0, integer_min(dtype));
  const auto scale = w.tensor(like).quantization;
  return w.constant(name, std::move(content), scale);
}

}  // namespace

bool fit_padding(Writer& w, std::int32_t& input, const std::vector<std::int64_t>& kernel,
                 const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& dilations,
                 const std::vector<std::int64_t>& pads, Fill fill, bool explicit_only) {
  if (std::ranges::all_of(pads, [](std::int64_t pad) { return pad == 0; })) return false;
  const Shape given = w.tensor(input).shape;
  if (!explicit_only && pads == same_pads({given[1], given[2]}, kernel, strides, dilations)) return true;
  if (fill == Fill::None || std::ranges::any_of(pads, [](std::int64_t pad) { return pad < 0; })) {
    throw UnsupportedError(cat("pads ", shape_text(pads), " of an average pool are neither SAME nor VALID"));
  }
  const std::string name = w.tensor(input).name + "/padded";
  const std::int32_t padded =
      w.new_tensor(name, input, {given[0], given[1] + pads[0] + pads[2], given[2] + pads[1] + pads[3], given[3]});
  const Tensor amounts = Tensor::from<std::int32_t>(
      {4, 2}, {0, 0, checked_cast<std::int32_t>(pads[0]), checked_cast<std::int32_t>(pads[2]),
               checked_cast<std::int32_t>(pads[1]), checked_cast<std::int32_t>(pads[3]), 0, 0});
  const std::int32_t borders = w.constant(name + "/paddings", amounts);
  if (fill == Fill::Zero)
    w.add({.code = 34, .options_kind = 22, .version = 2}, {input, borders}, {padded});
  else
    w.add({.code = 60, .options_kind = 42, .version = 2}, {input, borders, lowest(w, input)}, {padded});
  input = padded;
  return false;
}

namespace {

/// 64 bits for activations of 16 bits, unless the network adds up in 32.
DType bias_dtype(const Writer& w, const Step& step) {
  const auto sums = w.graph().metadata.find("adze.int16_sums");
  const bool short_sums = sums != w.graph().metadata.end() && sums->second == "s32";
  const bool wide = w.graph().value(w.stored(step.node.input(0))).type.dtype == DType::S16;
  return wide && !short_sums ? DType::S64 : DType::S32;
}

}  // namespace

std::optional<std::int32_t> missing_bias(Writer& w, const Step& step, std::int64_t channels) {
  if (!step.quantized || bias_dtype(w, step) == DType::S32) return std::nullopt;
  Quantization unit = *w.quantization(step.node.input(1));
  for (float& scale : unit.scales) scale *= w.quantization(step.node.input(0))->scales[0];
  unit.zero_points.assign(unit.scales.size(), 0);
  unit.axis = 0;
  return w.constant(step.node.name + "/bias", Tensor(DType::S64, {channels}), unit);
}

std::int32_t integer_bias(Writer& w, const Step& step, ValueId bias) {
  const Quantization& x = *w.quantization(step.node.input(0));
  const Quantization& weights = *w.quantization(step.node.input(1));
  const DType dtype = bias_dtype(w, step);
  const Tensor* content = w.stored_constant(bias);
  const Quantization* own = w.quantization(bias);
  const std::int64_t channels = content->size();
  Quantization unit;
  for (const float scale : weights.scales) unit.scales.push_back(x.scales[0] * scale);
  unit.zero_points.assign(unit.scales.size(), 0);
  const auto unit_at = [&](std::int64_t i) {
    return unit.scales[unit.scales.size() == 1 ? 0 : static_cast<std::size_t>(i)];
  };
  bool same = w.stored(bias) != bias && own != nullptr && content->dtype() == DType::S32 &&
              (own->scales.size() == unit.scales.size() || own->scales.size() == 1);
  for (std::int64_t i = 0; same && i < channels; ++i) {
    const auto at = own->scales.size() == 1 ? 0 : static_cast<std::size_t>(i);
    same = own->zero_points[at] == 0 && std::abs(own->scales[at] - unit_at(i)) <= 1e-5f * unit_at(i);
  }
  const std::string& name = w.graph().value(w.stored(bias)).name;
  if (same) {
    Quantization kept = own->scales.size() == unit.scales.size() ? *own : unit;
    kept.axis = 0;
    return w.constant(name, converted(content->reshaped({channels}), dtype), kept);
  }
  const Tensor real = w.float_constant(bias);
  const double most = dtype == DType::S32 ? 2147483647.0 : std::exp2(46);
  Tensor result(dtype, {channels});
  for (std::int64_t i = 0; i < channels; ++i) {
    const double q = std::nearbyint(real.get_double(i) / static_cast<double>(unit_at(i)));
    if (!(std::abs(q) < most)) throw UnsupportedError("the bias does not fit the sums of products in their scale");
    result.set_int(i, static_cast<std::int64_t>(q));
  }
  return w.constant(name, std::move(result), unit);
}

}  // namespace adze::tflite
