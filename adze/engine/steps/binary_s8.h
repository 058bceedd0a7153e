#pragma once

#include <cstdint>
#include <memory>

#include "adze/engine/step.h"

namespace adze::engine {

struct BinaryS8Operand {
  const std::uint8_t* bytes;
  DType dtype;
  Shape shape;
};

/// A sum or product bound to its kernel and operands.
class BoundBinaryS8 {
 public:
  virtual ~BoundBinaryS8() = default;
  /// Rows (of the output's last axis) [begin, end), which lie within one piece.
  virtual void run(std::int64_t begin, std::int64_t end, std::int64_t piece) const = 0;
};

/// node: QAdd, QSub or QMul with its attributes. Null when the kernel cannot take the operands' shapes.
std::shared_ptr<const BoundBinaryS8> bind_binary_kernel_s8(const Node& node, const BinaryS8Operand& a,
                                                           const BinaryS8Operand& b, const Shape& shape,
                                                           std::uint8_t* y, Isa isa);

/// QAdd, QSub and QMul of bytes; null for other dtypes.
std::unique_ptr<Step> bind_binary_s8(const BindContext& context);

}  // namespace adze::engine
