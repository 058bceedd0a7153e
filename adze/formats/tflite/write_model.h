#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adze/formats/tflite/flatbuffer_builder.h"
#include "adze/formats/tflite/schema.h"
#include "adze/numerics/tensor.h"

namespace adze::tflite {

/// A TFLite model on its way to a file.
struct OutputTensor {
  std::string name;
  DType dtype = DType::F32;
  Shape shape;
  bool open_batch = false;  ///< the first dimension is -1 in the shape signature
  std::optional<Quantization> quantization;
  std::optional<Tensor> data;  ///< content of a constant
};

/// The options table of an operator: its number in the union BuiltinOptions, and scalar fields.
struct OutputOptions {
  std::uint8_t kind = 0;
  FlatPointer table;
};

struct OutputOperator {
  std::int32_t code = 0;  ///< BuiltinOperator
  std::int32_t version = 1;
  std::vector<std::int32_t> inputs, outputs;
  OutputOptions options;
};

struct OutputModel {
  std::string name, description;
  std::map<std::string, std::string> metadata;
  std::vector<OutputTensor> tensors;
  std::vector<OutputOperator> operators;
  std::vector<std::int32_t> inputs, outputs;
};

/// The bytes of the file, schema version 3. Weights are aligned to 16 bytes.
std::string serialize(const OutputModel& model);

/// TensorType of a dtype; UnsupportedError where TFLite has none.
std::int8_t tensor_type_of(DType dtype);

}  // namespace adze::tflite
