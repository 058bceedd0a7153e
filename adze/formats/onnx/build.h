#pragma once

#include <string>

#include "adze/formats/onnx/messages.h"
#include "adze/formats/onnx/tensors.h"

namespace adze::onnx {

/// Builds the graph that the model describes: operators upgraded, functions expanded, constants decoded, output types
/// inferred as far as upgrading needs them. The operators have passed check_operators().
Graph build_graph(const ModelMessage& model, const ReadOptions& options, const TensorSource& source,
                  const std::string& file);

}  // namespace adze::onnx
