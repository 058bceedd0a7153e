#include "adze/data/text_dataset.h"

namespace adze {

namespace {

struct Lead {
  int more = -1;  ///< bytes that follow; -1: no lead byte
  std::int32_t bits = 0, least = 0;
};

Lead lead_of(std::uint32_t byte) {
  if (byte < 0x80) return {0, static_cast<std::int32_t>(byte), 0};
  if (byte >> 5 == 0b110) return {1, static_cast<std::int32_t>(byte & 0x1F), 0x80};
  if (byte >> 4 == 0b1110) return {2, static_cast<std::int32_t>(byte & 0x0F), 0x800};
  if (byte >> 3 == 0b11110) return {3, static_cast<std::int32_t>(byte & 0x07), 0x10000};
  return {};
}

}  // namespace

std::optional<std::vector<std::int32_t>> decode_utf8(std::span<const std::byte> bytes) {
  constexpr std::int32_t last = 0x10FFFF, first_surrogate = 0xD800, last_surrogate = 0xDFFF;
  std::vector<std::int32_t> characters;
  for (std::size_t at = 0; at < bytes.size();) {
    Lead lead = lead_of(static_cast<std::uint32_t>(bytes[at++]));
    if (lead.more < 0 || static_cast<std::size_t>(lead.more) > bytes.size() - at) return std::nullopt;
    for (int i = 0; i < lead.more; ++i) {
      const auto next = static_cast<std::int32_t>(bytes[at++]);
      if (next >> 6 != 0b10) return std::nullopt;
      lead.bits = lead.bits << 6 | (next & 0x3F);
    }
    const bool surrogate = lead.bits >= first_surrogate && lead.bits <= last_surrogate;
    if (lead.bits < lead.least || lead.bits > last || surrogate) return std::nullopt;
    characters.push_back(lead.bits);
  }
  return characters;
}

}  // namespace adze
