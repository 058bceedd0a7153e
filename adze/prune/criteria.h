#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adze/graph/graph.h"
#include "adze/prune/groups.h"
#include "adze/prune/layers.h"
#include "adze/prune/statistics.h"

namespace adze::prune {

enum class Criterion : std::uint8_t {
#define ADZE_CRITERION(kind, ...) kind,
#include "adze/prune/criteria.def"
#undef ADZE_CRITERION
};

enum class Needs : std::uint8_t { None, Activations, Gradients, Start, DropoutRates, Gates, LeavingOut };
enum class Scores : std::uint8_t { Weights, Units };

/// One row of the table of criteria.
struct CriterionInfo {
  Criterion criterion;
  std::string_view name;
  Scores scores;
  Needs needs;
  std::string_view meaning;

  bool data_free() const { return needs == Needs::None; }
};

std::span<const CriterionInfo> criteria();
const CriterionInfo& criterion_info(Criterion criterion);

/// How scores of one group or layer are made comparable with another's.
enum class Normalization : std::uint8_t {
  None,
  Mean,
  Max,
  Sum,
  L2,
  Standard,  ///< minus their mean, over their standard deviation
  Rank,      ///< their place in order, from 0 to 1
};
Normalization normalization_from_name(std::string_view name);

/// A weighted sum of criteria, each normalized by group.
struct CriterionSum {
  std::vector<std::pair<double, Criterion>> terms;
};
/// "l1", "0.5*taylor+bn-scale". Throws UsageError naming the nearest.
CriterionSum parse_criteria(std::string_view text);
std::vector<Needs> needs_of(const CriterionSum& sum);

/// A score for every weight of a layer, row-major rows × columns; small goes first. Throws UsageError when the
/// criterion scores units only or statistics are missing.
std::vector<double> weight_scores(Criterion criterion, const Graph& graph, const Layer& layer,
                                  const Statistics& statistics);

/// A score for every unit of a group; small goes first. Weights: over the tensors that produce the units.
std::vector<double> unit_scores(Criterion criterion, const Graph& graph, const Group& group,
                                std::span<const Layer> layers, const Statistics& statistics);

void normalize(std::vector<double>& scores, Normalization normalization);

/// The whole sum: terms normalized (by mean unless told otherwise when there are several), then added up.
std::vector<double> unit_scores(const CriterionSum& sum, Normalization normalization, const Graph& graph,
                                const Group& group, std::span<const Layer> layers, const Statistics& statistics);
std::vector<double> weight_scores(const CriterionSum& sum, Normalization normalization, const Graph& graph,
                                  const Layer& layer, const Statistics& statistics);

}  // namespace adze::prune
