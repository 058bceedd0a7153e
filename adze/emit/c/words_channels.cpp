// How sums over 16-bit activations become 16 bits again.
#include <algorithm>
#include <limits>
#include <optional>

#include "adze/emit/c/words.h"
#include "adze/plan/integer_parameters.h"

namespace adze::emit {

namespace {

constexpr int kind_fast = 0;

std::int32_t low_word(std::int64_t value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)));
}
std::int32_t high_word(std::int64_t value) {
  return static_cast<std::int32_t>(value >> 32);
}

bool fits_32_bits(const SumRange& range) {
  return range.low >= std::numeric_limits<std::int32_t>::min() &&
         range.high <= std::numeric_limits<std::int32_t>::max();
}

/// As runtime/adze_s16.h says of ADZE_FAST.
std::optional<Channel> fast_channel(const RequantizeParameters& by, std::int64_t bias, const SumRange& range) {
  const ReducedMultiplier reduced = reduced_multiplier(by.fixed);
  if (!fits_32_bits(range)) return std::nullopt;
  if (reduced.multiplier == 0) return Channel{low_word(bias), 0, 0, 1};
  const int right = reduced.shift - 16;
  if (right < 1) return std::nullopt;
  return Channel{low_word(bias), reduced.multiplier << 16, 1 << (right - 1), right};
}

Channel wide_channel(const RequantizeParameters& by, std::int64_t bias) {
  const ReducedMultiplier reduced = reduced_multiplier(by.fixed);
  return {low_word(bias), reduced.multiplier, high_word(bias), reduced.shift};
}

class WordsChannels {
 public:
  WordsChannels(const LayerWriter& writer, const Rows& rows) : writer_(writer), rows_(rows) {
    const Node& node = writer.node();
    const bool has_bias = node.input(2) != ValueId::None;
    const DType bias_dtype = has_bias ? writer.need_constant(2, "the bias").dtype() : DType::Undefined;
    wide_ = sums_are_wide(node, DType::S16, bias_dtype);
    biases_ = has_bias ? to_ints(writer.need_constant(2, "the bias"))
                       : std::vector<std::int64_t>(static_cast<std::size_t>(rows.rows), 0);
    by_ = requantize_parameters(node, rows.rows);
    find_ranges();
  }

  WordsTable table() const {
    WordsTable table;
    table.narrow = std::ranges::all_of(ranges_, fits_32_bits);
    const RoundingProfile profile = by_.empty() ? RoundingProfile::Onnx : by_.front().profile;
    if (profile == RoundingProfile::Onnx || !wide_) {
      if (profile == RoundingProfile::Onnx && !wide_ && !table.narrow) writer_.refuse("sums that may leave 32 bits");
      table.kind = general_kind(profile);
      table.narrow = table.narrow || !wide_;  // they wrap
      for (std::size_t i = 0; i < by_.size(); ++i) {
        Channel channel = general_channel(by_[i]);
        channel.bias = low_word(biases_[i]);
        channel.offset = high_word(biases_[i]);
        table.channels.push_back(channel);
      }
      return table;
    }
    table.kind = kind_fast;
    for (std::size_t i = 0; i < by_.size() && table.kind == kind_fast; ++i) {
      const auto channel = fast_channel(by_[i], biases_[i], ranges_[i]);
      if (channel)
        table.channels.push_back(*channel);
      else
        table.kind = words_kind_wide;
    }
    if (table.kind == kind_fast) return table;
    table.narrow = false;
    table.channels.clear();
    for (std::size_t i = 0; i < by_.size(); ++i) table.channels.push_back(wide_channel(by_[i], biases_[i]));
    return table;
  }

 private:
  void find_ranges() {
    for (std::int64_t row = 0; row < rows_.rows; ++row) {
      SumRange range{biases_[static_cast<std::size_t>(row)], biases_[static_cast<std::size_t>(row)]};
      for (std::int64_t k = 0; k < rows_.depth; ++k) {
        const std::int64_t w = rows_.at(row, k);
        range.low += std::min(-32768 * w, 32767 * w);
        range.high += std::max(-32768 * w, 32767 * w);
      }
      if (range.low < -largest_wide_sum || range.high > largest_wide_sum) writer_.refuse("sums that leave 48 bits");
      ranges_.push_back(range);
    }
  }

  const LayerWriter& writer_;
  const Rows& rows_;
  bool wide_ = true;
  std::vector<std::int64_t> biases_;
  std::vector<RequantizeParameters> by_;
  std::vector<SumRange> ranges_;
};

}  // namespace

WordsTable words_table(const LayerWriter& writer, const Rows& rows) {
  return WordsChannels(writer, rows).table();
}

Channel wide_words_channel(const RequantizeParameters& by) {
  return wide_channel(by, 0);
}

}  // namespace adze::emit
