#pragma once

// For instruction-set files only, after f32_<isa>.h. Everything in an unnamed namespace.
#include "adze/engine/kernels/spmm_f32/spmm_f32_call.h"

namespace adze::kernels {
namespace {

/// Columns first to last one by one, those weights that read inputs of one slice; U weights at a time, so that sums do
/// not wait for each other.
template <typename V, int T>
void slice_sums(const SpmmF32Call& call, std::int64_t slice, std::int64_t first, std::int64_t last) {
  constexpr int U = 2;  // for any T: which tile a pixel lies in does not change its sums
  constexpr std::int64_t width = T * V::lanes;
  const auto low = V::set(call.low), high = V::set(call.high);
  const bool ends = slice == call.slices - 1;
  const std::int32_t* starts = call.starts + slice * call.blocks;
  for (std::int64_t j = first; j < last; ++j) {
    typename V::Vector acc[U][T];
    float* sums = call.sums + (j - first) * width;
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[0][t] = slice == 0 ? V::set(call.bias[j]) : V::load(sums + t * V::lanes);
#pragma GCC unroll 8
    for (int u = 1; u < U; ++u) {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) acc[u][t] = V::set(0.0f);
    }
    std::int32_t e = starts[j];
    const std::int32_t end = starts[j + 1];
    for (; e + U <= end; e += U) {
#pragma GCC unroll 8
      for (int u = 0; u < U; ++u) {
        const auto w = V::set(call.values[e + u]);
        const float* x = call.panel + call.indices[e + u] * width;
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) acc[u][t] = V::fma(w, V::load(x + t * V::lanes), acc[u][t]);
      }
    }
    for (; e < end; ++e) {
      const auto w = V::set(call.values[e]);
      const float* x = call.panel + call.indices[e] * width;
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) acc[0][t] = V::fma(w, V::load(x + t * V::lanes), acc[0][t]);
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
      for (int u = 1; u < U; ++u) acc[0][t] = V::add(acc[0][t], acc[u][t]);
      V::store(sums + t * V::lanes, ends ? V::clamp(acc[0][t], low, high) : acc[0][t]);
    }
  }
}

template <typename V, int T>
void single_sums_of(const SpmmF32Call& call, std::int64_t first, std::int64_t last) {
  for (std::int64_t slice = 0; slice < call.slices; ++slice) slice_sums<V, T>(call, slice, first, last);
}

/// For 1 to 4 vectors of rows.
template <typename V>
void single_sums(const SpmmF32Call& call, std::int64_t first, std::int64_t last) {
  switch (call.vectors) {
    case 1:
      return single_sums_of<V, 1>(call, first, last);
    case 2:
      return single_sums_of<V, 2>(call, first, last);
    case 3:
      return single_sums_of<V, 3>(call, first, last);
    default:
      return single_sums_of<V, 4>(call, first, last);
  }
}

/// Eight columns that read the same inputs.
template <typename V, int T>
void block_sums(const SpmmF32Call& call, std::int64_t first, std::int64_t last) {
  constexpr std::int64_t width = T * V::lanes;
  const auto low = V::set(call.low), high = V::set(call.high);
  for (std::int64_t b = first / 8; b < last / 8; ++b) {
    typename V::Vector acc[8][T];
#pragma GCC unroll 8
    for (int r = 0; r < 8; ++r) {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) acc[r][t] = V::set(call.bias[b * 8 + r]);
    }
    for (std::int32_t e = call.starts[b]; e < call.starts[b + 1]; ++e) {
      const float* from = call.panel + call.indices[e] * width;
      const float* w = call.values + static_cast<std::int64_t>(e) * 8;
      typename V::Vector x[T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) x[t] = V::load(from + t * V::lanes);
#pragma GCC unroll 8
      for (int r = 0; r < 8; ++r) {
        const auto weight = V::set(w[r]);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) acc[r][t] = V::fma(weight, x[t], acc[r][t]);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < 8; ++r) {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        V::store(call.sums + (b * 8 + r - first) * width + t * V::lanes, V::clamp(acc[r][t], low, high));
      }
    }
  }
}

/// The panel: input k of row r at [k][r]. transpose(from, to, to_stride) turns lanes rows of lanes floats at the given
/// addresses into lanes rows of `to`.
template <typename V, typename Transpose>
void fill_panel(const SpmmF32Call& call, const Transpose& transpose) {
  const std::int64_t width = call.vectors * V::lanes;
  for (std::int64_t s = 0; s < call.segments; ++s) {
    float* panel = call.panel + s * call.depth * width;
    for (std::int64_t first = 0; first < width; first += V::lanes) {
      const float* rows[V::lanes];
      for (std::int64_t r = 0; r < V::lanes; ++r) {
        const std::int64_t row = first + r < call.row_count ? first + r : call.row_count - 1;
        rows[r] = call.rows[row] + call.offsets[s];
      }
      std::int64_t k = 0;
      for (; k + V::lanes <= call.depth; k += V::lanes) {
        transpose(rows, k, panel + k * width + first, width);
      }
      for (; k < call.depth; ++k) {
        for (std::int64_t r = 0; r < V::lanes; ++r) panel[k * width + first + r] = rows[r][k];
      }
    }
  }
}

/// From sums [column][row] to columns of y [row][column].
template <typename V, typename Transpose>
void write_rows(const SpmmF32Call& call, const Transpose& transpose, std::int64_t columns, float* y) {
  const std::int64_t width = call.vectors * V::lanes;
  for (std::int64_t first = 0; first < call.row_count; first += V::lanes) {
    std::int64_t j = 0;
    if (first + V::lanes <= call.row_count) {
      for (; j + V::lanes <= columns; j += V::lanes) {
        const float* rows[V::lanes];
        for (std::int64_t c = 0; c < V::lanes; ++c) rows[c] = call.sums + (j + c) * width + first;
        transpose(rows, 0, y + first * call.y_stride + j, call.y_stride);
      }
    }
    const std::int64_t end = first + V::lanes < call.row_count ? first + V::lanes : call.row_count;
    for (; j < columns; ++j) {
      for (std::int64_t r = first; r < end; ++r) y[r * call.y_stride + j] = call.sums[j * width + r];
    }
  }
}

/// All columns, some at a time, so that their sums are still in the nearest cache when they are turned into rows. With
/// slices all at once: the inputs of a slice are read for every group. sums(first, last) computes columns.
template <typename V, typename Transpose, typename Sums>
void sum_columns(const SpmmF32Call& call, const Transpose& transpose, const Sums& sums) {
  const std::int64_t all = call.blocks * call.block, group = call.slices == 1 ? 64 : all;
  for (std::int64_t first = 0; first < all; first += group) {
    const std::int64_t last = first + group < all ? first + group : all;
    sums(first, last);
    write_rows<V>(call, transpose, (last < call.columns ? last : call.columns) - first, call.y + first);
  }
}

}  // namespace
}  // namespace adze::kernels
