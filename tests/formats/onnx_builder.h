#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adze/formats/onnx/read.h"
#include "adze/formats/onnx/wire_writer.h"

/// ONNX files put together field by field: old forms, rare forms and wrong ones, which the writer never makes.
namespace adze::onnx_builder {

using onnx::WireMessage;
using Names = std::vector<std::string>;
using Messages = std::vector<WireMessage>;

inline WireMessage attribute(std::string_view name, std::int64_t value) {
  WireMessage message;
  message.add_text(1, name);
  message.add_integer(3, value);
  message.add_integer(20, 2);
  return message;
}
inline WireMessage attribute(std::string_view name, int value) {
  return attribute(name, std::int64_t{value});
}
inline WireMessage attribute(std::string_view name, float value) {
  WireMessage message;
  message.add_text(1, name);
  message.add_float(2, value);
  message.add_integer(20, 1);
  return message;
}
inline WireMessage attribute(std::string_view name, std::string_view value) {
  WireMessage message;
  message.add_text(1, name);
  message.add_text(4, value);
  message.add_integer(20, 3);
  return message;
}
inline WireMessage attribute(std::string_view name, const char* value) {
  return attribute(name, std::string_view(value));
}
inline WireMessage attribute(std::string_view name, const std::vector<std::int64_t>& values) {
  WireMessage message;
  message.add_text(1, name);
  for (const std::int64_t value : values) message.add_integer(8, value);
  message.add_integer(20, 7);
  return message;
}
inline WireMessage attribute(std::string_view name, const std::vector<float>& values) {
  WireMessage message;
  message.add_text(1, name);
  for (const float value : values) message.add_float(7, value);
  message.add_integer(20, 6);
  return message;
}
inline WireMessage tensor_attribute(std::string_view name, WireMessage tensor) {
  WireMessage message;
  message.add_text(1, name);
  message.add_message(5, std::move(tensor));
  message.add_integer(20, 4);
  return message;
}
inline WireMessage sparse_attribute(std::string_view name, WireMessage sparse) {
  WireMessage message;
  message.add_text(1, name);
  message.add_message(22, std::move(sparse));
  message.add_integer(20, 11);
  return message;
}
inline WireMessage graph_attribute(std::string_view name, WireMessage graph) {
  WireMessage message;
  message.add_text(1, name);
  message.add_message(6, std::move(graph));
  message.add_integer(20, 5);
  return message;
}
inline WireMessage reference_attribute(std::string_view name, std::string_view reference, int type) {
  WireMessage message;
  message.add_text(1, name);
  message.add_text(21, reference);
  message.add_integer(20, type);
  return message;
}

inline WireMessage node(std::string_view op, const Names& inputs, const Names& outputs, Messages attributes = {},
                        std::string_view name = "", std::string_view domain = "") {
  WireMessage message;
  for (const std::string& input : inputs) message.add_text(1, input);
  for (const std::string& output : outputs) message.add_text(2, output);
  if (!name.empty()) message.add_text(3, name);
  message.add_text(4, op);
  for (WireMessage& attribute : attributes) message.add_message(5, std::move(attribute));
  if (!domain.empty()) message.add_text(7, domain);
  return message;
}

/// A ValueInfoProto; without dims its shape is unknown.
inline WireMessage value(std::string_view name, DType dtype = DType::F32,
                         const std::optional<std::vector<std::int64_t>>& dims = std::nullopt) {
  WireMessage tensor, type, message;
  tensor.add_integer(1, static_cast<std::int64_t>(dtype));
  if (dims) {
    WireMessage shape;
    for (const std::int64_t dim : *dims) {
      WireMessage encoded;
      encoded.add_integer(1, dim);
      shape.add_message(1, std::move(encoded));
    }
    tensor.add_message(2, std::move(shape));
  }
  type.add_message(1, std::move(tensor));
  message.add_text(1, name);
  message.add_message(2, std::move(type));
  return message;
}

/// A TensorProto without data.
inline WireMessage tensor_header(std::string_view name, int dtype, const std::vector<std::int64_t>& dims) {
  WireMessage message;
  for (const std::int64_t dim : dims) message.add_integer(1, dim);
  message.add_integer(2, dtype);
  if (!name.empty()) message.add_text(8, name);
  return message;
}
inline WireMessage raw_tensor(std::string_view name, DType dtype, const std::vector<std::int64_t>& dims,
                              std::string_view raw) {
  WireMessage message = tensor_header(name, static_cast<int>(dtype), dims);
  message.add_text(9, raw);
  return message;
}
template <typename T>
WireMessage tensor(std::string_view name, const std::vector<std::int64_t>& dims, const std::vector<T>& values) {
  return raw_tensor(name, dtype_of<T>, dims, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}
inline WireMessage external_tensor(std::string_view name, DType dtype, const std::vector<std::int64_t>& dims,
                                   const std::vector<std::pair<std::string, std::string>>& entries) {
  WireMessage message = tensor_header(name, static_cast<int>(dtype), dims);
  for (const auto& [key, text] : entries) {
    WireMessage entry;
    entry.add_text(1, key);
    entry.add_text(2, text);
    message.add_message(13, std::move(entry));
  }
  message.add_integer(14, 1);
  return message;
}
inline WireMessage sparse_tensor(WireMessage values, WireMessage indices, const std::vector<std::int64_t>& dims) {
  WireMessage message;
  message.add_message(1, std::move(values));
  message.add_message(2, std::move(indices));
  for (const std::int64_t dim : dims) message.add_integer(3, dim);
  return message;
}

struct GraphParts {
  Messages nodes, inputs, outputs;
  Messages initializers = {}, sparse = {}, values = {};
  std::string name = "g";
};

inline WireMessage graph(GraphParts parts) {
  WireMessage message;
  for (WireMessage& part : parts.nodes) message.add_message(1, std::move(part));
  message.add_text(2, parts.name);
  for (WireMessage& part : parts.initializers) message.add_message(5, std::move(part));
  for (WireMessage& part : parts.inputs) message.add_message(11, std::move(part));
  for (WireMessage& part : parts.outputs) message.add_message(12, std::move(part));
  for (WireMessage& part : parts.values) message.add_message(13, std::move(part));
  for (WireMessage& part : parts.sparse) message.add_message(15, std::move(part));
  return message;
}

inline WireMessage opset(std::string_view domain, std::int64_t version) {
  WireMessage message;
  message.add_text(1, domain);
  message.add_integer(2, version);
  return message;
}

/// A FunctionProto of domain "local", with operators of opset 21.
inline WireMessage function(std::string_view name, const Names& inputs, const Names& outputs, Messages nodes,
                            const Names& attributes = {}) {
  WireMessage message;
  message.add_text(1, name);
  for (const std::string& input : inputs) message.add_text(4, input);
  for (const std::string& output : outputs) message.add_text(5, output);
  for (const std::string& attribute : attributes) message.add_text(6, attribute);
  for (WireMessage& node : nodes) message.add_message(7, std::move(node));
  message.add_message(9, opset("", 21));
  message.add_message(9, opset("local", 1));
  message.add_text(10, "local");
  return message;
}

inline std::string model(WireMessage graph, std::int64_t version = 21, Messages functions = {}, std::int64_t ir = 10) {
  WireMessage message;
  message.add_integer(1, ir);
  message.add_text(2, "test");
  message.add_message(7, std::move(graph));
  message.add_message(8, opset("", version));
  message.add_message(8, opset("local", 1));
  for (WireMessage& function : functions) message.add_message(25, std::move(function));
  return message.bytes();
}

/// A model with one node, inputs and outputs as named by it.
inline std::string one_node_model(WireMessage node, Messages inputs, Messages outputs, std::int64_t version,
                                  Messages initializers = {}) {
  GraphParts parts;
  parts.nodes.push_back(std::move(node));
  parts.inputs = std::move(inputs);
  parts.outputs = std::move(outputs);
  parts.initializers = std::move(initializers);
  return model(graph(std::move(parts)), version);
}

inline Graph read(const std::string& bytes, const onnx::ReadOptions& options = {}) {
  const auto owner = std::make_shared<const std::string>(bytes);
  return onnx::read_bytes(std::as_bytes(std::span(*owner)), owner, options);
}

}  // namespace adze::onnx_builder
