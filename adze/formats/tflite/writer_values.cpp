// What the writer knows of the graph's values, and the tensors that stand for them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

ValueId Writer::stored(ValueId value) const {
  const Node* producer = graph_.producer_of(value);
  return producer != nullptr && producer->kind == OpKind::DequantizeLinear ? producer->input(0) : value;
}

const Quantization* Writer::quantization(ValueId value) const {
  const auto found = quantizations_.find(stored(value));
  return found == quantizations_.end() ? nullptr : &found->second;
}

const Shape& Writer::shape(ValueId value) const {
  const auto found = shapes_.find(value);
  if (found == shapes_.end()) {
    throw UnsupportedError(cat("the shape of ", adze::quoted(graph_.value(value).name), " is not known"));
  }
  return found->second;
}

const Tensor* Writer::stored_constant(ValueId value) const {
  return graph_.constant(stored(value));
}

Tensor Writer::float_constant(ValueId value) const {
  const Tensor* content = stored_constant(value);
  if (content == nullptr) throw UnsupportedError(cat(adze::quoted(graph_.value(value).name), " must be a constant"));
  if (stored(value) == value) return content->dtype() == DType::F32 ? *content : converted(*content, DType::F32);
  const Node& node = *graph_.producer_of(value);
  const Tensor* scales = graph_.constant(node.input(1));
  const Tensor* zero_points = graph_.constant(node.input(2));
  if (scales == nullptr || (node.input(2) != ValueId::None && zero_points == nullptr)) {
    throw UnsupportedError("the scale is computed");
  }
  const std::int64_t block = node.get_int("block_size");
  const std::int64_t axis = scales->size() == 1 ? 0 : normalize_axis(node.get_int("axis"), content->rank());
  const Shape strides = row_major_strides(content->shape());
  Shape scale_strides(content->shape().size(), 0);  // per tensor: all zero
  if (scales->size() > 1 && block == 0) scale_strides[static_cast<std::size_t>(axis)] = 1;
  if (scales->size() > 1 && block != 0) scale_strides = row_major_strides(scales->shape());
  Tensor result(DType::F32, content->shape());
  for (std::int64_t i = 0; i < content->size(); ++i) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < strides.size(); ++d) {
      std::int64_t index = i / strides[d] % content->dim(static_cast<std::int64_t>(d));
      if (block != 0 && static_cast<std::int64_t>(d) == axis) index /= block;
      at += index * scale_strides[d];
    }
    const std::int64_t zero_point =
        zero_points == nullptr ? 0 : zero_points->get_int(zero_points->size() == 1 ? 0 : at);
    const auto offset = static_cast<float>(content->get_int(i) - zero_point);
    result.set_double(i, static_cast<double>(offset * static_cast<float>(scales->get_double(at))));
  }
  return result;
}

std::vector<std::int64_t> Writer::constant_ints(ValueId value, const char* what) const {
  const Tensor* content = graph_.constant(value);
  if (content == nullptr) throw UnsupportedError(cat(what, " must be constant in TFLite, and is computed"));
  return to_ints(*content);
}

bool Writer::lies_last(ValueId value) const {
  const auto found = last_.find(stored(value));
  return found != last_.end() && found->second;
}

const Shape* Writer::flattened(ValueId value) const {
  const auto found = flattened_.find(stored(value));
  return found == flattened_.end() ? nullptr : &found->second;
}

bool Writer::feeds_products_only(ValueId value) const {
  if (uses_.is_output(value) || uses_.none(value)) return false;
  for (const NodeId id : uses_.of(value)) {
    const Node& node = graph_.node(id);
    if (node.kind == OpKind::DequantizeLinear) {
      if (!feeds_products_only(node.output())) return false;
      continue;
    }
    const bool product = node.kind == OpKind::Gemm || node.kind == OpKind::MatMul;
    if (!product || node.input(0) != value || !is_constant(node.input(1)) || rank(node.input(1)) != 2) return false;
    if (node.get_int("transA", 0) != 0) return false;
  }
  return true;
}

std::string Writer::fresh(std::string_view base) {
  // The reader takes names up to the first semicolon, as converters join names with it.
  std::string name(base);
  std::ranges::replace(name, ';', '_');
  const std::string first = name;
  for (int i = 1; names_.contains(name); ++i) name = cat(first, "_", i);
  names_.insert(name);
  return name;
}

Shape Writer::shape_in_file(ValueId value, bool last) const {
  const Shape& dims = shape(value);
  return last && dims.size() == 4 ? in_file_order(dims) : dims;
}

std::int32_t Writer::constant(std::string_view name, Tensor content, std::optional<Quantization> quantization) {
  if (is_integer(content.dtype()) && dtype_bits(content.dtype()) < 8) {
    Tensor unpacked(is_signed_integer(content.dtype()) ? DType::S8 : DType::U8, content.shape());
    for (std::int64_t i = 0; i < content.size(); ++i) unpacked.set_int(i, content.get_int(i));
    content = std::move(unpacked);
  }
  OutputTensor result;
  result.name = fresh(name);
  result.dtype = content.dtype();
  result.shape = content.shape();
  result.quantization = std::move(quantization);
  result.data = std::move(content);
  model_.tensors.push_back(std::move(result));
  return static_cast<std::int32_t>(model_.tensors.size()) - 1;
}

