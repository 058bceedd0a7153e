#include "adze/engine/reference/text.h"

namespace adze::reference {

std::span<const KernelEntry> text_kernels() {
  using namespace text;
  static constexpr KernelEntry entries[] = {
      {OpKind::RegexFullMatch, regex_full_match},    {OpKind::StringConcat, string_concat},
      {OpKind::StringNormalizer, string_normalizer}, {OpKind::StringSplit, string_split},
      {OpKind::TfIdfVectorizer, tf_idf_vectorizer},
  };
  return entries;
}

}  // namespace adze::reference
