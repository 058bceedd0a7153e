#pragma once

#include <cstdint>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/numerics/float_formats.h"

namespace adze {

// Products with constant weights that stay codes. No operator of files: nodes of kind QGemm that the engine makes, with
// the attribute "coded", and these inputs and attributes:
//
// X f32, codes, scales? f32, zero_points?, bias? f32 [N], table? f32 -> Y f32
//   w[k, n] = scale * (code - zero_point), or scale * table[code]. codes: [K,N] of integers of 4 or 8 bits or of floats
//   of 8 or 16 bits, or [N,K] with turned=1; scales and zero_points: the same with K / block (rounded up) instead of K.
//   Sums run over the axis of X, -1 or 1, which becomes N long. input_bits=8: X is rounded to 127 steps each way in
//   groups of block inputs (parts of a long block), 0: it is taken as it is.

inline constexpr const char* coded_attribute = "coded";
inline constexpr std::size_t coded_bias_input = 4;

/// The weights of such a product, codes unpacked.
struct CodedWeights {
  std::int64_t depth = 0, columns = 0;
  std::int64_t block = 1;  ///< inputs that share a scale; the last may be fewer
  bool turned = false;
  DType dtype = DType::Undefined;         ///< of the codes
  std::vector<std::int16_t> codes;        ///< as stored: [depth][columns], or [columns][depth] when turned
  std::vector<float> scales;              ///< with blocks() instead of depth; empty: 1
  std::vector<std::int16_t> zero_points;  ///< the same; empty: 0
  std::vector<float> table;               ///< what codes stand for, also those of 8-bit floats; empty: themselves

  std::int64_t blocks() const { return (depth + block - 1) / block; }
  std::int16_t code(std::int64_t k, std::int64_t column) const {
    return codes[static_cast<std::size_t>(turned ? column * depth + k : k * columns + column)];
  }
  std::size_t scale_index(std::int64_t of_block, std::int64_t column) const {
    return static_cast<std::size_t>(turned ? column * blocks() + of_block : of_block * columns + column);
  }
  float scale(std::int64_t of_block, std::int64_t column) const {
    return scales.empty() ? 1.0f : scales[scale_index(of_block, column)];
  }
  bool is_half() const { return dtype == DType::F16 || dtype == DType::BF16; }
  std::int16_t zero_point(std::int64_t of_block, std::int64_t column) const {
    return zero_points.empty() ? std::int16_t{0} : zero_points[scale_index(of_block, column)];
  }
  /// As DequantizeLinear computes it.
  float weight(std::int64_t k, std::int64_t column) const {
    const std::int64_t of_block = k / block;
    const int raw = code(k, column);
    if (is_half()) {
      return decode_float(dtype == DType::F16 ? f16_format : bf16_format, static_cast<std::uint16_t>(raw)) *
             scale(of_block, column);
    }
    const float value =
        table.empty() ? static_cast<float>(raw - zero_point(of_block, column)) : table[static_cast<std::size_t>(raw)];
    return value * scale(of_block, column);
  }
};

/// scales, zero_points, table: null when the node has none. Throws ModelError when the constants do not fit each other.
CodedWeights coded_weights(const Node& node, const Tensor& codes, const Tensor* scales, const Tensor* zero_points,
                           const Tensor* table);

/// Integers of 4 or 8 bits, widened; the bits of floats of 8 or 16.
std::vector<std::int16_t> widened_codes(const Tensor& tensor);

/// Marks the nodes that make weights of constants in fewer bits, and that only products read which can take them so:
/// they are not to be folded. Products: MatMul, with a bias that is added behind it, Gemm, and Conv of 1x1 in one
/// group. Weights: DequantizeLinear of integers with scales by blocks, of those that take at most 16 values, of larger
/// matrices of 8 bits, of 8-bit floats; Cast of 16-bit floats; Gather from a table, which may have a scale behind it.
/// input_bits: 0 or 8.
void mark_codes(Graph& graph, int input_bits);
bool has_marked_codes(const Node& node);
/// Makes coded products of the marked nodes and what reads them.
Graph join_codes(Graph graph);

}  // namespace adze
