#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace adze::device {

/// Bytes of each section, by name (same names added up), of a 32-bit little-endian ELF file. Throws ModelError for
/// anything else and for tables that lie outside of the file.
std::map<std::string, std::int64_t> elf_section_bytes(std::span<const std::byte> file);

}  // namespace adze::device
