#include <cstring>

#include "adze/base/checked.h"
#include "adze/base/text.h"
#include "adze/formats/onnx/tensors.h"

namespace adze::onnx {

namespace {

/// The row-major place that each index (a number, or one number a dimension) stands for.
std::vector<std::int64_t> linear_indices(const Tensor& indices, const Shape& dims, std::int64_t count) {
  const auto rank = static_cast<std::int64_t>(dims.size());
  const bool by_dimension = indices.rank() == 2;
  const Shape wanted = by_dimension ? Shape{count, rank} : Shape{count};
  if (indices.dtype() != DType::S64 || indices.shape() != wanted) {
    throw ModelError(cat("sparse tensor has indices ", type_text(indices), ", expected s64", shape_text(wanted)));
  }
  const auto data = indices.data<std::int64_t>();
  const std::int64_t size = num_elements(dims);
  std::vector<std::int64_t> linear(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < linear.size(); ++i) {
    if (!by_dimension) {
      linear[i] = data[i];
    } else {
      for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        const std::int64_t index = data[i * dims.size() + axis];
        if (index < 0 || index >= dims[axis]) {
          throw ModelError(cat("sparse tensor index ", index, " is outside of dimension ", axis, " of ", dims[axis]));
        }
        linear[i] = linear[i] * dims[axis] + index;
      }
    }
    if (linear[i] < 0 || linear[i] >= size) {
      throw ModelError(cat("sparse tensor index ", linear[i], " is outside of ", size, " elements"));
    }
    if (i > 0 && linear[i] <= linear[i - 1]) throw ModelError("sparse tensor indices are not ascending");
  }
  return linear;
}

}  // namespace

NamedTensor decode_sparse_tensor(Bytes message, const TensorSource& source) {
  Bytes values_message, indices_message;
  Shape dims;
  for (WireCursor cursor(message, "SparseTensorProto"); cursor.next();) {
    const Field& field = cursor.field();
    if (field.number() == 1) values_message = field.bytes();
    if (field.number() == 2) indices_message = field.bytes();
    if (field.number() == 3) field.append_to(dims);
  }
  const auto [name, values] = decode_tensor(values_message, source);
  const Tensor indices = decode_tensor(indices_message, source).tensor;
  try {
    if (values.rank() != 1) throw ModelError("sparse tensor has values that are not rank 1");
    const std::int64_t bytes = storage_bytes(values.dtype(), num_elements(dims));
    if (bytes > source.max_sparse_bytes) {
      throw LimitError(cat("a sparse tensor of shape ", shape_text(dims), " takes ", bytes_text(bytes),
                           " when dense, more than the limit of ", bytes_text(source.max_sparse_bytes)));
    }
    if (values.dtype() == DType::String || dtype_bits(values.dtype()) < 8) {
      throw UnsupportedError(cat("sparse tensors of ", dtype_name(values.dtype()), " are not supported"));
    }
    const auto linear = linear_indices(indices, dims, values.size());
    Tensor dense(values.dtype(), dims);
    const auto width = static_cast<std::size_t>(dtype_bits(values.dtype()) / 8);
    const auto out = dense.mutable_bytes();
    for (std::size_t i = 0; i < linear.size(); ++i) {
      std::memcpy(&out[static_cast<std::size_t>(linear[i]) * width], &values.bytes()[i * width], width);
    }
    return {name, dense};
  } catch (const Error& error) {
    if (name.empty()) throw;
    rethrow_with_place(error, {"", cat("tensor ", name), ""});
  }
}

}  // namespace adze::onnx
