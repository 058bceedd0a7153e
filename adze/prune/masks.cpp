#include "adze/prune/masks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "adze/base/text.h"

namespace adze::prune {

namespace {

/// More columns than any matrix has.
constexpr std::int64_t whole_row = std::int64_t{1} << 40;

std::int64_t positive(const std::string& text, std::string_view whole) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != 0 || value < 1 || value > 4096) {
    throw UsageError(cat("cannot read the unit ", adze::quoted(whole)),
                     "channels, blocks, layers, merged, weights, rows, 2:4, block=8x1");
  }
  return value;
}

/// Weights that go together, as places in the matrix, with their mean score.
struct Block {
  std::int64_t row, column;
  std::int64_t size;
  double score;
};

std::vector<Block> blocks_of(std::span<const double> scores, const Layer& layer, const Pattern& pattern) {
  std::vector<Block> blocks;
  for (std::int64_t row = 0; row < layer.rows; row += pattern.rows) {
    for (std::int64_t column = 0; column < layer.columns; column += pattern.columns) {
      Block block{row, column, 0, 0};
      for (std::int64_t r = row; r < std::min(row + pattern.rows, layer.rows); ++r) {
        for (std::int64_t c = column; c < std::min(column + pattern.columns, layer.columns); ++c) {
          block.score += scores[static_cast<std::size_t>(r * layer.columns + c)];
          ++block.size;
        }
      }
      block.score /= static_cast<double>(block.size);
      blocks.push_back(block);
    }
  }
  return blocks;
}

void clear(Mask& mask, const Layer& layer, const Pattern& pattern, const Block& block) {
  for (std::int64_t r = block.row; r < std::min(block.row + pattern.rows, layer.rows); ++r) {
    for (std::int64_t c = block.column; c < std::min(block.column + pattern.columns, layer.columns); ++c) {
      mask[static_cast<std::size_t>(r * layer.columns + c)] = 0;
    }
  }
}

/// Of every `columns` neighbours the best `keep` stay; of fewer at the edge as many of them.
Mask keep_n_of_m(std::span<const double> scores, const Layer& layer, const Pattern& pattern) {
  Mask mask(scores.size(), 1);
  std::vector<std::int64_t> order;
  for (std::int64_t row = 0; row < layer.rows; ++row) {
    for (std::int64_t begin = 0; begin < layer.columns; begin += pattern.columns) {
      order.resize(static_cast<std::size_t>(std::min(pattern.columns, layer.columns - begin)));
      std::iota(order.begin(), order.end(), row * layer.columns + begin);
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
      });
      for (std::size_t i = static_cast<std::size_t>(pattern.keep); i < order.size(); ++i) {
        mask[static_cast<std::size_t>(order[i])] = 0;
      }
    }
  }
  return mask;
}

}  // namespace

Pattern parse_pattern(std::string_view text) {
  Pattern pattern;
  if (text == "weights") return pattern;
  if (text == "rows") return {Pattern::Kind::Block, 1, whole_row, 0};
  if (text.rfind("block=", 0) == 0) {
    const auto sizes = split(text.substr(6), 'x');
    if (sizes.size() != 2) throw UsageError(cat("cannot read the unit ", adze::quoted(text)), "as block=8x1");
    pattern.kind = Pattern::Kind::Block;
    pattern.rows = positive(sizes[0], text);
    pattern.columns = positive(sizes[1], text);
    return pattern;
  }
  const auto counts = split(text, ':');
  if (counts.size() != 2) {
    throw UsageError(cat("no unit ", adze::quoted(text)),
                     "channels, blocks, layers, merged, weights, rows, 2:4, block=8x1");
  }
  pattern.kind = Pattern::Kind::NM;
  pattern.keep = positive(counts[0], text);
  pattern.columns = positive(counts[1], text);
  if (pattern.keep >= pattern.columns) throw UsageError(cat(text, " keeps everything"), "N:M keeps N of M, N < M");
  return pattern;
}

std::string pattern_text(const Pattern& pattern) {
  if (pattern.kind == Pattern::Kind::NM) return cat(pattern.keep, ":", pattern.columns);
  if (pattern.columns == whole_row) return "rows";
  if (pattern.kind == Pattern::Kind::Block) return cat("block=", pattern.rows, "x", pattern.columns);
  return "weights";
}

Mask choose_mask(std::span<const double> scores, const Layer& layer, const Pattern& pattern, double ratio) {
  const std::vector<std::vector<double>> all = {{scores.begin(), scores.end()}};
  return choose_masks(all, {&layer, 1}, pattern, ratio, 1.0).at(0);
}

std::vector<Mask> choose_masks(const std::vector<std::vector<double>>& scores, std::span<const Layer> layers,
                               const Pattern& pattern, double ratio, double max_ratio) {
  std::vector<Mask> masks;
  struct Candidate {
    Block block;
    std::size_t layer;
  };
  std::vector<Candidate> candidates;
  std::vector<double> left;  // weights that each layer may still lose
  double wanted = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (pattern.kind == Pattern::Kind::NM) {
      masks.push_back(keep_n_of_m(scores[i], layers[i], pattern));
      continue;
    }
    masks.emplace_back(scores[i].size(), std::uint8_t{1});
    for (const Block& block : blocks_of(scores[i], layers[i], pattern)) candidates.push_back({block, i});
    left.push_back(std::floor(max_ratio * static_cast<double>(scores[i].size())));
    wanted += ratio * static_cast<double>(scores[i].size());
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.block.score < b.block.score; });
  for (const Candidate& candidate : candidates) {
    const auto size = static_cast<double>(candidate.block.size);
    if (wanted < 0.5 * size) break;
    if (left[candidate.layer] < size) continue;
    clear(masks[candidate.layer], layers[candidate.layer], pattern, candidate.block);
    left[candidate.layer] -= size;
    wanted -= size;
  }
  return masks;
}

void apply_mask(Graph& graph, const Layer& layer, const Mask& mask) {
  std::vector<float> matrix = weight_matrix(graph, layer);
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    if (mask[i] == 0) matrix[i] = 0;
  }
  set_weight_matrix(graph, layer, matrix);
}

double zero_share(const Graph& graph, const Layer& layer) {
  const auto data = graph.constant(layer.weight)->data<float>();
  return static_cast<double>(std::count(data.begin(), data.end(), 0.0F)) / static_cast<double>(data.size());
}

}  // namespace adze::prune
