#pragma once

#include <string_view>

#include "adze/formats/onnx/functions.h"
#include "adze/formats/onnx/messages.h"
#include "adze/graph/op.h"

namespace adze::onnx {

/// The version of a domain in these imports; 1 where a domain other than the default one is not imported.
std::int64_t opset_of(const OpsetImports& opsets, std::string_view domain);

/// Checks the IR version and the opset versions of the model and its functions, and that adze has every operator that
/// is used. Throws ModelError for what cannot be, and one UnsupportedError that names all that is missing: operator,
/// node, opset.
void check_operators(const ModelMessage& model, const FunctionTable& functions);

}  // namespace adze::onnx
