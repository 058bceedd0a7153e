#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "adze/data/picture.h"

namespace adze::detail {

/// The decoders behind decode_picture; same errors.
Picture decode_jpeg(std::span<const std::byte> bytes, const std::string& name, std::int64_t max_pixels);
Picture decode_png(std::span<const std::byte> bytes, const std::string& name, std::int64_t max_pixels);

/// Throws when a header promises more pixels than max_pixels, or than a file of num_bytes can hold at
/// pixels_per_byte, the format's best compression. So memory stays bounded by the input's size.
void check_picture_size(std::int64_t width, std::int64_t height, std::size_t num_bytes, std::int64_t pixels_per_byte,
                        const std::string& name, std::int64_t max_pixels);

}  // namespace adze::detail
