#include <algorithm>
#include <map>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "adze/engine/reference/text.h"
#include "adze/engine/reference/values.h"

namespace adze::reference::text {

namespace {

using Gram = std::vector<std::string>;

std::vector<std::string> words_of(const Tensor& x) {
  if (x.dtype() == DType::String) {
    const auto strings = x.data<std::string>();
    return {strings.begin(), strings.end()};
  }
  std::vector<std::string> words;
  for (const std::int64_t value : to_ints(x)) words.push_back(cat(value));
  return words;
}

std::vector<std::string> pool_of(const Node& node, bool strings) {
  if (strings) return node.get_strings("pool_strings");
  std::vector<std::string> words;
  for (const std::int64_t value : node.get_ints("pool_int64s")) words.push_back(cat(value));
  return words;
}

/// Each n-gram of the pool with its place in the list. ngram_counts[n - 1] is where the n-grams of length n begin.
std::map<Gram, std::size_t> grams_of(const Node& node, bool strings) {
  const std::vector<std::string> pool = pool_of(node, strings);
  const std::vector<std::int64_t> begins = node.get_ints("ngram_counts");
  std::map<Gram, std::size_t> grams;
  std::size_t id = 0;
  for (std::size_t n = 1; n <= begins.size(); ++n) {
    const std::int64_t begin = begins[n - 1], end = n < begins.size() ? begins[n] : std::ssize(pool);
    if (begin < 0 || begin > end || end > std::ssize(pool) || (end - begin) % static_cast<std::int64_t>(n) != 0) {
      throw ModelError(cat("ngram_counts does not cut the pool of ", pool.size(), " into ", n, "-grams"));
    }
    for (std::int64_t i = begin; i < end; i += static_cast<std::int64_t>(n)) {
      grams.emplace(Gram(pool.begin() + i, pool.begin() + i + static_cast<std::int64_t>(n)), id++);
    }
  }
  if (id > node.get_ints("ngram_indexes").size()) throw ModelError("ngram_indexes is shorter than the pool");
  return grams;
}

struct Lengths {
  std::int64_t least, most, skips;
};

Lengths lengths_of(const Node& node) {
  const Lengths lengths{node.get_int("min_gram_length"), node.get_int("max_gram_length"),
                        node.get_int("max_skip_count")};
  if (lengths.least < 1 || lengths.most < lengths.least || lengths.skips < 0) {
    throw ModelError("min_gram_length, max_gram_length or max_skip_count is out of range");
  }
  return lengths;
}

/// Calls found(id) for every n-gram of the row that the pool holds; skipped words lie between equal steps.
template <typename Found>
void each_gram(std::span<const std::string> row, const Lengths& lengths, const std::map<Gram, std::size_t>& grams,
               Found&& found) {
  const std::int64_t size = std::ssize(row);
  for (std::int64_t skip = 0; skip <= std::min(lengths.skips, size); ++skip) {
    const std::int64_t first = skip == 0 ? lengths.least : std::max<std::int64_t>(2, lengths.least);
    for (std::int64_t n = first; n <= std::min(lengths.most, size); ++n) {
      check_cancelled();
      for (std::int64_t start = 0; start + (n - 1) * (skip + 1) < size; ++start) {
        Gram gram;
        for (std::int64_t i = 0; i < n; ++i) gram.push_back(row[static_cast<std::size_t>(start + i * (skip + 1))]);
        if (const auto entry = grams.find(gram); entry != grams.end()) found(entry->second);
      }
    }
  }
}

}  // namespace

void tf_idf_vectorizer(Context& context) {
  const Shape shape = checked_shape(context);
  const Node& node = context.node();
  const Tensor& x = context.input(0);
  const auto grams = grams_of(node, x.dtype() == DType::String);
  const std::vector<std::int64_t> indexes = node.get_ints("ngram_indexes");
  const std::vector<float> weights = node.get_floats("weights");
  const std::string mode = node.get_string("mode");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF") throw ModelError(cat("mode ", quoted(mode), " is not known"));
  if (!weights.empty() && weights.size() != indexes.size())
    throw ModelError("weights and ngram_indexes differ in length");
  const std::vector<std::string> words = words_of(x);
  const Lengths lengths = lengths_of(node);
  const std::size_t rows = x.rank() == 2 ? static_cast<std::size_t>(x.dim(0)) : 1;
  const std::size_t width = rows == 0 ? 0 : words.size() / rows;
  const auto columns = static_cast<std::size_t>(shape.back());
  std::vector<double> y(rows * columns);
  for (std::size_t row = 0; row < rows; ++row) {
    each_gram(std::span(words).subspan(row * width, width), lengths, grams, [&](std::size_t id) {
      double& value = y[row * columns + static_cast<std::size_t>(indexes[id])];
      const double weight = weights.empty() ? 1 : weights[id];
      if (mode == "TF") {
        ++value;
      } else if (mode == "IDF") {
        value = weight;
      } else {
        value += weight;
      }
    });
  }
  context.set(0, from_doubles(DType::F32, shape, y));
}

}  // namespace adze::reference::text
