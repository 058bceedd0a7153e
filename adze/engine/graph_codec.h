#pragma once

#include <functional>

#include "adze/engine/byte_stream.h"
#include "adze/graph/graph.h"

namespace adze::engine {

/// Writes or reads where a tensor's elements are; dtype and shape are done by the codec.
using TensorSink = std::function<void(ByteWriter&, const Tensor&)>;
using TensorSource = std::function<Tensor(ByteReader&, DType, const Shape&)>;

/// A graph as bytes, exactly: ids, names, types, attributes, subgraphs; not where it came from. For this program and
/// version only; model files are the business of formats/.
void encode_graph(ByteWriter& to, const Graph& graph, const TensorSink& tensors);

/// Throws ModelError for bytes that encode_graph did not write.
Graph decode_graph(ByteReader& from, const TensorSource& tensors);

void encode_type(ByteWriter& to, const ValueType& type);
ValueType decode_type(ByteReader& from);

}  // namespace adze::engine
