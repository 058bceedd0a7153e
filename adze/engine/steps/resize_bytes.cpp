// Linear Resize of stored bytes, as quantized networks have it: rows, then columns, in double precision, bit for bit
// what the reference gives.
#include <algorithm>
#include <memory>
#include <vector>

#include "adze/engine/kernels/resize_u8/resize_u8.h"
#include "adze/engine/reference/resize_terms.h"
#include "adze/engine/steps/resize.h"
#include "adze/engine/steps/scratch.h"

namespace adze::engine {

namespace {

using kernels::ResizeTerm;
using reference::neural::ResizeTerms;

/// The terms of all positions along an axis, one after the other.
struct AxisTerms {
  std::vector<ResizeTerm> terms;
  std::vector<std::int64_t> starts = {0};

  /// step: elements from one input position to the next.
  AxisTerms(const ResizeTerms& positions, std::int64_t step) {
    for (const auto& position : positions) {
      for (const auto& [source, weight] : position) terms.push_back({source * step, weight});
      starts.push_back(static_cast<std::int64_t>(terms.size()));
    }
  }
  std::int64_t count() const { return static_cast<std::int64_t>(starts.size()) - 1; }
};

/// Terms of single numbers side by side, in as many lines as the longest sum has terms.
struct TermLines {
  std::int64_t count = 0;
  std::vector<std::int32_t> sources;
  std::vector<double> weights;

  explicit TermLines(const AxisTerms& axis) {
    const auto positions = static_cast<std::size_t>(axis.count());
    for (std::size_t p = 0; p < positions; ++p) count = std::max(count, axis.starts[p + 1] - axis.starts[p]);
    sources.resize(positions * static_cast<std::size_t>(count));
    weights.resize(sources.size());
    for (std::size_t p = 0; p < positions; ++p) {
      for (std::int64_t t = axis.starts[p]; t < axis.starts[p + 1]; ++t) {
        const std::size_t at = static_cast<std::size_t>(t - axis.starts[p]) * positions + p;
        sources[at] = static_cast<std::int32_t>(axis.terms[static_cast<std::size_t>(t)].source);
        weights[at] = axis.terms[static_cast<std::size_t>(t)].weight;
      }
    }
  }
  kernels::ResizeTermLines view() const { return {count, sources.data(), weights.data()}; }
};

/// Below this many channels, vectors hold numbers of several pixels.
constexpr std::int64_t few_channels = 8;

/// The terms of each channel of each pixel as those of a pixel of one channel.
ResizeTerms by_channel(const ResizeTerms& positions, std::int64_t channels) {
  ResizeTerms all;
  for (const auto& position : positions) {
    for (std::int64_t c = 0; c < channels; ++c) {
      all.push_back(position);
      for (auto& term : all.back()) term.first = term.first * channels + c;
    }
  }
  return all;
}

/// Pictures [outer, rows, columns, channels] of which rows and columns are resized.
struct Pictures {
  std::int64_t outer, in_rows, line;  ///< line: numbers of a row
  std::int64_t channels;              ///< 1 where there are few: the columns are then numbers
  AxisTerms rows, columns;
  TermLines lines;
};

ResizeTerms kept_axis() {
  return {{{0, 1.0}}};
}

/// Nothing where other axes than one, or two that are neighbours, are resized.
std::shared_ptr<const Pictures> pictures_of(const Shape& x, const std::vector<ResizeTerms>& terms) {
  std::vector<std::size_t> resized;
  for (std::size_t axis = 0; axis < terms.size(); ++axis) {
    if (!terms[axis].empty()) resized.push_back(axis);
  }
  const bool one = resized.size() == 1;
  if (!one && (resized.size() != 2 || resized[1] != resized[0] + 1)) return nullptr;
  const auto last = static_cast<std::ptrdiff_t>(resized.back());
  const std::int64_t channels = num_elements(Shape(x.begin() + last + 1, x.end())), columns = x[resized.back()];
  const std::int64_t rows = one ? 1 : x[resized.front()];
  const std::int64_t outer = num_elements(Shape(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(resized.front())));
  const bool few = channels < few_channels;
  const AxisTerms down(one ? kept_axis() : terms[resized.front()], columns * channels);
  const AxisTerms across(few ? by_channel(terms[resized.back()], channels) : terms[resized.back()], few ? 1 : channels);
  return std::make_shared<const Pictures>(
      Pictures{outer, rows, columns * channels, few ? 1 : channels, down, across, TermLines(across)});
}

}  // namespace

std::unique_ptr<Step> bind_resize_bytes(const BindContext& context) {
  const Node& node = context.node();
  const DType dtype = context.dtype(0);
  if ((dtype != DType::S8 && dtype != DType::U8) || node.get_string("mode") != "linear" ||
      node.get_string("coordinate_transformation_mode") == "tf_crop_and_resize") {
    return nullptr;
  }
  const auto given = [&](std::size_t i) -> const Tensor* {
    const Tensor* tensor = context.has(i) ? context.constant(i) : nullptr;
    return tensor != nullptr && !tensor->empty() ? tensor : nullptr;
  };
  const Tensor *scales = given(2), *sizes = given(3);
  if ((scales == nullptr) == (sizes == nullptr)) return nullptr;
  const auto terms = reference::neural::resize_terms(node, context.shape(0), context.output_shape(), scales, sizes);
  const auto pictures = pictures_of(context.shape(0), terms);
  if (pictures == nullptr) return nullptr;
  const kernels::ResizeU8Kernel kernel = kernels::resize_u8_kernel(context.isa());
  const auto* x = context.in_u8(0);
  auto* y = context.out<std::uint8_t>();
  const std::uint8_t flip = dtype == DType::S8 ? 0x80 : 0;
  const std::int32_t low = flip != 0 ? -128 : 0;
  const int threads = context.threads();
  const std::int64_t row_bytes = pictures->columns.count() * pictures->channels;
  return make_step(kernel.name, [=] {
    const Pictures& p = *pictures;
    const std::int64_t rows = p.rows.count();
    run_parallel(threads, p.outer * rows, std::max<std::int64_t>(1, 4096 / row_bytes),
                 [&](std::int64_t begin, std::int64_t end) {
                   auto* line = thread_elements<double>(p.line);
                   for (std::int64_t i = begin; i < end; ++i) {
                     const std::int64_t* start = p.rows.starts.data() + i % rows;
                     kernel.down({x + i / rows * p.in_rows * p.line, p.line, p.rows.terms.data() + start[0],
                                  start[1] - start[0], flip, line});
                     kernel.across({line, p.columns.count(), p.channels, p.columns.terms.data(),
                                    p.columns.starts.data(), flip, low, low + 255, y + i * row_bytes,
                                    p.channels == 1 ? p.lines.view() : kernels::ResizeTermLines{}});
                   }
                 });
  });
}

}  // namespace adze::engine
