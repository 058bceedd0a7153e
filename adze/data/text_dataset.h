#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adze {

/// The Unicode characters of UTF-8 text; nothing when it is not valid UTF-8 (overlong forms, surrogates and numbers
/// above 10FFFF are not valid).
std::optional<std::vector<std::int32_t>> decode_utf8(std::span<const std::byte> bytes);

/// A vocabulary as it stands in metadata, "[10,32,97]": the character of each token, ascending. Throws ModelError when
/// it is anything else.
std::vector<std::int64_t> parse_vocabulary(std::string_view json);
std::string vocabulary_json(const std::vector<std::int64_t>& vocabulary);

}  // namespace adze
