#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adze/formats/tflite/flatbuffer.h"
#include "adze/formats/tflite/tflite.h"
#include "adze/numerics/tensor.h"

namespace adze::tflite {

/// Field numbers of the tables that we read, from the TFLite schema, version 3 (schema.fbs of the TensorFlow project).
namespace field {
namespace model {
enum { version = 0, operator_codes = 1, subgraphs = 2, description = 3, buffers = 4, metadata = 6 };
}
namespace metadata {
enum { name = 0, buffer = 1 };
}
namespace operator_code {
enum { short_code = 0, custom_name = 1, version = 2, code = 3 };
}
namespace subgraph {
enum { tensors = 0, inputs = 1, outputs = 2, operators = 3, name = 4 };
}
namespace tensor {
enum {
  shape = 0,
  type = 1,
  buffer = 2,
  name = 3,
  quantization = 4,
  is_variable = 5,
  sparsity = 6,
  shape_signature = 7
};
}
namespace quantization {
enum { scale = 2, zero_point = 3, axis = 6 };
}
namespace operation {
enum { code_index = 0, inputs = 1, outputs = 2, options = 4 };
}
namespace buffer {
enum { data = 0, offset = 1, size = 2 };
}
namespace conv {
enum { padding = 0, stride_w = 1, stride_h = 2, activation = 3, dilation_w = 4, dilation_h = 5 };
}
namespace depthwise {
enum { padding = 0, stride_w = 1, stride_h = 2, multiplier = 3, activation = 4, dilation_w = 5, dilation_h = 6 };
}
namespace pool {
enum { padding = 0, stride_w = 1, stride_h = 2, filter_w = 3, filter_h = 4, activation = 5 };
}
namespace transpose_conv {
enum { padding = 0, stride_w = 1, stride_h = 2, activation = 3 };
}
namespace fully_connected {
enum { activation = 0, weights_format = 1, keep_num_dims = 2 };
}
namespace binary {
enum { activation = 0, pot_scale_int16 = 1 };  // the second of ADD and SUB only
}  // namespace binary
namespace softmax {
enum { beta = 0 };
}
namespace concatenation {
enum { axis = 0, activation = 1 };
}
namespace reshape {
enum { new_shape = 0 };
}
namespace reducer {
enum { keep_dims = 0 };
}
namespace squeeze {
enum { dims = 0 };
}
namespace split {
enum { num_splits = 0 };
}
namespace strided_slice {
enum { begin_mask = 0, end_mask = 1, ellipsis_mask = 2, new_axis_mask = 3, shrink_axis_mask = 4 };
}
namespace pack {
enum { count = 0, axis = 1 };
}  // namespace pack
namespace leaky_relu {
enum { alpha = 0 };
}
namespace gelu {
enum { approximate = 0 };
}
namespace gather {
enum { axis = 0, batch_dims = 1 };
}
namespace cast {
enum { to = 1 };
}
namespace arg_extreme {
enum { output_type = 0 };
}
namespace batch_matmul {
enum { adjoint_x = 0, adjoint_y = 1 };
}
namespace mirror_pad {
enum { mode = 0 };
}
namespace block {
enum { size = 0 };
}  // namespace block
namespace shape {
enum { output_type = 0 };
}
namespace resize_bilinear {
enum { align_corners = 2, half_pixel = 3 };
}
namespace resize_nearest {
enum { align_corners = 0, half_pixel = 1 };
}
}  // namespace field

/// ActivationFunctionType.
enum class Activation : std::int8_t { None = 0, Relu = 1, ReluN1To1 = 2, Relu6 = 3, Tanh = 4, SignBit = 5 };

/// Affine quantization of a tensor; one scale and zero point, or one per index of axis.
struct Quantization {
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;  ///< as many as scales
  std::int64_t axis = 0;

  bool operator==(const Quantization&) const = default;
};

struct TensorInfo {
  std::string name;  ///< unique in the model
  DType dtype = DType::Undefined;
  Shape shape;
  bool dynamic_batch = false;  ///< the shape signature leaves the first dimension open
  std::optional<Quantization> quantization;
  std::optional<std::span<const std::byte>> data;  ///< content of a constant; its size matches the shape
};

struct Operator {
  std::int32_t code = 0;                      ///< BuiltinOperator
  std::string name;                           ///< "CONV_2D", or "custom operator …"
  std::vector<std::int32_t> inputs, outputs;  ///< tensor indices; -1: an optional input that is absent
  std::optional<Table> options;
};

/// The first subgraph of a model, all indices and sizes checked.
struct Model {
  std::string name, description;
  std::map<std::string, std::string> metadata;  ///< entries that adze wrote
  std::vector<TensorInfo> tensors;
  std::vector<Operator> operators;
  std::vector<std::int32_t> inputs, outputs;
};

Model parse_model(std::span<const std::byte> bytes, const ReadOptions& options);

/// "CONV_2D" for 3; "operator 999" for numbers that the schema did not have when this was written.
std::string operator_name(std::int32_t code);
/// The dtype of a TensorType number; UnsupportedError for resources, variants and the like.
DType dtype_of_tensor_type(std::int8_t type);

}  // namespace adze::tflite
