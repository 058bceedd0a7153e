#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/numerics/tensor.h"

/// Smaller forms of weights.
namespace adze::encode {

/// How places of zeros are told.
enum class ZeroMap : std::uint8_t {
  None,    ///< every element is stored
  Bitmap,  ///< a bit an element
  Runs,    ///< the number of zeros before each value, a byte each; 255 stands for 255 zeros and no value
};

/// A tensor as bytes: dtype, shape, ZeroMap, then the map, then the elements that are not 0 (all bits), as stored:
/// 4-bit ones two a byte. The smallest of the three forms is taken.
std::vector<std::byte> encode_sparse(const Tensor& tensor);
/// Throws ModelError when the bytes are not such a form.
Tensor decode_sparse(std::span<const std::byte> bytes);

/// How many bytes encode_sparse would take, and by which map.
struct SparseSize {
  ZeroMap map = ZeroMap::None;
  std::int64_t bytes = 0;
};
SparseSize sparse_size(const Tensor& tensor);

}  // namespace adze::encode
