#pragma once

#include <string>
#include <string_view>

namespace adze {

/// Text as it may stand in XML, in content and in attributes; control characters are left out.
std::string xml_text(std::string_view text);

}  // namespace adze
