#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adze/formats/onnx/wire_writer.h"
#include "adze/formats/onnx/write.h"
#include "adze/graph/graph.h"

namespace adze::onnx {

/// The tensors that go to a file beside the model, each at the next multiple of 64 bytes.
struct ExternalPlan {
  std::string file_name;
  std::int64_t threshold = 0;  ///< smaller tensors stay in the model
  std::int64_t bytes = 0;
  std::vector<std::pair<std::int64_t, Tensor>> tensors;  ///< offset and content
};

/// A TensorProto. Elements go to raw_data, strings to string_data, or to external when it is given and the tensor is
/// large enough.
WireMessage encode_tensor(const Tensor& tensor, std::string_view name, ExternalPlan* external = nullptr);

/// A SparseTensorProto (values, row-major places, dimensions) when it is smaller than the TensorProto; else nothing.
std::optional<WireMessage> encode_sparse_tensor(const Tensor& tensor, std::string_view name);

/// An AttributeProto of anything but a graph, whose values need names.
WireMessage encode_attribute(std::string_view name, const Attribute& attribute);

/// A TypeProto.
WireMessage encode_type(const ValueType& type);

/// A ModelProto of a graph that is in the forms of options.opset already.
WireMessage encode_model(const Graph& graph, const WriteOptions& options, ExternalPlan* external);

}  // namespace adze::onnx
