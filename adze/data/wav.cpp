#include "adze/data/wav.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t pcm_code = 1, float_code = 3, extensible_code = 0xFFFE;
constexpr std::uint32_t unknown_size = 0xFFFFFFFF;  // written by recorders that stream

template <typename T>
T little(Bytes bytes, std::size_t at) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool has_tag(Bytes bytes, std::size_t at, std::string_view tag) {
  return at + 4 <= bytes.size() && std::memcmp(bytes.data() + at, tag.data(), 4) == 0;
}

struct Format {
  std::uint64_t code = 0, channels = 0, rate = 0, frame_bytes = 0, bits = 0;
};

class Reader {
 public:
  Reader(Bytes bytes, const std::string& name, std::int64_t max_samples)
      : bytes_(bytes), name_(name), max_samples_(max_samples) {}

  Sound read() {
    if (!has_tag(bytes_, 0, "RIFF") || !has_tag(bytes_, 8, "WAVE")) fail("not a WAV file: it has no RIFF WAVE header");
    std::optional<Format> format;
    for (std::size_t at = 12; at + 8 <= bytes_.size();) {
      const std::uint64_t size = little<std::uint32_t>(bytes_, at + 4);
      const std::size_t begin = at + 8;
      const std::uint64_t left = bytes_.size() - begin;
      const bool is_data = has_tag(bytes_, at, "data");
      const std::uint64_t taken = is_data && size == unknown_size ? left : size;
      if (taken > left) fail(cat("damaged WAV file: a part of ", size, " bytes where ", left, " are left"));
      const Bytes content = bytes_.subspan(begin, static_cast<std::size_t>(taken));
      if (has_tag(bytes_, at, "fmt ")) format = read_format(content);
      if (is_data) {
        if (!format) fail("damaged WAV file: samples come before their format");
        return decode(*format, content);
      }
      at = begin + static_cast<std::size_t>(std::min(taken + taken % 2, left));
    }
    fail("damaged WAV file: no samples in it");
  }

 private:
  [[noreturn]] void fail(std::string message) const { throw ModelError(std::move(message), {name_, {}, {}}); }

  Format read_format(Bytes content) const {
    if (content.size() < 16) fail(cat("damaged WAV file: its format takes ", content.size(), " bytes, expected 16"));
    Format format{little<std::uint16_t>(content, 0), little<std::uint16_t>(content, 2),
                  little<std::uint32_t>(content, 4), little<std::uint16_t>(content, 12),
                  little<std::uint16_t>(content, 14)};
    if (format.code == extensible_code) {
      if (content.size() < 26) fail("damaged WAV file: its extensible format is cut off");
      format.code = little<std::uint16_t>(content, 24);
    }
    const bool integer = format.code == pcm_code && format.bits % 8 == 0 && format.bits >= 8 && format.bits <= 32;
    const bool floating = format.code == float_code && (format.bits == 32 || format.bits == 64);
    if (!integer && !floating) {
      throw UnsupportedError(cat("WAV coding ", format.code, " with ", format.bits, " bits is not read"),
                             {name_, {}, {}}, "convert it to PCM of 16 bits");
    }
    if (format.channels == 0 || format.rate == 0) {
      fail(cat("damaged WAV file: ", format.channels, " channels at ", format.rate, " Hz"));
    }
    if (format.frame_bytes != format.channels * (format.bits / 8)) {
      fail(cat("damaged WAV file: ", format.frame_bytes, " bytes a frame for ", format.channels, " channels of ",
               format.bits, " bits"));
    }
    return format;
  }

  Sound decode(const Format& format, Bytes data) const {
    const std::size_t width = static_cast<std::size_t>(format.bits / 8);
    const std::size_t frames = data.size() / static_cast<std::size_t>(format.frame_bytes);
    if (frames * format.channels > static_cast<std::uint64_t>(max_samples_)) {
      throw LimitError(
          cat("sound of ", frames, " frames of ", format.channels, " channels: more than ", max_samples_, " samples"),
          {name_, {}, {}});
    }
    Sound sound{static_cast<std::int64_t>(format.rate), std::vector<float>(frames)};
    for (std::size_t i = 0; i < frames; ++i) {
      double sum = 0;
      for (std::size_t c = 0; c < format.channels; ++c) sum += sample(format, data, (i * format.channels + c) * width);
      sound.samples[i] = static_cast<float>(sum / static_cast<double>(format.channels));
      if (!std::isfinite(sound.samples[i])) fail(cat("sample ", i, " of the WAV file is not a finite number"));
    }
    return sound;
  }

  static double sample(const Format& format, Bytes data, std::size_t at) {
    if (format.code == float_code) return format.bits == 32 ? little<float>(data, at) : little<double>(data, at);
    switch (format.bits) {
      case 8:
        return (static_cast<int>(data[at]) - 128) / 128.0;
      case 16:
        return little<std::int16_t>(data, at) / 32768.0;
      case 24: {
        const std::uint32_t low = little<std::uint16_t>(data, at), high = static_cast<std::uint32_t>(data[at + 2]);
        return static_cast<std::int32_t>((low | high << 16) << 8) / 2147483648.0;
      }
      default:
        return little<std::int32_t>(data, at) / 2147483648.0;
    }
  }

  Bytes bytes_;
  const std::string& name_;
  std::int64_t max_samples_;
};

void append_little(std::string& out, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

}  // namespace

Sound read_wav(std::span<const std::byte> bytes, const std::string& name, std::int64_t max_samples) {
  return Reader(bytes, name, max_samples).read();
}

Sound read_wav(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_wav(file->bytes(), path.string());
}

std::string wav_bytes(const Sound& sound) {
  const auto data_bytes = static_cast<std::uint32_t>(2 * sound.samples.size());
  const auto rate = static_cast<std::uint32_t>(sound.rate);
  std::string out = "RIFF";
  append_little(out, 36 + data_bytes, 4);
  out += "WAVEfmt ";
  append_little(out, 16, 4);
  append_little(out, pcm_code, 2);
  append_little(out, 1, 2);
  append_little(out, rate, 4);
  append_little(out, 2 * rate, 4);
  append_little(out, 2, 2);
  append_little(out, 16, 2);
  out += "data";
  append_little(out, data_bytes, 4);
  for (const float value : sound.samples) {
    const float scaled = std::clamp(std::nearbyint(value * 32768.0f), -32768.0f, 32767.0f);
    append_little(out, static_cast<std::uint32_t>(static_cast<std::int32_t>(scaled)), 2);
  }
  return out;
}

}  // namespace adze
