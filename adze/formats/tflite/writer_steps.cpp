// How the writer adds operators, and what follows them: activations, clamps, other scales.
#include <cmath>

#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

namespace {

constexpr Emission quantize = {.code = 114, .options_kind = 89};

Emission activation_emission(Activation activation) {
  switch (activation) {
    case Activation::Relu:
      return {.code = 19};
    case Activation::ReluN1To1:
      return {.code = 20};
    case Activation::Relu6:
      return {.code = 21};
    default:
      throw InternalError("no operator for the activation");
  }
}

}  // namespace

void Writer::add(const Emission& emission, std::vector<std::int32_t> inputs, std::vector<std::int32_t> outputs,
                 Activation activation) {
  OutputOperator op;
  op.code = emission.code;
  op.version = emission.version;
  op.inputs = std::move(inputs);
  op.outputs = std::move(outputs);
  op.options.kind = emission.options_kind;
  if (emission.options_kind != 0) op.options.table = flat_table();
  for (const auto& [number, bytes] : emission.fields) op.options.table->fields[number] = bytes;
  if (activation != Activation::None) {
    op.options.table->scalar(emission.activation_field, static_cast<std::int8_t>(activation));
  }
  model_.operators.push_back(std::move(op));
}

void Writer::alias(const Step& step, std::int32_t tensor_index, bool last) {
  const Target& target = step.targets.at(0);
  if (rank(target.raw) != 4) last = false;
  const bool plain = target.result == target.raw && !target.clip && target.activation == Activation::None;
  if (plain) {
    tensors_[{target.result, last}] = tensor_index;
    last_[target.result] = last;
    return;
  }
  end(target, tensor_index, last, step.quantized, target.activation);
}

/// The tensor is named by end().
std::int32_t Writer::begin(const Target& target, bool last, bool quantized, const std::optional<Quantization>& own) {
  const ValueId described = quantized ? target.result : target.raw;
  OutputTensor result;
  result.dtype = graph_.value(described).type.dtype;
  result.shape = shape_in_file(target.raw, last);
  result.open_batch = open_.contains(target.raw);
  if (own && is_integer(result.dtype)) {
    result.quantization = *own;
  } else if (const auto found = quantizations_.find(described); found != quantizations_.end()) {
    result.quantization = found->second;
  }
  model_.tensors.push_back(std::move(result));
  return static_cast<std::int32_t>(model_.tensors.size()) - 1;
}

void Writer::clamp(const Target& target, std::int32_t from, std::int32_t to) {
  const auto bound = [&](float value, const char* name) {
    if (!tensor(from).quantization) return constant(cat(tensor(to).name, name), Tensor::scalar(value));
    const Quantization scale = *tensor(from).quantization;
    const double exact =
        std::round(static_cast<double>(value / scale.scales[0])) + static_cast<double>(scale.zero_points[0]);
    Tensor content(tensor(from).dtype, {});
    const auto low = static_cast<double>(integer_min(content.dtype()));
    const auto high = static_cast<double>(integer_max(content.dtype()));
    content.set_int(0, static_cast<std::int64_t>(exact < low ? low : exact > high ? high : exact));
    return constant(cat(tensor(to).name, name), std::move(content), scale);
  };
  const auto [low, high] = *target.clip;
  std::int32_t at = from;
  if (std::isfinite(low)) {
    const std::int32_t next =
        std::isfinite(high) ? new_tensor(cat(tensor(to).name, "/low"), from, tensor(to).shape) : to;
    add({.code = 55, .options_kind = 39}, {at, bound(low, "/min")}, {next});
    at = next;
  }
  if (std::isfinite(high)) add({.code = 57, .options_kind = 39}, {at, bound(high, "/max")}, {to});
}

void Writer::end(const Target& target, std::int32_t from, bool last, bool quantized, Activation activation) {
  std::int32_t at = from;
  const std::string name = graph_.value(target.result).name;
  const Quantization* wanted = nullptr;
  if (target.result != target.raw) wanted = quantization(target.result);
  const bool to_integers = wanted != nullptr && is_integer(graph_.value(target.result).type.dtype);
  if (quantized && to_integers) at = rescaled(at, *wanted);
  if (activation != Activation::None) {
    const std::int32_t next = new_tensor(cat(name, "/activated"), at, tensor(at).shape);
    add(activation_emission(activation), {at}, {next});
    at = next;
  }
  if (target.clip && (std::isfinite(target.clip->first) || std::isfinite(target.clip->second))) {
    const std::int32_t next = new_tensor(cat(name, "/clipped"), at, tensor(at).shape);
    clamp(target, at, next);
    at = next;
  }
  if (!quantized && to_integers) {
    const std::int32_t next = new_tensor(cat(name, "/quantized"), at, tensor(at).shape);
    tensor(next).dtype = graph_.value(target.result).type.dtype;
    tensor(next).quantization = *wanted;
    add(quantize, {at}, {next});
    at = next;
  }
  // The tensor that ends the chain takes the value's name.
  if (tensor(at).name.empty() || at != from) tensor(at).name = fresh(name);
  if (tensor(from).name.empty()) tensor(from).name = fresh(cat(graph_.value(target.raw).name, "/unclipped"));
  tensors_[{target.result, last}] = at;
  last_[target.result] = last;
}

void Writer::finish_many(const Step& step, const Emission& emission, std::vector<std::int32_t> inputs, bool last,
                         const std::optional<Quantization>& own) {
  std::vector<std::int32_t> outputs;
  const auto propagated = [&](const Target& target) -> std::optional<Quantization> {
    if (own) return own;
    // Movement of stored integers, without a DequantizeLinear before it, keeps their scale.
    const auto& given = tensor(inputs.at(0)).quantization;
    if (step.quantized || !given || !is_integer(graph_.value(target.raw).type.dtype)) return std::nullopt;
    const Quantization kept = *given;
    if (kept.scales.size() == 1) quantizations_.emplace(target.raw, kept);
    return std::nullopt;
  };
  for (const Target& target : step.targets) {
    const bool lies_last = last && rank(target.raw) == 4;
    const auto scale = propagated(target);
    outputs.push_back(begin(target, lies_last, step.quantized, scale));
  }
  const bool fuses = emission.activation_field >= 0 && step.targets.size() == 1 &&
                     (!step.quantized || !own || *quantization(step.targets[0].result) == *own);
  add(emission, std::move(inputs), outputs, fuses ? step.targets[0].activation : Activation::None);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Target& target = step.targets[i];
    end(target, outputs[i], last && rank(target.raw) == 4, step.quantized,
        fuses ? Activation::None : target.activation);
  }
}

void Writer::finish(const Step& step, const Emission& emission, std::vector<std::int32_t> inputs, bool last,
                    const std::optional<Quantization>& own) {
  if (step.targets.size() != 1) throw UnsupportedError("only its first output can be written");
  finish_many(step, emission, std::move(inputs), last, own);
}

}  // namespace adze::tflite
