#pragma once

#include <cstdint>
#include <vector>

#include "adze/formats/tflite/writer.h"

namespace adze::tflite {

/// What explicit padding adds.
enum class Fill : std::uint8_t { Zero, Lowest, None };

/// The pads of TFLite's SAME, the odd one at the end: [top, left, bottom, right].
std::vector<std::int64_t> same_pads(const Shape& size, const std::vector<std::int64_t>& kernel,
                                    const std::vector<std::int64_t>& strides,
                                    const std::vector<std::int64_t>& dilations);

/// The pads of a node with a window, auto_pad resolved: all begins, then all ends.
std::vector<std::int64_t> explicit_pads(const Node& node, const Shape& nchw, const std::vector<std::int64_t>& kernel,
                                        const std::vector<std::int64_t>& strides,
                                        const std::vector<std::int64_t>& dilations);

/// Adds to the end what ceil_mode reads beyond it, so that rounding down gives the result's size.
void extend_pads(std::vector<std::int64_t>& pads, const Shape& nchw, const Shape& result,
                 const std::vector<std::int64_t>& kernel, const std::vector<std::int64_t>& strides);

/// SAME (true) or VALID (false) for a window over the rank-4 tensor input; other pads, or all when explicit_only,
/// become a PAD in front, and input is then what it gives. Throws UnsupportedError where fill is None and a PAD would
/// be needed.
bool fit_padding(Writer& w, std::int32_t& input, const std::vector<std::int64_t>& kernel,
                 const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& dilations,
                 const std::vector<std::int64_t>& pads, Fill fill, bool explicit_only = false);

/// The bias as 32-bit integers in units of the products.
std::int32_t integer_bias(Writer& w, const Step& step, ValueId bias);
/// Zeros, where x has 16 bits: interpreters take a missing bias for one of 32 bits or of 64. Nothing for 8 bits.
std::optional<std::int32_t> missing_bias(Writer& w, const Step& step, std::int64_t channels);

}  // namespace adze::tflite
