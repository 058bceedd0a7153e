#include "adze/quantize/kernel_sheet.h"

#include <algorithm>

#include "adze/quantize/weight_layout.h"

namespace adze::quantize {

namespace {

constexpr std::int64_t most_kernels = 64, side = 8, largest_kernel = 32;

/// Appends the taps of one input channel of one output.
void append_kernel(KernelSheet& sheet, const WeightLayout& layout, std::int64_t output, std::int64_t channel,
                   std::span<const float> before, std::span<const float> after) {
  const std::int64_t group = output / layout.outputs, own = output % layout.outputs;
  for (std::int64_t tap = 0; tap < layout.taps; ++tap) {
    const std::size_t at = layout.index(group, own, channel * layout.taps + tap);
    sheet.before.push_back(before[at]);
    sheet.after.push_back(after[at]);
  }
}

}  // namespace

KernelSheet kernel_sheet(const Node& node, const Tensor& before, std::span<const float> after) {
  const auto layout = weight_layout(node, before.shape());
  const bool drawable = layout && layout->taps > 1 && (before.rank() == 3 || before.rank() == 4) &&
                        before.dtype() == DType::F32 && std::ssize(after) == before.size();
  if (!drawable) return {};
  KernelSheet sheet;
  sheet.height = before.rank() == 4 ? before.dim(2) : 1;
  sheet.width = before.dim(before.rank() - 1);
  if (sheet.height > largest_kernel || sheet.width > largest_kernel) return {};
  const auto values = before.data<float>();
  const bool picture = layout->channels == 3 && layout->groups == 1;
  if (picture || layout->channels == 1) {
    const std::int64_t count = std::min(most_kernels, layout->all_outputs());
    sheet.colours = picture ? 3 : 1;
    while (sheet.columns * sheet.columns < count) ++sheet.columns;
    for (std::int64_t i = 0; i < count * sheet.colours; ++i) {
      append_kernel(sheet, *layout, i / sheet.colours, i % sheet.colours, values, after);
    }
    return sheet;
  }
  sheet.by_input = true;
  sheet.columns = std::min(side, layout->channels);
  for (std::int64_t output = 0; output < std::min(side, layout->all_outputs()); ++output) {
    for (std::int64_t channel = 0; channel < sheet.columns; ++channel) {
      append_kernel(sheet, *layout, output, channel, values, after);
    }
  }
  return sheet;
}

}  // namespace adze::quantize
