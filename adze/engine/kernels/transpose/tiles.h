#pragma once

// For kernel files only. Everything in an unnamed namespace: no symbol may reach other files.
#include <cstdint>

#include "adze/engine/kernels/transpose/transpose_call.h"

namespace adze::kernels {
namespace {

/// A tile that is not whole: what is there, turned in a buffer. Tile: Element, side, turn(from, step, to, step).
template <typename Tile>
void turn_part(const typename Tile::Element* x, std::int64_t rows, std::int64_t columns, std::int64_t x_step,
               typename Tile::Element* y, std::int64_t y_step) {
  using Element = typename Tile::Element;
  constexpr std::int64_t side = Tile::side;
  alignas(64) Element from[side * side] = {}, to[side * side];
  for (std::int64_t i = 0; i < rows; ++i) {
    __builtin_memcpy(from + i * side, x + i * x_step, static_cast<std::size_t>(columns) * sizeof(Element));
  }
  Tile::turn(from, side, to, side);
  for (std::int64_t j = 0; j < columns; ++j) {
    __builtin_memcpy(y + j * y_step, to + j * side, static_cast<std::size_t>(rows) * sizeof(Element));
  }
}

/// Too few rows or columns for a tile to be worth its while.
template <typename Element>
void turn_strip(const Element* x, std::int64_t rows, std::int64_t columns, std::int64_t x_step, Element* y,
                std::int64_t y_step) {
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t i = 0; i < rows; ++i) y[j * y_step + i] = x[i * x_step + j];
  }
}

/// In squares of tiles that stay in the nearest cache on both sides. least_part: elements of a tile from which on one
/// that is not whole takes less time in a buffer than element by element.
template <typename Tile>
void turn_all(const TransposeCall& call) {
  using Element = typename Tile::Element;
  constexpr std::int64_t side = Tile::side, square = 64, least_part = 160;
  const auto least = [](std::int64_t a, std::int64_t b) { return a < b ? a : b; };
  for (std::int64_t jj = 0; jj < call.columns; jj += square) {
    for (std::int64_t ii = 0; ii < call.rows; ii += square) {
      for (std::int64_t j = jj; j < least(jj + square, call.columns); j += side) {
        const std::int64_t columns = call.columns - j;
        const std::int64_t end = least(ii + square, call.rows);
        for (std::int64_t i = ii; i < end; i += side) {
          const Element* x = static_cast<const Element*>(call.x) + i * call.x_step + j;
          Element* y = static_cast<Element*>(call.y) + j * call.y_step + i;
          const std::int64_t rows = call.rows - i;
          if (columns < side && least(rows, side) * columns < least_part) {
            turn_strip(x, end - i, columns, call.x_step, y, call.y_step);
            break;
          }
          if (rows < side && rows * least(columns, side) < least_part) {
            turn_strip(x, rows, least(columns, side), call.x_step, y, call.y_step);
          } else if (rows >= side && columns >= side) {
            Tile::turn(x, call.x_step, y, call.y_step);
          } else {
            turn_part<Tile>(x, least(rows, side), least(columns, side), call.x_step, y, call.y_step);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace adze::kernels
