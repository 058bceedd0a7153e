#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <jerror.h>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/data/detail/codecs.h"

namespace adze {

namespace {

// A hostile progressive file repeats scans without end; real ones have at most a few dozen.
constexpr int max_scans = 200;
// One bit for a minimum coded unit of at most 32x32 pixels is the least that Huffman coding can spend.
constexpr std::int64_t pixels_per_byte = 8 * 1024;

struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  bool damaged;
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  manager->base.format_message(info, manager->message);
  std::longjmp(manager->jump, 1);
}

// libjpeg fills what is missing with gray and only warns; for us that is a damaged file.
void on_message(j_common_ptr info, int level) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  const int code = manager->base.msg_code;
  if (level >= 0 || code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) return;
  if (!manager->damaged) manager->base.format_message(info, manager->message);
  manager->damaged = true;
}

void on_progress(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > max_scans) {
    info->err->msg_code = JERR_BAD_PROGRESSION;
    on_error(info);
  }
}

void init_errors(ErrorManager& manager) {
  jpeg_std_error(&manager.base);
  manager.base.error_exit = on_error;
  manager.base.emit_message = on_message;
  manager.message[0] = '\0';
  manager.damaged = false;
}

// Adobe stores CMYK inverted, everyone else upright.
void cmyk_to_rgb(const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels, bool inverted) {
  for (std::int64_t i = 0; i < pixels; ++i) {
    const int black = inverted ? in[4 * i + 3] : 255 - in[4 * i + 3];
    for (int c = 0; c < 3; ++c) {
      const int ink = inverted ? in[4 * i + c] : 255 - in[4 * i + c];
      out[3 * i + c] = static_cast<std::uint8_t>((ink * black + 127) / 255);
    }
  }
}

struct Decoder {
  jpeg_decompress_struct info;
  ErrorManager errors;
  jpeg_progress_mgr progress;
};

// Between setjmp and the calls that may jump there is no object with a destructor.
bool read_header(Decoder& decoder, std::span<const std::byte> bytes) {
  decoder.info.err = &decoder.errors.base;
  if (setjmp(decoder.errors.jump) != 0) return false;
  jpeg_create_decompress(&decoder.info);
  decoder.progress.progress_monitor = on_progress;
  decoder.info.progress = &decoder.progress;
  decoder.info.mem->max_memory_to_use = 128L << 20;
  jpeg_mem_src(&decoder.info, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&decoder.info, TRUE);
  return true;
}

bool read_pixels(Decoder& decoder, std::uint8_t* rows, std::uint8_t* cmyk_row, int channels) {
  if (setjmp(decoder.errors.jump) != 0) return false;
  auto& info = decoder.info;
  jpeg_start_decompress(&info);
  const std::size_t row_bytes = static_cast<std::size_t>(info.output_width) * static_cast<std::size_t>(channels);
  while (info.output_scanline < info.output_height) {
    JSAMPROW target = rows + info.output_scanline * row_bytes;
    JSAMPROW row = cmyk_row != nullptr ? cmyk_row : target;
    if (jpeg_read_scanlines(&info, &row, 1) != 1) return false;
    if (cmyk_row != nullptr) cmyk_to_rgb(cmyk_row, target, info.output_width, info.saw_Adobe_marker);
  }
  jpeg_finish_decompress(&info);
  return true;
}

struct DecoderGuard {
  Decoder& decoder;
  ~DecoderGuard() { jpeg_destroy_decompress(&decoder.info); }
};

}  // namespace

namespace detail {

Picture decode_jpeg(std::span<const std::byte> bytes, const std::string& name, std::int64_t max_pixels) {
  Decoder decoder{};
  init_errors(decoder.errors);
  const DecoderGuard guard{decoder};
  const auto fail = [&] {
    throw ModelError(cat("damaged JPEG: ", std::string_view(decoder.errors.message)), {name, {}, {}});
  };
  if (!read_header(decoder, bytes)) fail();
  auto& info = decoder.info;
  if (info.arith_code) throw UnsupportedError("JPEG with arithmetic coding", {name, {}, {}});
  check_picture_size(info.image_width, info.image_height, bytes.size(), pixels_per_byte, name, max_pixels);

  const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  const bool gray = info.jpeg_color_space == JCS_GRAYSCALE;
  info.out_color_space = cmyk ? JCS_CMYK : gray ? JCS_GRAYSCALE : JCS_RGB;

  Picture picture;
  picture.width = info.image_width;
  picture.height = info.image_height;
  picture.channels = gray ? 1 : 3;
  picture.pixels.resize(static_cast<std::size_t>(picture.width * picture.height * picture.channels));
  std::vector<std::uint8_t> cmyk_row(cmyk ? static_cast<std::size_t>(picture.width) * 4 : 0);
  const bool read =
      read_pixels(decoder, picture.pixels.data(), cmyk ? cmyk_row.data() : nullptr, static_cast<int>(picture.channels));
  if (!read || decoder.errors.damaged) fail();
  return picture;
}

}  // namespace detail

namespace {

// As above: nothing with a destructor between setjmp and the calls.
bool compress(jpeg_compress_struct& info, ErrorManager& errors, const Picture& picture, int quality,
              unsigned char** out, unsigned long* size) {
  info.err = &errors.base;
  if (setjmp(errors.jump) != 0) return false;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, out, size);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.input_components = static_cast<int>(picture.channels);
  info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  const std::size_t row_bytes = static_cast<std::size_t>(picture.width * picture.channels);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<std::uint8_t*>(picture.pixels.data()) + info.next_scanline * row_bytes;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

std::vector<std::byte> encode_jpeg(const Picture& picture, int quality) {
  jpeg_compress_struct info{};
  ErrorManager errors{};
  init_errors(errors);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  const bool done = compress(info, errors, picture, quality, &out, &size);
  std::vector<std::byte> bytes;
  if (done) bytes.assign(reinterpret_cast<std::byte*>(out), reinterpret_cast<std::byte*>(out) + size);
  jpeg_destroy_compress(&info);
  std::free(out);
  if (!done) throw ModelError(cat("cannot write JPEG: ", std::string_view(errors.message)));
  return bytes;
}

}  // namespace adze
