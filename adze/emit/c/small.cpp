#include "adze/emit/c/small.h"

#include <algorithm>
#include <initializer_list>

#include "adze/base/text.h"
#include "adze/emit/c/weight_codes.h"
#include "adze/plan/integer_parameters.h"

namespace adze::emit {

namespace {

bool all_within(std::initializer_list<std::int64_t> values, std::int64_t low, std::int64_t high) {
  return std::ranges::all_of(values, [&](std::int64_t value) { return value >= low && value <= high; });
}

struct SmallTable {
  int kind = 1;
  std::vector<std::int32_t> numbers;  ///< pairs (multiplier, bias · 64 + shift + 32)
};

/// What a channel gives whatever comes, as training leaves the ones that it has emptied.
std::optional<std::int32_t> only_result(const RequantizeParameters& by, const SumRange& range, const Affine& y) {
  if (!all_within({range.low, range.high}, INT32_MIN, INT32_MAX)) return std::nullopt;
  const std::int32_t lowest = requantize_to(static_cast<std::int32_t>(range.low), by, y);
  if (lowest != requantize_to(static_cast<std::int32_t>(range.high), by, y)) return std::nullopt;
  return lowest;
}

/// A channel that gives one number whatever comes is (0, number · 64 + 32); its weights are set to zero, which stores
/// well. Nothing when a number does not fit.
std::optional<SmallTable> small_channels(const LayerWriter& writer, Rows& rows) {
  const auto biases = folded_biases(writer, rows, input_affine(writer.node()).zero_point);
  const auto ranges = sum_ranges(rows, biases);
  const auto by = requantize_parameters(writer.node(), rows.rows);
  const Affine y = output_affine(writer.node());
  const ChannelTable wide = channel_table(by, biases, ranges, y);
  SmallTable table{wide.kind, {}};
  for (std::size_t i = 0; i < biases.size(); ++i) {
    const Channel& channel = wide.channels[i];
    if (const auto result = only_result(by[i], ranges[i], y)) {
      table.numbers.insert(table.numbers.end(), {0, *result * 64 + 32});
      const auto row = rows.values.begin() + static_cast<std::ptrdiff_t>(i) * rows.depth;
      std::fill(row, row + rows.depth, 0);
      continue;
    }
    const bool fits = channel.multiplier != 0 && all_within({channel.shift}, -32, 31) &&
                      all_within({biases[i]}, -(1 << 25), (1 << 25) - 1);
    if (!fits) return std::nullopt;
    table.numbers.insert(table.numbers.end(), {channel.multiplier, biases[i] * 64 + channel.shift + 32});
  }
  return table;
}

}  // namespace

bool write_small(LayerWriter& writer, const Rows& given, const WindowWalk& walk, std::int64_t batch,
                 std::int64_t groups) {
  const bool sizes =
      all_within({batch, walk.in_h, walk.in_w, walk.in_c, walk.out_h, walk.out_w, walk.out_c, groups}, 1, 65535) &&
      all_within({walk.kernel_h, walk.kernel_w, walk.stride_h, walk.stride_w, walk.dilation_h, walk.dilation_w}, 1,
                 255) &&
      all_within({walk.pad_top, walk.pad_left}, 0, 255);
  const Affine y = output_affine(writer.node());
  const std::int32_t zero_point = input_affine(writer.node()).zero_point;
  if (!sizes || !all_within({zero_point, y.zero_point, y.min, y.max}, -128, 127)) return false;
  Rows rows = given;
  const auto table = small_channels(writer, rows);
  if (!table) return false;
  const std::string channels = writer.table("channels", "int32_t", table->numbers);
  // Decoding takes some ten instructions a weight and two hundred bytes of code: a few per cent are not worth it.
  const auto codes = weight_codes(rows, std::max<std::int64_t>(200, std::ssize(rows.values) / 8));
  const std::string weights = writer.table("weights", "int8_t", codes ? codes->stream : pack_rows(rows, rows.depth));
  const bool has_values = codes && !codes->values.empty();
  const std::string values = has_values ? writer.table("values", "int8_t", codes->values) : "0";
  writer.use("adze_small_s8.c");
  writer.open("static const adze_small layer =");
  writer.line(cat(weights, ", (const adze_small_channel *)", channels, ","));
  writer.line(cat(batch, ", ", walk.in_h, ", ", walk.in_w, ", ", walk.in_c, ", ", walk.out_h, ", ", walk.out_w, ", ",
                  walk.out_c, ", ", groups, ","));
  writer.line(cat(walk.kernel_h, ", ", walk.kernel_w, ", ", walk.stride_h, ", ", walk.stride_w, ", ", walk.dilation_h,
                  ", ", walk.dilation_w, ", ", walk.pad_top, ", ", walk.pad_left, ","));
  writer.line(cat(zero_point, ", ", y.zero_point, ", ", y.min, ", ", y.max, ", ", table->kind, ", ",
                  codes ? codes->bits : 8, ", ", codes && codes->sparse ? 1 : 0));
  writer.close(";");
  const bool pointwise = walk.kernel_h == 1 && walk.kernel_w == 1 && walk.pad_top == 0 && walk.pad_left == 0;
  const std::int64_t patch_bytes = pointwise ? 0 : (walk.kernel_h * walk.kernel_w * walk.in_c + 3) / 4 * 4;
  if (codes) {
    writer.use("adze_codes_s8.c");
    const std::string scratch = writer.scratch(patch_bytes + 4 * rows.depth);
    const std::string patch = pointwise ? "0" : cat("(int8_t *)", scratch);
    writer.line(cat("adze_codes_s8(&layer, ", values, ", ", writer.in(0), ", ", writer.out(), ", ", patch,
                    ", (int8_t *)", scratch, " + ", patch_bytes, ");"));
    return true;
  }
  if (batch == 1) writer.may_overlap(0, pixel_distance(walk, 1, !pointwise));
  const std::string patch = pointwise ? "0" : cat("(int8_t *)", writer.scratch(patch_bytes));
  writer.line(cat("adze_small_s8(&layer, ", writer.in(0), ", ", writer.out(), ", ", patch, ");"));
  return true;
}

}  // namespace adze::emit
