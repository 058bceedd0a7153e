#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "adze/base/files.h"
#include "adze/data/picture.h"

namespace adze::test {

/// A folder of its own that vanishes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "adze-data-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  /// Writes a file below the folder, making the folders on the way.
  std::filesystem::path add(const std::string& name, std::span<const std::byte> content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    write_file(path_ / name, content);
    return path_ / name;
  }
  std::filesystem::path add(const std::string& name, const std::string& content) const {
    return add(name, std::as_bytes(std::span(content)));
  }

 private:
  std::filesystem::path path_;
};

/// A picture whose pixels are all different and depend on the seed.
inline Picture ramp(std::int64_t width, std::int64_t height, std::int64_t channels, int seed = 0) {
  Picture picture{width, height, channels, {}};
  for (std::int64_t i = 0; i < width * height * channels; ++i) {
    picture.pixels.push_back(static_cast<std::uint8_t>((i * 7 + seed * 31) % 251));
  }
  return picture;
}

/// One entry of a ustar archive, padded to whole blocks.
inline std::string tar_entry(const std::string& path, const std::string& content, char type = '0') {
  std::string header(512, '\0');
  header.replace(0, path.size(), path);
  const auto octal = [&](std::size_t offset, int digits, std::size_t value) {
    std::string text;
    for (int i = 0; i < digits; ++i, value /= 8) text.insert(text.begin(), static_cast<char>('0' + value % 8));
    header.replace(offset, text.size(), text);
  };
  octal(100, 7, 0644);
  octal(124, 11, content.size());
  header[156] = type;
  header.replace(257, 8,
                 std::string("ustar\0"
                             "00",
                             8));
  header.replace(148, 8, 8, ' ');
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  header[154] = '\0';
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace adze::test
