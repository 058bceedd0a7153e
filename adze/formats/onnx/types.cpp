#include "adze/base/text.h"
#include "adze/formats/onnx/messages.h"

namespace adze::onnx {

namespace {

constexpr int max_type_depth = 16;

Dim parse_dim(Bytes bytes) {
  Dim dim;
  for (WireCursor cursor(bytes, "Dimension"); cursor.next();) {
    const Field& field = cursor.field();
    if (field.number() == 1) {
      // -1 is what some exporters write for an unknown size.
      if (field.integer() < -1) throw ModelError(cat("a declared dimension is ", field.integer()));
      dim = Dim(field.integer());
    } else if (field.number() == 2) {
      dim = Dim::named(std::string(field.text()));
    }
  }
  return dim;
}

SymbolicShape parse_shape(Bytes bytes) {
  constexpr std::size_t most_dimensions = 1024;
  SymbolicShape shape;
  for (WireCursor cursor(bytes, "TensorShapeProto"); cursor.next();) {
    if (cursor.field().number() != 1) continue;
    if (shape.size() == most_dimensions) throw LimitError(cat("a type has more than ", most_dimensions, " dimensions"));
    shape.push_back(parse_dim(cursor.field().bytes()));
  }
  return shape;
}

ValueType parse_tensor_type(Bytes bytes) {
  ValueType type;
  for (WireCursor cursor(bytes, "TypeProto.Tensor"); cursor.next();) {
    const Field& field = cursor.field();
    if (field.number() == 1) {
      if (field.integer() < 0 || field.integer() >= num_dtypes) {
        throw UnsupportedError(cat("element type ", field.integer(), " is not known"));
      }
      type.dtype = static_cast<DType>(field.integer());
    } else if (field.number() == 2) {
      type.shape = parse_shape(field.bytes());
    }
  }
  return type;
}

ValueType parse_element(Bytes bytes, int depth) {
  ValueType element;
  for (WireCursor cursor(bytes, "TypeProto.Sequence"); cursor.next();) {
    if (cursor.field().number() == 1) element = parse_type(cursor.field().bytes(), depth + 1);
  }
  return element;
}

}  // namespace

ValueType parse_type(Bytes bytes, int depth) {
  if (depth > max_type_depth) throw LimitError(cat("types are nested more than ", max_type_depth, " deep"));
  ValueType type;
  for (WireCursor cursor(bytes, "TypeProto"); cursor.next();) {
    const Field& field = cursor.field();
    switch (field.number()) {
      case 1:
        type = parse_tensor_type(field.bytes());
        break;
      case 4:
        type = ValueType::sequence(parse_element(field.bytes(), depth));
        break;
      case 9:
        type = ValueType::optional(parse_element(field.bytes(), depth));
        break;
      case 5:
        throw UnsupportedError("values of map type are not supported");
      case 7:
        throw UnsupportedError("values of opaque type are not supported");
      case 8:
        throw UnsupportedError("values of sparse tensor type are not supported");
      default:
        break;
    }
  }
  return type;
}

}  // namespace adze::onnx
