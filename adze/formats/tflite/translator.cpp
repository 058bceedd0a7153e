#include "adze/formats/tflite/translator.h"

#include <algorithm>

#include "adze/base/files.h"
#include "adze/base/progress.h"
#include "adze/graph/infer.h"
#include "adze/graph/verify.h"

namespace adze::tflite {

Tensor permuted(const Tensor& tensor, const std::vector<std::int64_t>& permutation) {
  Shape shape;
  Shape strides;  // of the source, in the order of the result
  const Shape source_strides = row_major_strides(tensor.shape());
  for (const std::int64_t axis : permutation) {
    shape.push_back(tensor.dim(axis));
    strides.push_back(source_strides[static_cast<std::size_t>(axis)]);
  }
  Tensor result(tensor.dtype(), shape);
  const auto width = static_cast<std::size_t>(dtype_bits(tensor.dtype()) / 8);
  if (width == 0) throw UnsupportedError(cat("constants of type ", dtype_name(tensor.dtype()), " cannot be turned"));
  const std::byte* from = tensor.bytes().data();
  std::byte* to = result.mutable_bytes().data();
  Shape index(shape.size(), 0);
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < result.size(); ++i) {
    std::copy_n(from + static_cast<std::size_t>(offset) * width, width, to + static_cast<std::size_t>(i) * width);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}

const OperatorEntry* find_operator(std::int32_t code) {
  static const auto table = [] {
    std::map<std::int32_t, OperatorEntry> entries;
    for (const auto family : {neural_operators(), elementwise_operators(), movement_operators(), slicing_operators(),
                              reduction_operators()}) {
      for (const OperatorEntry& entry : family) entries.emplace(entry.code, entry);
    }
    return entries;
  }();
  const auto found = table.find(code);
  return found == table.end() ? nullptr : &found->second;
}

Translator::Translator(const Model& model, std::shared_ptr<const void> owner)
    : model_(model), owner_(std::move(owner)), states_(model.tensors.size()), wanted_(model.tensors.size(), false) {}

Graph Translator::run() {
  check_supported();
  find_wanted_layouts();
  graph_.name = model_.name.empty() ? "main" : model_.name;
  graph_.doc = model_.description;
  graph_.producer = "tflite";
  graph_.metadata.insert(model_.metadata.begin(), model_.metadata.end());
  add_inputs();
  for (const Operator& op : model_.operators) translate(op);
  for (const std::int32_t tensor : model_.outputs) graph_.add_output(stored(tensor));
  const bool quantized = std::ranges::any_of(
      model_.tensors, [](const TensorInfo& tensor) { return tensor.quantization && tensor.dtype != DType::S32; });
  if (quantized) graph_.metadata["adze.rounding"] = "tflm";
  if (has_short_sums(model_)) graph_.metadata["adze.int16_sums"] = "s32";
  return std::move(graph_);
}

void Translator::check_supported() const {
  std::map<std::string, int> missing;
  for (const Operator& op : model_.operators) {
    if (find_operator(op.code) == nullptr) ++missing[op.name];
  }
  if (missing.empty()) return;
  std::vector<std::string> parts;
  for (const auto& [name, count] : missing) parts.push_back(cat(name, " (", count, count == 1 ? " node)" : " nodes)"));
  throw UnsupportedError(cat("TFLite operators without translation: ", join(parts, ", ")), {},
                         "convert the model without them, or export it as ONNX");
}

/// Backwards: a tensor is wanted in NCHW when a spatial operator reads it, or one that hands the layout on to a result
/// which is wanted so.
void Translator::find_wanted_layouts() {
  for (auto op = model_.operators.rbegin(); op != model_.operators.rend(); ++op) {
    const LayoutNeed need = find_operator(op->code)->need;
    if (need == LayoutNeed::Plain) continue;
    const bool handed_on = std::ranges::any_of(
        op->outputs, [&](std::int32_t tensor) { return rank(tensor) == 4 && wants_channels_first(tensor); });
    if (need == LayoutNeed::Follows && !handed_on) continue;
    for (const std::int32_t tensor : op->inputs) {
      if (tensor >= 0 && rank(tensor) == 4) wanted_[static_cast<std::size_t>(tensor)] = true;
    }
  }
}

void Translator::add_inputs() {
  for (const std::int32_t tensor : model_.inputs) dynamic_batch_ = dynamic_batch_ || info(tensor).dynamic_batch;
  for (const std::int32_t tensor : model_.inputs) {
    if (state(tensor).stored != ValueId::None)
      throw ModelError(cat("tensor ", adze::quoted(info(tensor).name), " is an input twice"));
    if (is_constant(tensor)) throw ModelError(cat("graph input ", adze::quoted(info(tensor).name), " is a constant"));
    const Layout layout = wants_channels_first(tensor) ? Layout::ChannelsFirst : Layout::Plain;
    if (layout == Layout::ChannelsFirst) graph_.metadata["adze.source_layout"] = "NHWC";
    state(tensor).layout = layout;
    state(tensor).stored = graph_.add_input(fresh(info(tensor).name), declared_type(tensor, layout));
  }
}

void Translator::translate(const Operator& op) {
  check_cancelled();
  const std::string first = op.outputs.empty() ? "" : info(op.outputs[0]).name;
  try {
    find_operator(op.code)->translate(*this, op);
  } catch (const Error& error) {
    rethrow_with_place(error, {"", first, op.name});
  }
}

std::int32_t Translator::input(const Operator& op, std::size_t i) const {
  if (!has_input(op, i)) throw ModelError(cat("input ", i, " is missing"));
  return op.inputs[i];
}

std::int32_t Translator::output(const Operator& op, std::size_t i) const {
  if (i >= op.outputs.size()) throw ModelError(cat("output ", i, " is missing"));
  return op.outputs[i];
}

Tensor Translator::constant(std::int32_t tensor) const {
  if (!is_constant(tensor)) {
    throw UnsupportedError(
        cat("tensor ", adze::quoted(info(tensor).name), " must be a constant here, and is computed"));
  }
  return Tensor::view(info(tensor).dtype, info(tensor).shape, owner_, *info(tensor).data);
}

std::vector<std::int64_t> Translator::constant_ints(std::int32_t tensor) const {
  const Tensor content = constant(tensor);
  if (!is_integer(content.dtype()) || content.size() > 64) {
    throw ModelError(
        cat("tensor ", adze::quoted(info(tensor).name), " must hold a few integers, it is ", type_text(content)));
  }
  return to_ints(content);
}

std::string Translator::fresh(std::string_view base) {
  std::string name(base);
  for (int i = 1; names_.contains(name); ++i) name = cat(base, "_", i);
  names_.insert(name);
  return name;
}

ValueId Translator::add_constant(std::string_view name, Tensor tensor) {
  return graph_.add_constant(fresh(name), std::move(tensor));
}

Node Translator::make_node(OpKind kind, std::string_view name, std::vector<ValueId> inputs, Attributes attributes) {
  Node node;
  node.kind = kind;
  // One TFLite operator may become several nodes (a convolution and its Relu): node names must differ all the same.
  node.name = std::string(name);
  for (int i = 1; !node_names_.insert(node.name).second; ++i) node.name = cat(name, "_", i);
  node.inputs = std::move(inputs);
  for (auto& [key, attribute] : attributes) node.set(std::move(key), std::move(attribute));
  return node;
}

ValueId Translator::add(const Operator& op, OpKind kind, std::vector<ValueId> inputs, Attributes attributes) {
  return add_many(op, kind, std::move(inputs), std::move(attributes), 1)[0];
}

std::vector<ValueId> Translator::add_many(const Operator& op, OpKind kind, std::vector<ValueId> inputs,
                                          Attributes attributes, std::size_t num_outputs) {
  const std::string& base = info(output(op)).name;
  Node node = make_node(kind, base, std::move(inputs), std::move(attributes));
  for (std::size_t i = 0; i < num_outputs; ++i) {
    node.outputs.push_back(graph_.add_value(fresh(cat(base, "/", op_name(kind)))));
    unnamed_.insert(node.outputs.back());
  }
  std::vector<ValueId> outputs = node.outputs;
  graph_.add_node(std::move(node));
  return outputs;
}

ValueId Translator::transpose(ValueId value, const std::vector<std::int64_t>& permutation, std::string_view name) {
  Node node = make_node(OpKind::Transpose, name, {value}, {{"perm", permutation}});
  node.outputs = {graph_.add_value(fresh(name))};
  graph_.add_node(node);
  return node.outputs[0];
}

Activation Translator::activation(const Operator& op, int field) const {
  return static_cast<Activation>(option<std::int8_t>(op, field));
}

ValueId Translator::activate(const Operator& op, ValueId value, Activation activation) {
  const std::string& base = info(output(op)).name;
  switch (activation) {
    case Activation::None:
      return value;
    case Activation::Relu:
      return add(op, OpKind::Relu, {value});
    case Activation::ReluN1To1:
      return add(op, OpKind::Clip, {value, floats(base + "/min", -1), floats(base + "/max", 1)});
    case Activation::Relu6:
      return add(op, OpKind::Clip, {value, floats(base + "/min", 0), floats(base + "/max", 6)});
    case Activation::Tanh:
      return add(op, OpKind::Tanh, {value});
    case Activation::SignBit:
      break;
  }
  throw UnsupportedError(cat("fused activation ", static_cast<int>(activation), " is not supported"));
}

ValueType Translator::declared_type(std::int32_t tensor, Layout layout) const {
  Shape shape = info(tensor).shape;
  if (layout == Layout::ChannelsFirst) shape = {shape[0], shape[3], shape[1], shape[2]};
  SymbolicShape dims = symbolic(shape);
  if (info(tensor).dynamic_batch)
    dims[0] = Dim::named("batch");
  else if (dynamic_batch_ && !dims.empty())
    dims[0] = Dim();
  return ValueType::tensor(info(tensor).dtype, std::move(dims));
}

void Translator::finish(std::int32_t tensor, ValueId value, Layout layout) {
  if (!is_quantized(tensor)) {
    finish_stored(tensor, value, layout);
    return;
  }
  const TensorInfo& tensor_info = info(tensor);
  if (unnamed_.erase(value) > 0) graph_.value(value).name = fresh(tensor_info.name + "/float");
  const auto [scale, zero_point] = scale_constants(tensor);
  Node node = make_node(OpKind::QuantizeLinear, tensor_info.name + "/quantize", {value, scale, zero_point}, {});
  node.outputs = {graph_.add_value(fresh(cat(tensor_info.name, "/QuantizeLinear")))};
  graph_.add_node(node);
  unnamed_.insert(node.outputs[0]);
  finish_stored(tensor, node.outputs[0], layout);
}

void Translator::finish_stored(std::int32_t tensor, ValueId value, Layout layout) {
  if (state(tensor).stored != ValueId::None || is_constant(tensor)) {
    throw ModelError(
        cat("tensor ", adze::quoted(info(tensor).name), " is computed twice, or is an input or a constant"));
  }
  state(tensor).stored = value;
  state(tensor).layout = layout;
  // An operator without effect hands its input on: that keeps its own name.
  if (unnamed_.erase(value) == 0) return;
  Value& result = graph_.value(value);
  result.name = fresh(info(tensor).name);
  if (flattened(tensor).empty()) result.type = declared_type(tensor, layout);
}

ValueId Translator::stored(std::int32_t tensor) {
  State& held = state(tensor);
  if (held.stored != ValueId::None) return held.stored;
  if (!is_constant(tensor))
    throw ModelError(cat("reads tensor ", adze::quoted(info(tensor).name), ", which nothing before it computes"));
  held.stored = add_constant(info(tensor).name, constant(tensor));
  return held.stored;
}

std::pair<ValueId, ValueId> Translator::scale_constants(std::int32_t tensor) {
  const TensorInfo& tensor_info = info(tensor);
  const Quantization& quantization = *tensor_info.quantization;
  const auto count = std::ssize(quantization.scales);
  const Shape shape = count == 1 ? Shape{} : Shape{count};
  Tensor zero_points(tensor_info.dtype, shape);
  for (std::int64_t i = 0; i < count; ++i)
    zero_points.set_int(i, quantization.zero_points[static_cast<std::size_t>(i)]);
  return {add_constant(tensor_info.name + "/scale", Tensor::from<float>(shape, quantization.scales)),
          add_constant(tensor_info.name + "/zero_point", std::move(zero_points))};
}

ValueId Translator::dequantize(std::int32_t tensor, ValueId value, std::int64_t axis, std::string_view name) {
  if (dtype_bits(info(tensor).dtype) > 32) return wide_constant(tensor, name);
  const auto [scale, zero_point] = scale_constants(tensor);
  Attributes attributes;
  if (info(tensor).quantization->scales.size() > 1) attributes.emplace_back("axis", axis);
  Node node =
      make_node(OpKind::DequantizeLinear, cat(name, "/dequantize"), {value, scale, zero_point}, std::move(attributes));
  node.outputs = {graph_.add_value(fresh(cat(name, "/dequantized")))};
  graph_.add_node(node);
  return node.outputs[0];
}

ValueId Translator::numbers(std::int32_t tensor, Layout wanted) {
  const ValueId value = stored(tensor);
  State& held = state(tensor);
  if (rank(tensor) != 4) wanted = Layout::Plain;
  ValueId& own = held.real[static_cast<std::size_t>(held.layout)];
  if (own == ValueId::None) {
    std::int64_t axis = is_quantized(tensor) ? info(tensor).quantization->axis : 0;
    if (held.layout == Layout::ChannelsFirst) axis = channels_first_axis[axis];
    own = is_quantized(tensor) ? dequantize(tensor, value, axis, info(tensor).name) : value;
  }
  if (wanted == held.layout) return own;
  ValueId& turned = held.real[static_cast<std::size_t>(wanted)];
  if (turned == ValueId::None) {
    const auto& permutation = wanted == Layout::ChannelsFirst ? to_channels_first : to_channels_last;
    if (is_constant(tensor)) {
      const std::int64_t axis = is_quantized(tensor) ? channels_first_axis[info(tensor).quantization->axis] : 0;
      turned = changed_constant(tensor, permuted(constant(tensor), permutation), axis, "/nchw");
    } else {
      turned = transpose(own, permutation, info(tensor).name + (wanted == Layout::ChannelsFirst ? "/nchw" : "/nhwc"));
    }
  }
  return turned;
}

ValueId Translator::changed_constant(std::int32_t tensor, const Tensor& content, std::int64_t axis,
                                     std::string_view suffix) {
  const ValueId value = add_constant(cat(info(tensor).name, suffix), content);
  return is_quantized(tensor) ? dequantize(tensor, value, axis, cat(info(tensor).name, suffix)) : value;
}

ValueId Translator::broadcast_constant(std::int32_t tensor) {
  const Tensor content = constant(tensor);
  if (content.rank() > 4) throw ModelError(cat("rank ", content.rank(), " does not broadcast with rank 4"));
  if (content.size() == 1 && content.rank() <= 1) return numbers(tensor);
  Shape shape = content.shape();
  shape.insert(shape.begin(), static_cast<std::size_t>(4 - content.rank()), 1);
  std::int64_t axis = is_quantized(tensor) ? info(tensor).quantization->axis + 4 - content.rank() : 0;
  axis = channels_first_axis[axis];
  return changed_constant(tensor, permuted(content.reshaped(shape), to_channels_first), axis, "/nchw");
}

bool Translator::feeds_fully_connected_only(std::int32_t tensor) const {
  constexpr std::int32_t fully_connected = 9;
  if (std::ranges::find(model_.outputs, tensor) != model_.outputs.end()) return false;
  for (const Operator& op : model_.operators) {
    if (std::ranges::find(op.inputs, tensor) == op.inputs.end()) continue;
    const bool fits = op.code == fully_connected && op.inputs.size() >= 2 && op.inputs[0] == tensor &&
                      op.inputs[1] >= 0 && op.inputs[1] != tensor && is_constant(op.inputs[1]);
    if (!fits) return false;
  }
  return true;
}

Graph read_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const ReadOptions& options,
                 const std::filesystem::path& model_path) {
  try {
    const Model model = parse_model(bytes, options);
    Graph graph = Translator(model, std::move(owner)).run();
    graph.source_file = model_path.string();
    infer_types(graph);
    verify(graph);
    return graph;
  } catch (const Error& error) {
    rethrow_with_place(error, {model_path.string(), "", ""});
  }
}

Graph read(const std::filesystem::path& path, const ReadOptions& options) {
  const auto file = MappedFile::open(path, options.max_file_bytes);
  return read_bytes(file->bytes(), file, options, path);
}

std::vector<std::string> supported_operators() {
  std::vector<std::string> names;
  for (std::int32_t code = 0; code < 256; ++code) {
    if (find_operator(code) != nullptr) names.push_back(operator_name(code));
  }
  return names;
}

}  // namespace adze::tflite
