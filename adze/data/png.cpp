#include <csetjmp>
#include <cstring>

#include <png.h>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/detail/codecs.h"

namespace adze {

namespace {

// Deflate expands a byte to at most 1,032; at one bit a pixel that is eight times as many pixels.
constexpr std::int64_t pixels_per_byte = 8 * 1032;

struct Reading {
  const std::byte* next;
  std::size_t left;
  char message[160];
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* reading = static_cast<Reading*>(png_get_error_ptr(png));
  std::strncpy(reading->message, message, sizeof reading->message - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, std::size_t count) {
  auto* reading = static_cast<Reading*>(png_get_io_ptr(png));
  if (count > reading->left) png_error(png, "the file ends too early");
  std::memcpy(out, reading->next, count);
  reading->next += count;
  reading->left -= count;
}

struct Decoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Reading reading{};
  explicit Decoder(std::span<const std::byte> bytes) : reading{bytes.data(), bytes.size(), {}} {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) throw LimitError("out of memory for a PNG decoder");
  }
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

// No object with a destructor between setjmp and the calls that may jump, here and below.
bool read_header(Decoder& decoder) {
  png_structp png = decoder.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, &decoder.reading, read_bytes);
  png_set_chunk_malloc_max(png, png_alloc_size_t{8} << 20);
  png_set_chunk_cache_max(png, 64);
  png_read_info(png, decoder.info);
  return true;
}

bool read_pixels(Decoder& decoder, std::uint8_t* pixels, std::size_t row_bytes, std::uint32_t height, png_bytepp rows) {
  png_structp png = decoder.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, decoder.info);
  if (png_get_rowbytes(png, decoder.info) != row_bytes) png_error(png, "unexpected row size");
  for (std::uint32_t y = 0; y < height; ++y) rows[y] = pixels + y * row_bytes;
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

namespace detail {

Picture decode_png(std::span<const std::byte> bytes, const std::string& name, std::int64_t max_pixels) {
  Decoder decoder(bytes);
  const auto fail = [&] {
    throw ModelError(cat("damaged PNG: ", std::string_view(decoder.reading.message)), {name, {}, {}});
  };
  if (!read_header(decoder)) fail();
  const std::uint32_t width = png_get_image_width(decoder.png, decoder.info);
  const std::uint32_t height = png_get_image_height(decoder.png, decoder.info);
  const int color = png_get_color_type(decoder.png, decoder.info);
  check_picture_size(width, height, bytes.size(), pixels_per_byte, name, max_pixels);

  Picture picture;
  picture.width = width;
  picture.height = height;
  picture.channels = (color & PNG_COLOR_MASK_COLOR) != 0 || color == PNG_COLOR_TYPE_PALETTE ? 3 : 1;
  const std::size_t row_bytes = static_cast<std::size_t>(picture.width * picture.channels);
  picture.pixels.resize(row_bytes * height);
  std::vector<png_bytep> rows(height);
  if (!read_pixels(decoder, picture.pixels.data(), row_bytes, height, rows.data())) fail();
  return picture;
}

}  // namespace detail

std::vector<std::byte> encode_png(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  std::vector<std::byte> bytes;
  if ((png_image_write_to_memory(&image, nullptr, &size, 0, picture.pixels.data(), 0, nullptr)) != 0) {
    bytes.resize(size);
    if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr) != 0) {
      bytes.resize(size);
      return bytes;
    }
  }
  throw ModelError(cat("cannot write PNG: ", std::string_view(image.message)));
}

}  // namespace adze
