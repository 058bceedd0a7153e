#include "adze/engine/steps/mapped_copy.h"

#include <algorithm>
#include <cstring>

namespace adze::engine {

namespace {

bool is_whole(const std::vector<std::int64_t>& map, std::int64_t size) {
  if (std::ssize(map) != size) return false;
  for (std::int64_t i = 0; i < size; ++i) {
    if (map[static_cast<std::size_t>(i)] != i) return false;
  }
  return true;
}

template <typename T>
void gather(const std::byte* x, const std::vector<std::int64_t>& offsets, std::byte* y) {
  for (const std::int64_t offset : offsets) {
    std::memcpy(y, x + offset, sizeof(T));
    y += sizeof(T);
  }
}

constexpr std::int64_t shortest_piece = 16;  ///< bytes that are worth a call of memcpy

}  // namespace

MappedCopy::MappedCopy(const Shape& x, const std::vector<std::vector<std::int64_t>>& maps, std::int64_t width,
                       const std::byte* fill)
    : width_(width) {
  const Shape strides = row_major_strides(x);
  std::size_t inner = x.size();
  std::int64_t block = width;
  while (inner > 0 && is_whole(maps[inner - 1], x[inner - 1])) block *= x[--inner];
  const auto bytes_of = [&](std::size_t axis) {
    std::vector<std::int64_t> offsets;
    for (const std::int64_t index : maps[axis]) offsets.push_back(index < 0 ? -1 : index * strides[axis] * width);
    return offsets;
  };
  const std::vector<std::int64_t> row = inner > 0 ? bytes_of(inner - 1) : std::vector<std::int64_t>{0};
  for (std::size_t axis = 0; axis + 1 < inner; ++axis) {
    outer_.push_back({bytes_of(axis)});
    rows_ *= std::ssize(maps[axis]);
  }
  row_bytes_ = std::ssize(row) * block;
  bool filled = false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    filled = filled || row[i] < 0;
    const std::int64_t to = static_cast<std::int64_t>(i) * block;
    const bool joins = !pieces_.empty() &&
                       (row[i] < 0 ? pieces_.back().from < 0
                                   : pieces_.back().from >= 0 && pieces_.back().from + pieces_.back().bytes == row[i]);
    if (joins) {
      pieces_.back().bytes += block;
    } else {
      pieces_.push_back({to, row[i], block});
    }
  }
  if (fill != nullptr) {
    for (std::int64_t at = 0; at < row_bytes_; ++at) fill_.push_back(fill[at % width]);
  }
  const bool short_pieces = row_bytes_ < shortest_piece * std::ssize(pieces_);
  if (block == width && short_pieces && !filled && (width == 1 || width == 2 || width == 4 || width == 8)) {
    offsets_ = row;
  }
}

std::int64_t MappedCopy::base_of(std::int64_t row) const {
  std::int64_t base = 0;
  for (std::size_t axis = outer_.size(); axis-- > 0;) {
    const auto& offsets = outer_[axis].offsets;
    const std::int64_t offset = offsets[static_cast<std::size_t>(row % std::ssize(offsets))];
    if (offset < 0) return -1;
    base += offset;
    row /= std::ssize(offsets);
  }
  return base;
}

void MappedCopy::copy_row(const std::byte* x, std::byte* y) const {
  if (!offsets_.empty()) {
    if (width_ == 1) return gather<std::uint8_t>(x, offsets_, y);
    if (width_ == 2) return gather<std::uint16_t>(x, offsets_, y);
    if (width_ == 4) return gather<std::uint32_t>(x, offsets_, y);
    return gather<std::uint64_t>(x, offsets_, y);
  }
  for (const Piece& piece : pieces_) {
    const std::byte* from = piece.from < 0 ? fill_.data() : x + piece.from;
    std::memcpy(y + piece.to, from, static_cast<std::size_t>(piece.bytes));
  }
}

void MappedCopy::run(const std::byte* x, std::byte* y, std::int64_t begin, std::int64_t end) const {
  std::int64_t last_base = -2;
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t base = base_of(row);
    std::byte* to = y + row * row_bytes_;
    if (base < 0) {
      std::memcpy(to, fill_.data(), static_cast<std::size_t>(row_bytes_));
    } else if (base == last_base) {
      std::memcpy(to, to - row_bytes_, static_cast<std::size_t>(row_bytes_));  // the row above, once more
    } else {
      copy_row(x + base, to);
    }
    last_base = base;
  }
}

}  // namespace adze::engine
