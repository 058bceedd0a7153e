#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adze/formats/onnx/external.h"
#include "adze/formats/onnx/wire.h"
#include "adze/numerics/tensor.h"

namespace adze::onnx {

/// Where tensors come from: who keeps the bytes alive, and what they may refer to.
struct TensorSource {
  std::shared_ptr<const void> owner;
  ExternalFiles* external = nullptr;  ///< null: external data is refused
  std::int64_t max_sparse_bytes = std::int64_t{64} << 20;
};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Decodes a TensorProto: the only way in for initializers, attributes, sparse parts and test data. Raw, external and
/// packed float data stay where they are; only what has to change its form is copied. Throws ModelError unless the
/// bytes found are exactly those that dtype and dims need.
NamedTensor decode_tensor(Bytes message, const TensorSource& source);

/// Decodes a SparseTensorProto to a dense tensor of at most max_sparse_bytes. Indices must be in range and ascending.
NamedTensor decode_sparse_tensor(Bytes message, const TensorSource& source);

}  // namespace adze::onnx
