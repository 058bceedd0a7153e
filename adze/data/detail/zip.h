#pragma once

#include <string>
#include <vector>

#include "adze/data/detail/byte_source.h"

namespace adze::detail {

struct ZipEntry {
  std::string path;
  SharedBytes content;
};

bool looks_like_zip(std::span<const std::byte> bytes);

/// The files of a zip archive (stored or deflated, also ZIP64), checked against their CRC-32. Stored files are not
/// copied. Throws ModelError when damaged, UnsupportedError for encryption and other methods, LimitError above
/// max_bytes in all.
std::vector<ZipEntry> read_zip(const SharedBytes& archive, const std::string& name, std::int64_t max_bytes);

/// An archive of stored files.
std::string write_zip(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace adze::detail
