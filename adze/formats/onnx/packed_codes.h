#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "adze/formats/onnx/messages.h"
#include "adze/formats/onnx/wire_writer.h"
#include "adze/graph/graph.h"

namespace adze::onnx {

// Weights of one or two bits have no type in opset 21. They are stored eight or four to a byte and unpacked by a
// function of the model, adze.UnpackCodes, whose body other runtimes compute:
//   code = ((byte >> shift) & mask) · factor + offset, for every byte and every shift, as many as shape holds.

inline constexpr std::string_view packed_codes_domain = "adze", packed_codes_function = "UnpackCodes";

/// Codes put together in bytes, the first in the lowest bits.
struct PackedCodes {
  Tensor bytes;  ///< u8 [count]
  std::vector<std::int64_t> shifts;
  std::int64_t mask = 1, factor = 1, offset = 0;
};

/// Signs (-1 and 1) in one bit, -2 to 1 in two. Nothing for tensors that hold other codes, that are not s8 or s4, or
/// that are too small for a node to pay.
std::optional<PackedCodes> pack_codes(const Tensor& codes);

/// Those constants of a graph that may be stored so: only read as what a DequantizeLinear without a zero point of
/// another type restores.
std::vector<bool> packable_constants(const Graph& graph);

/// A NodeProto that computes value from packed bytes.
WireMessage encode_unpacking(const PackedCodes& packed, const Shape& shape, std::string_view bytes,
                             std::string_view value);

/// The FunctionProto. opset: 18 or later.
WireMessage encode_unpack_function(int opset);

/// What a call of the function computes, s8. Throws ModelError for bytes and attributes that do not fit together.
Tensor unpack_codes(const Tensor& bytes, const std::map<std::string_view, AttributeMessage>& attributes);

}  // namespace adze::onnx
