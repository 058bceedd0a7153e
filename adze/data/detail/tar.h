#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adze/data/detail/byte_source.h"

namespace adze::detail {

struct TarEntry {
  std::string path;  ///< without leading "./" and trailing "/"
  bool is_folder = false;
  SharedBytes content;  ///< of the files that were asked for
};

struct TarOptions {
  std::int64_t max_bytes = std::int64_t{4} << 30;  ///< kept contents, all together
  std::int64_t max_entries = std::int64_t{1} << 23;
};

/// Is this the first block of a tar archive (ustar or GNU) with a right checksum?
bool looks_like_tar(std::span<const std::byte> bytes);

/// The files and folders of a tar archive (ustar, GNU long names, pax paths and sizes); links and devices are passed
/// over. Only files for which wanted(path) holds keep their content. Nothing is ever written to disk, so paths are
/// mere names. Throws ModelError on a damaged or truncated archive, LimitError beyond the options.
std::vector<TarEntry> read_tar(ByteSource& source, const std::string& name,
                               const std::function<bool(std::string_view path)>& wanted,
                               const TarOptions& options = {});

}  // namespace adze::detail
