#include "adze/engine/steps/sparse_weights.h"

#include <algorithm>
#include <cstring>
#include <vector>

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

std::int64_t sparse_numbers(const DenseF32Source& source, const SparseCounts& counts, SparseForm form) {
  const std::int64_t starts = form.slices * ((source.columns + form.block - 1) / form.block) + 1;
  return starts + (form.block == 1 ? 2 * counts.single : (1 + form.block) * counts.blocks);
}

void pack_sparse(const DenseF32Source& source, SparseForm form, std::span<std::int32_t> packed) {
  const std::int64_t block = form.block, blocks = (source.columns + block - 1) / block;
  const std::int64_t depth = source.taps * source.inputs, slice = (depth + form.slices - 1) / form.slices;
  const std::int64_t starts = form.slices * blocks + 1;
  const auto entries = (static_cast<std::int64_t>(packed.size()) - starts) / (1 + block);
  std::int32_t* indices = packed.data() + starts;
  std::int32_t* values = indices + entries;
  std::int32_t entry = 0;
  for (std::int64_t at = 0; at < form.slices * blocks; ++at) {
    const std::int64_t begin = at / blocks * slice, b = at % blocks;
    packed[static_cast<std::size_t>(at)] = entry;
    for (std::int64_t k = begin; k < std::min(begin + slice, depth); ++k) {
      float weights[8] = {};
      bool any = false;
      for (std::int64_t c = 0; c < block && b * block + c < source.columns; ++c) {
        weights[c] = weight(source, k, b * block + c);
        any = any || weights[c] != 0.0f;
      }
      if (!any) continue;
      indices[entry] = static_cast<std::int32_t>(k);
      std::memcpy(values + entry * block, weights, static_cast<std::size_t>(block) * sizeof(float));
      ++entry;
    }
  }
  packed[static_cast<std::size_t>(starts - 1)] = entry;
}

SparseWeights sparse_weights_in(std::span<const std::int32_t> packed, std::int64_t columns, SparseForm form) {
  SparseWeights weights;
  weights.block = form.block;
  weights.blocks = (columns + form.block - 1) / form.block;
  weights.slices = form.slices;
  weights.starts = packed.first(static_cast<std::size_t>(weights.slices * weights.blocks + 1));
  const auto entries = static_cast<std::size_t>(weights.starts.back());
  weights.indices = packed.subspan(weights.starts.size(), entries);
  weights.values = {reinterpret_cast<const float*>(weights.indices.data() + entries),
                    entries * static_cast<std::size_t>(form.block)};
  return weights;
}

}  // namespace adze::engine
