#include <algorithm>

#include "adze/base/text.h"
#include "adze/formats/onnx/builder.h"
#include "adze/formats/onnx/packed_codes.h"

namespace adze::onnx {

void Builder::bind_attributes(Scope& scope, const NodeMessage& message, const FunctionMessage& function, Scope& body) {
  for (const AttributeMessage& attribute : function.defaults) body.attributes.emplace(attribute.name, attribute);
  for (const AttributeMessage& attribute : message.attributes) {
    const auto names_it = [&](std::string_view name) { return name == attribute.name; };
    const bool known = body.attributes.contains(attribute.name) ||
                       std::any_of(function.attributes.begin(), function.attributes.end(), names_it);
    if (!known) {
      throw ModelError(cat("attribute ", quoted(attribute.name), " is not known to function ", function.name));
    }
    if (attribute.graph) throw UnsupportedError("functions with graphs as attributes are not supported");
    const AttributeMessage* value = &attribute;
    if (!attribute.reference.empty()) {
      const auto bound = scope.attributes.find(attribute.reference);
      if (bound == scope.attributes.end()) continue;
      value = &bound->second;
    }
    body.attributes.insert_or_assign(attribute.name, *value);
  }
}

void Builder::build_call(Scope& scope, const NodeMessage& message, const FunctionMessage& function,
                         const std::string& name) {
  if (message.inputs.size() > function.inputs.size() || message.outputs.size() > function.outputs.size()) {
    throw ModelError(cat("calls function ", function.name, " with too many inputs or outputs"));
  }
  Scope body{scope.target, nullptr, function.opsets.empty() ? model_.opsets : function.opsets, {}, {}, {}, {},
             {},           true};
  body.prefix = cat(name, "/");
  bind_attributes(scope, message, function, body);
  const auto inputs = find_inputs(scope, message);
  if (function.domain == packed_codes_domain && function.name == packed_codes_function && inputs.size() == 1 &&
      message.outputs.size() == 1) {
    if (const Tensor* bytes = scope.target.graph.constant(inputs[0])) {
      add_constant(scope, message.outputs[0], unpack_codes(*bytes, body.attributes));
      return;
    }
  }
  for (std::size_t i = 0; i < function.inputs.size(); ++i) {
    body.define(function.inputs[i], i < inputs.size() ? inputs[i] : ValueId::None);
  }
  for (std::size_t i = 0; i < message.outputs.size(); ++i) {
    if (!message.outputs[i].empty())
      body.output_names.emplace(function.outputs[i], scope.value_name(message.outputs[i]));
  }
  build_nodes(body, function.nodes);
  finish_call(scope, message, function, body);
}

/// Binds the call's outputs. One that is just an input of the function, or asked for twice, gets a name by Identity.
void Builder::finish_call(Scope& scope, const NodeMessage& message, const FunctionMessage& function, Scope& body) {
  for (std::size_t i = 0; i < message.outputs.size(); ++i) {
    if (message.outputs[i].empty()) continue;
    const auto result = body.find(function.outputs[i]);
    if (!result || *result == ValueId::None) {
      throw ModelError(cat("function ", function.name, " does not compute its output ", quoted(function.outputs[i])));
    }
    ValueId id = *result;
    const std::string& wanted = body.output_names.at(function.outputs[i]);
    if (scope.target.graph.value(id).name != wanted) {
      Node identity;
      identity.kind = OpKind::Identity;
      identity.name = scope.target.names.fresh(cat(body.prefix, "Identity"));
      identity.inputs = {id};
      id = scope.target.graph.add_value(wanted);
      identity.outputs = {id};
      add_checked(scope, std::move(identity));
    }
    scope.define(message.outputs[i], id);
  }
}

}  // namespace adze::onnx
