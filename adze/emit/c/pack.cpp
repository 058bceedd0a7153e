#include "adze/emit/c/pack.h"

namespace adze::emit {

Rows conv_rows(const Tensor& weights, std::int32_t zero_point) {
  const std::int64_t filters = weights.dim(0), channels = weights.dim(1);
  const std::int64_t taps = filters * channels == 0 ? 0 : weights.size() / (filters * channels);
  Rows rows{filters, channels * taps, {}};
  rows.values.resize(static_cast<std::size_t>(weights.size()));
  for (std::int64_t m = 0; m < filters; ++m) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t t = 0; t < taps; ++t) {
        const auto value = static_cast<std::int32_t>(weights.get_int((m * channels + c) * taps + t));
        rows.values[static_cast<std::size_t>(m * rows.depth + t * channels + c)] = value - zero_point;
      }
    }
  }
  return rows;
}

Rows gemm_rows(const Tensor& weights, bool is_transposed, std::int32_t zero_point) {
  const std::int64_t columns = is_transposed ? weights.dim(0) : weights.dim(1);
  Rows rows{columns, is_transposed ? weights.dim(1) : weights.dim(0), {}};
  for (std::int64_t n = 0; n < columns; ++n) {
    for (std::int64_t k = 0; k < rows.depth; ++k) {
      const std::int64_t at = is_transposed ? n * rows.depth + k : k * columns + n;
      rows.values.push_back(static_cast<std::int32_t>(weights.get_int(at)) - zero_point);
    }
  }
  return rows;
}

bool fits_bytes(const Rows& rows) {
  for (const std::int32_t value : rows.values) {
    if (value < -128 || value > 127) return false;
  }
  return true;
}

std::vector<std::int8_t> pack_rows(const Rows& rows, std::int64_t stored_depth) {
  std::vector<std::int8_t> packed(static_cast<std::size_t>(rows.rows * stored_depth), 0);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    for (std::int64_t k = 0; k < rows.depth; ++k) {
      packed[static_cast<std::size_t>(row * stored_depth + k)] = static_cast<std::int8_t>(rows.at(row, k));
    }
  }
  return packed;
}

namespace {

/// Zero beyond the rows and their products.
std::uint32_t byte_at(const Rows& rows, std::int64_t row, std::int64_t k) {
  const bool exists = row < rows.rows && k < rows.depth;
  return exists ? static_cast<std::uint8_t>(static_cast<std::int8_t>(rows.at(row, k))) : 0;
}

}  // namespace

std::vector<std::uint32_t> pack_pairs(const Rows& rows, std::int64_t stored_depth) {
  std::vector<std::uint32_t> packed;
  for (std::int64_t row = 0; row < rows.rows; row += 2) {
    for (std::int64_t k = 0; k < stored_depth; k += 2) {
      packed.push_back(byte_at(rows, row, k) | byte_at(rows, row + 1, k) << 8 | byte_at(rows, row, k + 1) << 16 |
                       byte_at(rows, row + 1, k + 1) << 24);
    }
  }
  return packed;
}

std::vector<std::uint32_t> pack_dsp(const Rows& rows, std::int64_t stored_depth) {
  std::vector<std::uint32_t> packed;
  for (std::int64_t row = 0; row < rows.rows; row += 2) {
    for (std::int64_t k = 0; k < stored_depth; k += 4) {
      for (std::int64_t odd = 0; odd < 2; ++odd) {
        packed.push_back(byte_at(rows, row, k + odd) | byte_at(rows, row + 1, k + odd) << 8 |
                         byte_at(rows, row, k + odd + 2) << 16 | byte_at(rows, row + 1, k + odd + 2) << 24);
      }
    }
  }
  return packed;
}

std::vector<std::int8_t> pack_mve(const Rows& rows, std::int64_t stored_depth, std::int64_t together) {
  std::vector<std::int8_t> packed;
  for (std::int64_t first = 0; first < rows.rows; first += 4) {
    for (std::int64_t block = 0; block < stored_depth; block += together) {
      for (std::int64_t i = 0; i < 4 * together; ++i) {
        const std::int64_t row = first + i / together, k = block + i % together;
        const bool exists = row < rows.rows && k < rows.depth;
        packed.push_back(exists ? static_cast<std::int8_t>(rows.at(row, k)) : std::int8_t{0});
      }
    }
  }
  return packed;
}

std::vector<std::int8_t> pack_depthwise_mve(const Rows& rows) {
  std::vector<std::int8_t> packed;
  for (std::int64_t first = 0; first < rows.rows; first += 4) {
    for (std::int64_t i = 0; i < 4 * rows.depth; ++i) {
      const std::int64_t c = first + i % 4;
      packed.push_back(c < rows.rows ? static_cast<std::int8_t>(rows.at(c, i / 4)) : std::int8_t{0});
    }
  }
  return packed;
}

std::vector<std::int8_t> pack_depthwise_3x3_mve(const Rows& rows) {
  std::vector<std::int8_t> packed(static_cast<std::size_t>(16 * rows.rows), 0);
  for (std::int64_t c = 0; c < rows.rows; ++c) {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      packed[static_cast<std::size_t>(16 * c + tap % 3 * 4 + tap / 3)] = static_cast<std::int8_t>(rows.at(c, tap));
    }
  }
  return packed;
}

std::vector<std::int8_t> pack_depthwise(const Rows& rows) {
  std::vector<std::int8_t> packed;
  for (std::int64_t tap = 0; tap < rows.depth; ++tap) {
    for (std::int64_t c = 0; c < rows.rows; ++c) packed.push_back(static_cast<std::int8_t>(rows.at(c, tap)));
  }
  return packed;
}

std::vector<std::uint32_t> pack_depthwise_dsp(const Rows& rows) {
  const auto half = [&](std::int64_t c, std::int64_t tap) -> std::uint32_t {
    return c < rows.rows ? static_cast<std::uint16_t>(static_cast<std::int16_t>(rows.at(c, tap))) : 0;
  };
  std::vector<std::uint32_t> packed;
  for (std::int64_t c = 0; c < rows.rows; c += 4) {
    for (std::int64_t odd = 0; odd < 2; ++odd) {
      for (std::int64_t tap = 0; tap < rows.depth; ++tap) {
        packed.push_back(half(c + odd, tap) | half(c + odd + 2, tap) << 16);
      }
    }
  }
  return packed;
}

}  // namespace adze::emit
