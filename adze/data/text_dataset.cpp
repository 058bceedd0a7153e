#include "adze/data/text_dataset.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "adze/base/error.h"
#include "adze/base/files.h"
#include "adze/base/text.h"
#include "adze/data/detail/openers.h"

namespace adze {

namespace {

using detail::OpenRequest;
using Tokens = std::vector<std::int32_t>;

constexpr std::int64_t default_context = 64;
constexpr std::int64_t last_character = 0x10FFFF;
constexpr std::int64_t bytes_held_per_byte = 8;  // characters and tokens of four bytes each

class TextDataset : public Dataset {
 public:
  TextDataset(Tokens tokens, std::vector<std::int64_t> vocabulary, std::string description, const OpenRequest& request)
      : tokens_(std::move(tokens)),
        vocabulary_(std::move(vocabulary)),
        description_(std::move(description)),
        where_(request.path.string()),
        dtype_(is_integer(request.preprocessing.dtype) ? request.preprocessing.dtype : DType::S64) {
    const Shape& wanted = request.preprocessing.sample_shape;
    if (wanted.size() > 1) {
      throw ModelError(cat("text is a row of tokens, but the network wants ", shape_text(wanted)), {where_, {}, {}});
    }
    context_ = wanted.empty() ? default_context : wanted[0];
    if (size() < 1) {
      throw ModelError(cat("text of ", tokens_.size(), " characters is too short for a context of ", context_),
                       {where_, {}, {}});
    }
  }

  std::int64_t size() const override {
    return context_ > 0 ? (static_cast<std::int64_t>(tokens_.size()) - 1) / context_ : 0;
  }

  Sample get(std::int64_t index) const override { return window(index, index * context_); }

  Sample get_augmented(std::int64_t index, const AugmentOptions& options, const Random& random) const override {
    if (!options.jitter) return get(index);
    Random stream = random;
    const auto places = static_cast<std::uint64_t>(static_cast<std::int64_t>(tokens_.size()) - context_);
    return window(index, static_cast<std::int64_t>(stream.below(places)));
  }

  bool augments_source() const override { return true; }
  std::int64_t label(std::int64_t) const override { return -1; }
  std::string name(std::int64_t index) const override { return cat(where_, ", window ", index); }
  const std::vector<std::string>& class_names() const override { return no_classes_; }
  std::string description() const override { return description_; }
  std::map<std::string, std::string> metadata() const override {
    return {{"adze.vocabulary", vocabulary_json(vocabulary_)}};
  }

 private:
  Sample window(std::int64_t index, std::int64_t begin) const {
    Sample sample;
    sample.input = tokens_from(begin);
    sample.target = converted(tokens_from(begin + 1), DType::S64);
    sample.name = name(index);
    return sample;
  }

  Tensor tokens_from(std::int64_t begin) const {
    Tensor row(DType::S64, {1, context_});
    const auto first = tokens_.begin() + begin;
    std::copy(first, first + context_, row.mutable_data<std::int64_t>().begin());
    return dtype_ == DType::S64 ? row : converted(row, dtype_);
  }

  Tokens tokens_;
  std::vector<std::int64_t> vocabulary_;
  std::string description_, where_;
  DType dtype_;
  std::int64_t context_ = 0;
  std::vector<std::string> no_classes_;
};

std::vector<std::int64_t> characters_of(const Tokens& characters) {
  std::vector<bool> seen(static_cast<std::size_t>(last_character) + 1);
  for (const std::int32_t character : characters) seen[static_cast<std::size_t>(character)] = true;
  std::vector<std::int64_t> vocabulary;
  for (std::int64_t i = 0; i <= last_character; ++i) {
    if (seen[static_cast<std::size_t>(i)]) vocabulary.push_back(i);
  }
  return vocabulary;
}

/// Characters as their places in the vocabulary.
void number(Tokens& characters, const std::vector<std::int64_t>& vocabulary, const std::string& where) {
  for (std::int32_t& character : characters) {
    const auto place = std::lower_bound(vocabulary.begin(), vocabulary.end(), character);
    if (place == vocabulary.end() || *place != character) {
      throw ModelError(cat("the text has the character number ", character, ", which the model's vocabulary of ",
                           vocabulary.size(), " lacks"),
                       {where, {}, {}}, "use the kind of text that the model was trained on");
    }
    character = static_cast<std::int32_t>(place - vocabulary.begin());
  }
}

struct Part {
  std::size_t begin, end;
};

Part choose_part(const std::string& split, std::size_t size, const std::string& where) {
  const std::size_t first = size / 10 * 8, second = size / 10 * 9;
  if (split == "train") return {0, first};
  if (split == "validation") return {first, second};
  if (split == "test") return {second, size};
  if (split == "all") return {0, size};
  throw ModelError(split.empty() ? "a text has the parts train, validation and test (80, 10 and 10 %)"
                                 : cat("has no part ", adze::quoted(split)),
                   {where, {}, {}}, "--split train, validation, test or all");
}

}  // namespace

std::vector<std::int64_t> parse_vocabulary(std::string_view json) {
  const auto list = nlohmann::json::parse(json, nullptr, false);
  std::vector<std::int64_t> vocabulary;
  bool valid = list.is_array() && !list.empty() && list.size() <= static_cast<std::size_t>(last_character) + 1;
  for (std::size_t i = 0; valid && i < list.size(); ++i) {
    valid = list[i].is_number_integer();
    if (!valid) break;
    vocabulary.push_back(list[i].get<std::int64_t>());
    valid = vocabulary[i] >= (i > 0 ? vocabulary[i - 1] + 1 : 0) && vocabulary[i] <= last_character;
  }
  if (!valid) throw ModelError("metadata 'adze.vocabulary' is not a list of ascending character numbers");
  return vocabulary;
}

std::string vocabulary_json(const std::vector<std::int64_t>& vocabulary) {
  return nlohmann::json(vocabulary).dump();
}

std::shared_ptr<Dataset> detail::open_text(const OpenRequest& request) {
  if (request.path.extension() != ".txt") return nullptr;
  const std::string where = request.path.string();
  const auto file = MappedFile::open(request.path, request.options.max_memory_bytes / bytes_held_per_byte);
  auto decoded = decode_utf8(file->bytes());
  const bool is_unicode = decoded.has_value();
  Tokens characters = is_unicode ? std::move(*decoded) : Tokens();
  if (!is_unicode) {
    for (const std::byte byte : file->bytes()) characters.push_back(static_cast<std::int32_t>(byte));
  }
  const std::vector<std::int64_t> vocabulary =
      request.preprocessing.vocabulary.empty() ? characters_of(characters) : request.preprocessing.vocabulary;
  const Part part = choose_part(request.options.split, characters.size(), where);
  Tokens tokens(characters.begin() + static_cast<std::ptrdiff_t>(part.begin),
                characters.begin() + static_cast<std::ptrdiff_t>(part.end));
  number(tokens, vocabulary, where);
  std::string description = cat(tokens.size(), is_unicode ? " characters" : " bytes", " of ", vocabulary.size(),
                                " different ones in ", where);
  return std::make_shared<TextDataset>(std::move(tokens), vocabulary, std::move(description), request);
}

}  // namespace adze
