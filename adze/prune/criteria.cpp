#include "adze/prune/criteria.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "adze/base/text.h"

namespace adze::prune {

std::span<const CriterionInfo> criteria() {
  static constexpr CriterionInfo table[] = {
#define ADZE_CRITERION(kind, name, scores, needs, meaning) \
  {Criterion::kind, name, Scores::scores, Needs::needs, meaning},
#include "adze/prune/criteria.def"
#undef ADZE_CRITERION
  };
  return table;
}

const CriterionInfo& criterion_info(Criterion criterion) {
  return criteria()[static_cast<std::size_t>(criterion)];
}

Normalization normalization_from_name(std::string_view name) {
  constexpr std::pair<std::string_view, Normalization> names[] = {
      {"none", Normalization::None}, {"mean", Normalization::Mean}, {"max", Normalization::Max},
      {"sum", Normalization::Sum},   {"l2", Normalization::L2},     {"standard", Normalization::Standard},
      {"rank", Normalization::Rank}};
  for (const auto& [known, value] : names) {
    if (known == name) return value;
  }
  throw UsageError(cat("no normalization ", adze::quoted(name)), "none, mean, max, sum, l2, standard or rank");
}

namespace {

Criterion criterion_from_name(std::string_view name) {
  std::vector<std::string> names;
  for (const CriterionInfo& info : criteria()) {
    if (info.name == name) return info.criterion;
    names.emplace_back(info.name);
  }
  throw UsageError(cat("no criterion ", adze::quoted(name)), cat("one of ", join(names, ", ")));
}

}  // namespace

CriterionSum parse_criteria(std::string_view text) {
  CriterionSum sum;
  for (const std::string& part : split(std::string(text), '+')) {
    const std::size_t star = part.find('*');
    double weight = 1;
    if (star != std::string::npos) {
      const std::string number = part.substr(0, star);
      char* end = nullptr;
      weight = std::strtod(number.c_str(), &end);
      if (number.empty() || *end != 0 || !(weight > 0)) {
        throw UsageError(cat("cannot read the weight of ", adze::quoted(part)), "as 0.5*taylor+bn-scale");
      }
    }
    sum.terms.emplace_back(weight, criterion_from_name(star == std::string::npos ? part : part.substr(star + 1)));
  }
  return sum;
}

std::vector<Needs> needs_of(const CriterionSum& sum) {
  std::vector<Needs> needs;
  for (const auto& [weight, criterion] : sum.terms) {
    const Needs one = criterion_info(criterion).needs;
    if (one != Needs::None && std::find(needs.begin(), needs.end(), one) == needs.end()) needs.push_back(one);
  }
  return needs;
}

namespace {

/// Equal scores get the same place.
void replace_by_rank(std::vector<double>& scores) {
  std::vector<double> sorted = scores;
  std::sort(sorted.begin(), sorted.end());
  for (double& score : scores) {
    const auto place = std::lower_bound(sorted.begin(), sorted.end(), score) - sorted.begin();
    score = static_cast<double>(place) / static_cast<double>(std::max<std::size_t>(1, sorted.size() - 1));
  }
}

void standardize(std::vector<double>& scores) {
  const auto count = static_cast<double>(scores.size());
  double mean = 0, square = 0;
  for (const double score : scores) mean += score / count;
  for (const double score : scores) square += (score - mean) * (score - mean) / count;
  for (double& score : scores) score = square > 0 ? (score - mean) / std::sqrt(square) : 0;
}

}  // namespace

void normalize(std::vector<double>& scores, Normalization normalization) {
  if (normalization == Normalization::None || scores.empty()) return;
  if (normalization == Normalization::Rank) return replace_by_rank(scores);
  if (normalization == Normalization::Standard) return standardize(scores);
  double sum = 0, largest = 0, square = 0;
  for (const double score : scores) {
    sum += std::abs(score);
    largest = std::max(largest, std::abs(score));
    square += score * score;
  }
  double by = 1;
  if (normalization == Normalization::Mean) by = sum / static_cast<double>(scores.size());
  if (normalization == Normalization::Max) by = largest;
  if (normalization == Normalization::Sum) by = sum;
  if (normalization == Normalization::L2) by = std::sqrt(square);
  if (!(by > 0)) return;
  for (double& score : scores) score /= by;
}

namespace {

template <typename ScoreFunction>
std::vector<double> add_up(const CriterionSum& sum, Normalization normalization, const ScoreFunction& score) {
  if (sum.terms.size() > 1 && normalization == Normalization::None) normalization = Normalization::Mean;
  std::vector<double> total;
  for (const auto& [weight, criterion] : sum.terms) {
    std::vector<double> scores = score(criterion);
    normalize(scores, normalization);
    total.resize(scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i) total[i] += weight * scores[i];
  }
  return total;
}

}  // namespace

std::vector<double> unit_scores(const CriterionSum& sum, Normalization normalization, const Graph& graph,
                                const Group& group, std::span<const Layer> layers, const Statistics& statistics) {
  return add_up(sum, normalization,
                [&](Criterion criterion) { return unit_scores(criterion, graph, group, layers, statistics); });
}

std::vector<double> weight_scores(const CriterionSum& sum, Normalization normalization, const Graph& graph,
                                  const Layer& layer, const Statistics& statistics) {
  return add_up(sum, normalization,
                [&](Criterion criterion) { return weight_scores(criterion, graph, layer, statistics); });
}

}  // namespace adze::prune
