#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace adze {

/// SHA-256 (FIPS 180-4), for the identity of models, data and recipes.
class Sha256 {
 public:
  void update(std::span<const std::byte> data);
  /// Lower-case hexadecimal, 64 characters. The object must not be used afterwards.
  std::string finish_hex();

 private:
  void compress(const std::byte* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t total_ = 0;
};

std::string sha256_hex(std::span<const std::byte> data);

/// Size and SHA-256 of a file, read in pieces. Throws ModelError naming it.
struct FileIdentity {
  std::int64_t bytes = 0;
  std::string sha256;
};
FileIdentity identify_file(const std::filesystem::path& path);

/// CRC-32 as in zlib and PNG (polynomial 0xEDB88320), for golden vectors.
std::uint32_t crc32(std::span<const std::byte> data);

}  // namespace adze
