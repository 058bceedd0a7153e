#pragma once

#include <string>

#include "adze/formats/onnx/functions.h"
#include "adze/formats/onnx/messages.h"
#include "adze/formats/onnx/tensors.h"

namespace adze::onnx {

/// Builds the graph that the model describes: operators upgraded, functions expanded, constants decoded, output types
/// inferred as far as upgrading needs them. Operators and functions have passed check_operators() and
/// check_expansion().
Graph build_graph(const ModelMessage& model, const FunctionTable& functions, const ReadOptions& options,
                  const TensorSource& source, const std::string& file);

}  // namespace adze::onnx
