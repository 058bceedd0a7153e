#include "adze/emit/c/weight_codes.h"

#include <array>
#include <bit>

namespace adze::emit {

namespace {

class BitWriter {
 public:
  void put(std::uint32_t code, int bits) {
    held_ |= code << count_;
    count_ += bits;
    for (; count_ >= 8; count_ -= 8, held_ >>= 8) bytes_.push_back(static_cast<std::int8_t>(held_ & 0xffu));
  }
  std::vector<std::int8_t> finish() {
    if (count_ > 0) bytes_.push_back(static_cast<std::int8_t>(held_ & 0xffu));
    return std::move(bytes_);
  }

 private:
  std::uint32_t held_ = 0;
  int count_ = 0;
  std::vector<std::int8_t> bytes_;
};

/// Bits of a code for so many values.
int code_bits(std::size_t values) {
  return values > 128 ? 8 : static_cast<int>(std::bit_width(values == 0 ? 0 : values - 1));
}

using Counts = std::array<std::int64_t, 256>;  ///< how often each weight occurs, from -128 on

std::vector<std::int8_t> values_in(const Counts& counts, bool zero_too) {
  std::vector<std::int8_t> values;
  for (int i = 0; i < 256; ++i) {
    const bool counted = counts[static_cast<std::size_t>(i)] > 0 && (zero_too || i != 128);
    if (counted) values.push_back(static_cast<std::int8_t>(i - 128));
  }
  return values;
}

WeightCodes encoded(const Rows& rows, WeightCodes codes) {
  std::array<std::uint32_t, 256> code_of{};
  for (std::size_t i = 0; i < codes.values.size(); ++i) {
    code_of[static_cast<std::size_t>(codes.values[i] + 128)] = static_cast<std::uint32_t>(i);
  }
  BitWriter writer;
  for (const std::int32_t weight : rows.values) {
    if (codes.sparse) writer.put(weight != 0 ? 1 : 0, 1);
    if (codes.sparse && weight == 0) continue;
    const auto byte = static_cast<std::uint32_t>(static_cast<std::uint8_t>(static_cast<std::int8_t>(weight)));
    writer.put(codes.bits == 8 ? byte : code_of[static_cast<std::size_t>(weight + 128)], codes.bits);
  }
  codes.stream = writer.finish();
  return codes;
}

}  // namespace

std::optional<WeightCodes> weight_codes(const Rows& rows, std::int64_t gain) {
  Counts counts{};
  for (const std::int32_t weight : rows.values) ++counts[static_cast<std::size_t>(weight + 128)];
  const auto all = std::ssize(rows.values), zeros = counts[128];
  std::optional<WeightCodes> best;
  std::int64_t least = all - gain;
  for (const bool sparse : {false, true}) {
    WeightCodes codes;
    codes.sparse = sparse;
    codes.values = values_in(counts, !sparse);
    codes.bits = code_bits(codes.values.size());
    if (codes.bits == 8) codes.values.clear();
    if (codes.bits == 8 && !sparse) continue;
    const std::int64_t bits = sparse ? all + (all - zeros) * codes.bits : all * codes.bits;
    const std::int64_t bytes = (bits + 7) / 8 + std::ssize(codes.values);
    if (bytes > least) continue;
    least = bytes - 1;
    best = std::move(codes);
  }
  if (best) best = encoded(rows, std::move(*best));
  return best;
}

}  // namespace adze::emit
