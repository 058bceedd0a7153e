#include "adze/data/picture.h"

#include "adze/base/checked.h"
#include "adze/base/text.h"
#include "adze/data/detail/codecs.h"

namespace adze {

namespace {

bool starts_with(std::span<const std::byte> bytes, std::span<const std::uint8_t> magic) {
  if (bytes.size() < magic.size()) return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    if (std::to_integer<std::uint8_t>(bytes[i]) != magic[i]) return false;
  }
  return true;
}

constexpr std::uint8_t jpeg_magic[] = {0xFF, 0xD8, 0xFF};
constexpr std::uint8_t png_magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

}  // namespace

namespace detail {

void check_picture_size(std::int64_t width, std::int64_t height, std::size_t num_bytes, std::int64_t pixels_per_byte,
                        const std::string& name, std::int64_t max_pixels) {
  if (width <= 0 || height <= 0) throw ModelError(cat("picture has the size ", width, "x", height), {name, {}, {}});
  const std::int64_t pixels = checked_mul(width, height, "picture size");
  if (pixels > max_pixels) {
    throw LimitError(cat("picture of ", width, "x", height, " is larger than the limit of ", max_pixels, " pixels"),
                     {name, {}, {}});
  }
  if (pixels / pixels_per_byte > static_cast<std::int64_t>(num_bytes)) {
    throw ModelError(
        cat("picture header promises ", width, "x", height, " pixels, but the file has only ", num_bytes, " bytes"),
        {name, {}, {}});
  }
}

}  // namespace detail

bool looks_like_picture(std::span<const std::byte> bytes) {
  return starts_with(bytes, jpeg_magic) || starts_with(bytes, png_magic);
}

Picture decode_picture(std::span<const std::byte> bytes, const std::string& name, std::int64_t max_pixels) {
  if (starts_with(bytes, jpeg_magic)) return detail::decode_jpeg(bytes, name, max_pixels);
  if (starts_with(bytes, png_magic)) return detail::decode_png(bytes, name, max_pixels);
  throw ModelError(bytes.empty() ? "picture file is empty" : "not a JPEG or PNG picture", {name, {}, {}});
}

}  // namespace adze