std::int32_t Writer::ints(std::string_view name, const std::vector<std::int64_t>& values) {
  Tensor content(DType::S32, {std::ssize(values)});
  for (std::size_t i = 0; i < values.size(); ++i) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    content.set_int(static_cast<std::int64_t>(i), std::clamp(values[i], -most, most));
  }
  return constant(name, std::move(content));
}

std::int32_t Writer::new_tensor(std::string_view name, std::int32_t like, Shape shape) {
  OutputTensor result;
  result.name = fresh(name);
  result.dtype = tensor(like).dtype;
  result.quantization = tensor(like).quantization;
  result.open_batch = tensor(like).open_batch && !shape.empty() && shape[0] == 1;
  result.shape = std::move(shape);
  model_.tensors.push_back(std::move(result));
  return static_cast<std::int32_t>(model_.tensors.size()) - 1;
}

std::int32_t Writer::transposed(std::int32_t from, const std::vector<std::int64_t>& permutation) {
  if (std::ranges::is_sorted(permutation)) return from;
  Shape shape;
  for (const std::int64_t axis : permutation) shape.push_back(tensor(from).shape[static_cast<std::size_t>(axis)]);
  const std::string name = cat(tensor(from).name, "/transposed");
  const std::int32_t result = new_tensor(name, from, std::move(shape));
  add({.code = 39, .options_kind = 26}, {from, ints(cat(name, "/perm"), permutation)}, {result});
  return result;
}

std::int32_t Writer::reshaped(std::int32_t from, const Shape& shape) {
  if (tensor(from).shape == shape) return from;
  const std::string name = cat(tensor(from).name, "/reshaped");
  const std::int32_t result = new_tensor(name, from, shape);
  std::vector<std::int64_t> target = shape;
  if (tensor(result).open_batch) target[0] = -1;
  add({.code = 22, .options_kind = 17}, {from, ints(cat(name, "/shape"), target)}, {result});
  return result;
}

std::int32_t Writer::constant_tensor(ValueId value, bool last) {
  const Tensor& content = *graph_.constant(value);
  std::optional<Quantization> scales;
  if (const auto found = quantizations_.find(value); found != quantizations_.end()) scales = found->second;
  if (!last || content.rank() != 4) return constant(graph_.value(value).name, content, scales);
  if (scales && scales->scales.size() > 1) scales->axis = channels_last_axis[normalize_axis(scales->axis, 4)];
  return constant(graph_.value(value).name, permuted(content, to_channels_last), scales);
}

std::int32_t Writer::tensor_of(ValueId value, bool last) {
  if (rank(value) != 4) last = false;
  if (const auto found = tensors_.find({value, last}); found != tensors_.end()) return found->second;
  std::int32_t result = -1;
  if (graph_.constant(value) != nullptr) {
    result = constant_tensor(value, last);
  } else {
    const auto other = tensors_.find({value, !last});
    if (other == tensors_.end()) throw InternalError(cat("no tensor for ", graph_.value(value).name));
    // The permutations of axes from NCHW to NHWC and back are those of translator.h.
    result = transposed(other->second, last ? to_channels_last : to_channels_first);
  }
  return tensors_[{value, last}] = result;
}

std::int32_t Writer::dequantized(ValueId value, bool last) {
  const ValueId integers = stored(value);
  if (rank(value) != 4) last = false;
  if (const auto found = floats_.find({value, last}); found != floats_.end()) return found->second;
  std::int32_t result = -1;
  if (graph_.constant(integers) != nullptr) {
    Tensor content = float_constant(value);
    if (last) content = permuted(content, to_channels_last);
    result = constant(graph_.value(value).name, std::move(content));
  } else {
    if (quantization(value) == nullptr) throw UnsupportedError("the scale is not one constant");
    const std::int32_t from = tensor_of(integers, last);
    result = new_tensor(graph_.value(value).name, from, tensor(from).shape);
    tensor(result).dtype = DType::F32;
    tensor(result).quantization.reset();
    add({.code = 6, .options_kind = 38}, {from}, {result});
  }
  return floats_[{value, last}] = result;
}

std::int32_t Writer::operand(const Step& step, ValueId value, bool last) {
  if (stored(value) == value) return tensor_of(value, last);
  return step.quantized ? tensor_of(stored(value), last) : dequantized(value, last);
}

std::int32_t Writer::rescaled(std::int32_t from, const Quantization& wanted) {
  const auto& given = tensor(from).quantization;
  if (given && given->scales == wanted.scales && given->zero_points == wanted.zero_points) return from;
  const std::int32_t result = new_tensor(cat(tensor(from).name, "/rescaled"), from, tensor(from).shape);
  tensor(result).quantization = wanted;
  add({.code = 114, .options_kind = 89}, {from}, {result});
  return result;
}

}  // namespace adze::tflite
