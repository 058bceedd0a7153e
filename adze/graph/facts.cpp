#include "adze/graph/facts.h"

#include <charconv>
#include <map>
#include <string_view>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze {

namespace {

constexpr const char* key = "adze.keep";
constexpr std::size_t most_shared_values = 256;

/// "46123/77312": zeros and weights. What is not that is left out: the text comes from a file.
void read_counts(std::string_view text, WeightFacts& facts) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return;
  const auto number = [](std::string_view digits) {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() ? value : -1;
  };
  const std::int64_t zeros = number(text.substr(0, slash)), weights = number(text.substr(slash + 1));
  if (zeros < 0 || weights < zeros) return;
  facts.num_zeros = zeros;
  facts.num_weights = weights;
}

/// Are elements equal in `after` wherever they are in `before`?
bool equal_stay_equal(const Tensor& before, const Tensor& after) {
  const auto old_values = before.data<float>(), new_values = after.data<float>();
  std::map<float, float> became;
  for (std::size_t i = 0; i < old_values.size(); ++i) {
    const auto [at, added] = became.emplace(old_values[i], new_values[i]);
    if (!added && at->second != new_values[i]) return false;
  }
  return true;
}

}  // namespace

WeightFacts weight_facts(const Graph& graph) {
  WeightFacts facts;
  const auto found = graph.metadata.find(key);
  if (found == graph.metadata.end()) return facts;
  for (const std::string& word : split(found->second, ' ')) {
    if (word == "zeros") facts.zeros = true;
    if (word.starts_with("zeros=")) {
      facts.zeros = true;
      read_counts(std::string_view(word).substr(6), facts);
    }
    if (word == "shared_values") facts.shared_values = true;
  }
  return facts;
}

void set_weight_facts(Graph& graph, const WeightFacts& facts) {
  std::vector<std::string> words;
  if (facts.zeros) {
    words.push_back(facts.num_weights > 0 ? cat("zeros=", facts.num_zeros, "/", facts.num_weights) : "zeros");
  }
  if (facts.shared_values) words.emplace_back("shared_values");
  if (words.empty())
    graph.metadata.erase(key);
  else
    graph.metadata[key] = join(words, " ");
}

bool shares_values(const Tensor& weights) {
  if (weights.dtype() != DType::F32 || weights.rank() < 2) return false;
  std::map<float, int> seen;
  for (const float value : weights.data<float>()) {
    seen.emplace(value, 0);
    if (seen.size() > most_shared_values || 4 * seen.size() > static_cast<std::size_t>(weights.size())) return false;
  }
  return !seen.empty();
}

void check_weight_facts(const Graph& before, const Graph& after, const WeightFacts& facts) {
  for (std::int32_t i = 0; i < before.num_values(); ++i) {
    const Value& value = before.value(static_cast<ValueId>(i));
    if (!value.constant || value.constant->dtype() != DType::F32 || value.constant->rank() < 2) continue;
    const ValueId other = after.find_value(value.name);
    const Tensor* now = other != ValueId::None ? after.constant(other) : nullptr;
    if (now == nullptr || now->dtype() != DType::F32 || now->shape() != value.constant->shape()) continue;
    if (facts.zeros) {
      const auto old_values = value.constant->data<float>(), new_values = now->data<float>();
      for (std::size_t k = 0; k < old_values.size(); ++k) {
        if (old_values[k] == 0 && new_values[k] != 0)
          throw InternalError(cat("weights of ", adze::quoted(value.name), " that were 0 are so no longer"));
      }
    }
    if (facts.shared_values && shares_values(*value.constant) && !equal_stay_equal(*value.constant, *now))
      throw InternalError(cat("weights of ", adze::quoted(value.name), " no longer share values"));
  }
}

}  // namespace adze
