#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adze {

/// A decoded picture: 8-bit samples, row-major, channels interleaved (1 = gray, 3 = R G B).
struct Picture {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t channels = 0;
  std::vector<std::uint8_t> pixels;
};

/// The largest picture that is decoded, whatever its header promises.
inline constexpr std::int64_t default_max_pixels = std::int64_t{1} << 26;

/// Does the content start like a JPEG or a PNG file?
bool looks_like_picture(std::span<const std::byte> bytes);

/// Decodes a JPEG (baseline or progressive; gray, YCbCr, CMYK) or PNG (any depth, palette; alpha is dropped, as most
/// training pipelines do). Gray stays one channel. name is used in messages.
/// Throws ModelError when damaged, truncated or neither format; LimitError above max_pixels.
Picture decode_picture(std::span<const std::byte> bytes, const std::string& name,
                       std::int64_t max_pixels = default_max_pixels);

/// A PNG file's bytes of a picture with 1 or 3 channels, for tests and for writing demo pictures.
std::vector<std::byte> encode_png(const Picture& picture);
/// A JPEG file's bytes; quality 1 … 100.
std::vector<std::byte> encode_jpeg(const Picture& picture, int quality);

}  // namespace adze
