#include "adze/device/elf.h"

#include <cstring>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::device {

namespace {

/// Bounded little-endian reads.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> data) : data_(data) {}

  template <typename T>
  T at(std::size_t offset) const {
    if (offset > data_.size() || data_.size() - offset < sizeof(T)) {
      throw ModelError(cat("ELF file is cut off: ", sizeof(T), " bytes at ", offset, " of ", data_.size()));
    }
    T value;
    std::memcpy(&value, data_.data() + offset, sizeof value);
    return value;
  }
  std::string text(std::size_t offset) const {
    std::string result;
    while (const char c = at<char>(offset++)) result += c;
    return result;
  }

 private:
  std::span<const std::byte> data_;
};

}  // namespace

// Tool Interface Standard, Executable and Linking Format 1.2: file header and section headers.
std::map<std::string, std::int64_t> elf_section_bytes(std::span<const std::byte> file) {
  const Bytes bytes(file);
  constexpr std::uint32_t magic = 0x464C457F;
  if (bytes.at<std::uint32_t>(0) != magic || bytes.at<std::uint8_t>(4) != 1 || bytes.at<std::uint8_t>(5) != 1) {
    throw ModelError("not a 32-bit little-endian ELF file");
  }
  const std::size_t table = bytes.at<std::uint32_t>(32);
  const std::size_t entry_size = bytes.at<std::uint16_t>(46);
  const std::size_t count = bytes.at<std::uint16_t>(48);
  const std::size_t names_entry = table + entry_size * bytes.at<std::uint16_t>(50);
  const std::size_t names = bytes.at<std::uint32_t>(names_entry + 16);
  std::map<std::string, std::int64_t> sizes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = table + i * entry_size;
    const std::string name = bytes.text(names + bytes.at<std::uint32_t>(entry));
    sizes[name] += bytes.at<std::uint32_t>(entry + 20);
  }
  return sizes;
}

}  // namespace adze::device
