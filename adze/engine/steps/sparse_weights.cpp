#include "adze/engine/steps/sparse_weights.h"

#include <algorithm>

namespace adze::engine {

namespace {

using kernels::DenseF32Source;

float weight(const DenseF32Source& source, std::int64_t depth_index, std::int64_t column) {
  const std::int64_t tap = depth_index / source.inputs, input = depth_index % source.inputs;
  return source.weights[tap * source.tap_step + input * source.input_step + column * source.column_step] *
         source.factor;
}

/// Below this share of zeros no sparse kernel wins.
constexpr double least_zeros = 0.4;

}  // namespace

std::optional<SparseCounts> count_sparse(const DenseF32Source& source) {
  const std::int64_t depth = source.taps * source.inputs;
  if (depth * source.columns >= INT32_MAX / 8) return std::nullopt;
  constexpr std::int64_t looked_at = 512;
  std::int64_t zeros = 0;
  for (std::int64_t i = 0; i < looked_at; ++i) {  // spread over all weights
    const std::int64_t at = i * 7919 % (depth * source.columns);
    if (weight(source, at / source.columns, at % source.columns) == 0.0f) ++zeros;
  }
  if (static_cast<double>(zeros) < least_zeros * looked_at) return std::nullopt;
  SparseCounts counts;
  std::vector<std::uint8_t> used(static_cast<std::size_t>(depth));
  for (std::int64_t first = 0; first < source.columns; first += 8) {
    std::fill(used.begin(), used.end(), std::uint8_t{0});
    for (std::int64_t column = first; column < std::min(first + 8, source.columns); ++column) {
      for (std::int64_t k = 0; k < depth; ++k) {
        if (weight(source, k, column) == 0.0f) continue;
        ++counts.single;
        used[static_cast<std::size_t>(k)] = 1;
      }
    }
    counts.blocks += std::count(used.begin(), used.end(), std::uint8_t{1});
  }
  return counts;
}

SparseWeights pack_sparse(const DenseF32Source& source, std::int64_t block) {
  SparseWeights packed;
  packed.block = block;
  packed.blocks = (source.columns + block - 1) / block;
  packed.starts.push_back(0);
  const std::int64_t depth = source.taps * source.inputs;
  for (std::int64_t first = 0; first < source.columns; first += block) {
    for (std::int64_t k = 0; k < depth; ++k) {
      float values[8] = {};
      bool any = false;
      for (std::int64_t c = 0; c < block && first + c < source.columns; ++c) {
        values[c] = weight(source, k, first + c);
        any = any || values[c] != 0.0f;
      }
      if (!any) continue;
      packed.indices.push_back(static_cast<std::int32_t>(k));
      packed.values.insert(packed.values.end(), values, values + block);
    }
    packed.starts.push_back(static_cast<std::int32_t>(packed.indices.size()));
  }
  return packed;
}

}  // namespace adze::engine
