#pragma once

#include <string>
#include <string_view>

#include "adze/engine/reference/reference.h"

namespace adze::reference::text {

/// UTF-8 text in lower or upper case, the same in every locale: Latin, Greek and Cyrillic letters of the basic blocks.
std::string with_case(std::string_view utf8, bool upper);

// Kernels; the table is in text.cpp.
void regex_full_match(Context& context);
void string_concat(Context& context);
void string_normalizer(Context& context);
void string_split(Context& context);
void tf_idf_vectorizer(Context& context);

}  // namespace adze::reference::text
