#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/recipe/figures.h"
#include "cli/prune_options.h"

namespace adze::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string percent(double share) {
  return cat(fixed(100 * share, 1), " %");
}

/// "3 5 17", the first of them.
std::string some_numbers(const std::vector<std::int64_t>& numbers, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, numbers.size()); ++i) text += cat(i > 0 ? " " : "", numbers[i]);
  return numbers.size() > most ? cat(text, " …") : text;
}

/// The nodes whose weights make the group, and those that read it.
std::string nodes_of(const Graph& graph, const prune::Group& group, prune::Role wanted) {
  std::vector<std::string> names;
  for (const prune::Member& member : group.members) {
    if (!member.constant) continue;
    for (const prune::RoleEntry& role : member.roles) {
      if (role.role != wanted) continue;
      const std::string& name = graph.node(role.node).name;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  constexpr std::size_t most = 4;
  const std::size_t all = names.size();
  names.resize(std::min(most, all));
  return all > most ? cat(join(names, ", "), " and ", all - most, " more") : join(names, ", ");
}

}  // namespace

void show_groups(Console& console, const Graph& graph, const prune::Groups& groups,
                 const std::vector<std::vector<double>>& scores) {
  Table table({"group", "units", "score min", "mean", "max", "made by", "read by", "remarks"},
              "What can be removed together");
  Json json = Json::array();
  for (std::size_t g = 0; g < groups.groups.size(); ++g) {
    const prune::Group& group = groups.groups[g];
    std::vector<std::string> row = {group.name, cat(group.size), "-", "-", "-"};
    if (!scores[g].empty()) {
      const auto [low, high] = std::minmax_element(scores[g].begin(), scores[g].end());
      double sum = 0;
      for (const double score : scores[g]) sum += score;
      row = {group.name, cat(group.size), fixed(*low, 4), fixed(sum / static_cast<double>(scores[g].size()), 4),
             fixed(*high, 4)};
    }
    row.push_back(nodes_of(graph, group, prune::Role::Produces));
    row.push_back(nodes_of(graph, group, prune::Role::Consumes));
    row.push_back(scores[g].empty() ? "skipped" : group.inexact);
    table.add_row(row);
    Json members = Json::array();
    for (const prune::Member& member : group.members) {
      members.push_back(
          {{"value", graph.value(member.value).name}, {"axis", member.axis}, {"per_unit", member.per_unit}});
    }
    json.push_back({{"name", group.name},
                    {"units", group.size},
                    {"scores", scores[g]},
                    {"inexact", group.inexact},
                    {"members", members}});
  }
  console.table(table);
  console.results()["groups"] = std::move(json);
  if (groups.fixed.empty()) return;
  Table fixed({"weights", "of", "why they stay"}, "What cannot");
  for (const prune::FixedAxis& axis : groups.fixed) {
    const Node& node = graph.node(axis.node);
    fixed.add_row(
        {graph.value(axis.value).name, node.name.empty() ? std::string(op_name(node.kind)) : node.name, axis.why});
    console.results()["fixed"].push_back(
        {{"weights", graph.value(axis.value).name}, {"axis", axis.axis}, {"why", axis.why}});
  }
  console.table(fixed);
}

namespace {

void show_parts(Console& console, const prune::PruneOutcome& outcome) {
  Json& json = console.results()["parts"] = Json::array();
  if (outcome.groups.empty()) {
    console.line("nothing went: the ratio rounds to none of the parts, or the target is met already");
    return;
  }
  Table table({"part", "squared error of the outputs"}, "Gone around, in this order");
  for (const prune::GroupOutcome& part : outcome.groups) {
    table.add_row({part.name, fixed(part.scores.at(0), 4)});
    json.push_back({{"name", part.name}, {"error", part.scores.at(0)}});
  }
  console.table(table);
}

}  // namespace

void show_pruning(Console& console, const prune::PruneOutcome& outcome, const prune::PruneOptions& options) {
  Json& json = console.results();
  const bool channels = options.channels;
  if (options.depth) {
    show_parts(console, outcome);
  } else if (channels) {
    Table table({"group", "units", "left", "largest score gone", "smallest kept", "which went"}, "Channels");
    for (const prune::GroupOutcome& group : outcome.groups) {
      const auto left = group.size - static_cast<std::int64_t>(group.removed.size());
      const double largest = group.scores.empty() ? 0 : *std::max_element(group.scores.begin(), group.scores.end());
      table.add_row({group.name, cat(group.size), cat(left), group.scores.empty() ? "-" : fixed(largest, 4),
                     group.kept.empty() ? "-" : fixed(group.smallest_kept, 4),
                     group.removed.empty() ? "none" : cat("units ", some_numbers(group.removed, 12))});
      json["groups"].push_back({{"name", group.name},
                                {"units", group.size},
                                {"left", left},
                                {"removed", group.removed},
                                {"scores", group.scores},
                                {"inexact", group.inexact}});
    }
    console.table(table);
  }
  Table table({"layer", "weights", "zeros", "share"}, "Weights");
  for (const prune::LayerOutcome& layer : outcome.layers) {
    const double share =
        static_cast<double>(layer.zeros) / static_cast<double>(std::max<std::int64_t>(1, layer.weights));
    table.add_row({layer.name, cat(layer.weights), cat(layer.zeros), percent(share)});
    json["layers"].push_back({{"name", layer.name}, {"weights", layer.weights}, {"zeros", layer.zeros}});
  }
  if (!channels) console.table(table);
  for (const prune::RoundOutcome& round : outcome.rounds) {
    json["rounds"].push_back({{"macs", round.size.macs},
                              {"parameters", round.size.parameters},
                              {"units", round.units},
                              {"left", round.left}});
  }
  const auto share = [](std::int64_t after, std::int64_t before) {
    return percent(static_cast<double>(after) / static_cast<double>(std::max<std::int64_t>(1, before)));
  };
  const prune::Size &before = outcome.before, &after = outcome.after;
  json["before"] = {{"macs", before.macs}, {"parameters", before.parameters}};
  json["after"] = {{"macs", after.macs}, {"parameters", after.parameters}};
  console.line(cat("MACs ", count_text(before.macs), " → ", count_text(after.macs), " (",
                   share(after.macs, before.macs), "), parameters ", count_text(before.parameters), " → ",
                   count_text(after.parameters), " (", share(after.parameters, before.parameters), ")"));
}

}  // namespace adze::cli
