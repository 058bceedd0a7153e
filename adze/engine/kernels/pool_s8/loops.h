#pragma once

// For the files of this family: each compiles it for its own instruction set. No symbol may reach other files.
#include <algorithm>

#include "adze/engine/kernels/pool_s8/pool_s8_call.h"

namespace adze::kernels {
namespace {

template <typename T, int lanes>
struct VectorOf {
  typedef T Type __attribute__((vector_size(lanes * sizeof(T))));
};
template <typename T, int lanes>
using Vector = typename VectorOf<T, lanes>::Type;

template <typename V>
inline V load(const void* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

/// Calls block<lanes>(channel) for whole vectors, the last one overlapping the one before, then narrower ones.
template <int lanes, typename Block>
inline void each_block(std::int64_t channels, Block block) {
  if constexpr (lanes == 1) {
    for (std::int64_t c = 0; c < channels; ++c) block.template operator()<1>(c);
  } else if (channels < lanes) {
    each_block<lanes / 2>(channels, block);
  } else {
    for (std::int64_t c = 0; c < channels; c += lanes) block.template operator()<lanes>(std::min(c, channels - lanes));
  }
}

template <typename T, int most_lanes>
inline void max_of(const PoolS8Call& call, std::uint8_t* y) {
  each_block<most_lanes>(call.channels, [&]<int lanes>(std::int64_t c) {
    using V = Vector<T, lanes>;
    V best = load<V>(call.x + c);
    for (std::int64_t row = 0; row < call.rows; ++row) {
      const std::uint8_t* x = call.x + row * call.row_step + c;
      for (std::int64_t column = 0; column < call.columns; ++column, x += call.column_step) {
        const V tap = load<V>(x);
        best = tap > best ? tap : best;
      }
    }
    __builtin_memcpy(y + c, &best, sizeof best);
  });
}

/// Sums of up to 256 taps fit 16 bits.
template <typename T, typename Wide, int most_lanes>
inline void sum_of(const PoolS8Call& call, std::int32_t* sums) {
  constexpr std::int64_t most_taps = 256;
  each_block<most_lanes>(call.channels, [&]<int lanes>(std::int64_t c) {
    std::int32_t total[lanes] = {};
    for (std::int64_t row = 0; row < call.rows; ++row) {
      for (std::int64_t first = 0; first < call.columns; first += most_taps) {
        const std::uint8_t* x = call.x + row * call.row_step + first * call.column_step + c;
        Vector<Wide, lanes> part{};
        const std::int64_t count = std::min(most_taps, call.columns - first);
        for (std::int64_t i = 0; i < count; ++i, x += call.column_step) {
          part += __builtin_convertvector(load<Vector<T, lanes>>(x), Vector<Wide, lanes>);
        }
        for (int i = 0; i < lanes; ++i) total[i] += part[i];
      }
    }
    __builtin_memcpy(sums + c, total, sizeof total);
  });
}

template <int lanes>
inline void max_of_either(const PoolS8Call& call, std::uint8_t* y) {
  call.is_signed ? max_of<std::int8_t, lanes>(call, y) : max_of<std::uint8_t, lanes>(call, y);
}

template <int lanes>
inline void sum_of_either(const PoolS8Call& call, std::int32_t* sums) {
  call.is_signed ? sum_of<std::int8_t, std::int16_t, lanes>(call, sums)
                 : sum_of<std::uint8_t, std::uint16_t, lanes>(call, sums);
}

}  // namespace
}  // namespace adze::kernels
