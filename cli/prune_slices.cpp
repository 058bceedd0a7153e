#include "cli/prune_slices.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adze/base/text.h"
#include "adze/report/table.h"

namespace adze::cli {

void show_slices(Console& console, const SliceComparison& comparison, const Dataset& dataset) {
  const auto percent = [](std::int64_t correct, std::int64_t samples) {
    return cat(fixed(100 * static_cast<double>(correct) / static_cast<double>(std::max<std::int64_t>(1, samples)), 2),
               " %");
  };
  Table table({"slice", "samples", "before", "after", "points lost"}, "Accuracy by class and group");
  for (const SliceResult& slice : comparison.slices) {
    table.add_row({slice.name, cat(slice.samples), percent(slice.correct_before, slice.samples),
                   percent(slice.correct_after, slice.samples), fixed(100 * slice.drop(), 2)});
    console.results()["slices"].push_back({{"name", slice.name},
                                           {"samples", slice.samples},
                                           {"correct_before", slice.correct_before},
                                           {"correct_after", slice.correct_after}});
  }
  console.table(table);
  const auto& names = dataset.class_names();
  const auto class_name = [&](std::int64_t label) {
    return label >= 0 && label < static_cast<std::int64_t>(names.size()) ? names[static_cast<std::size_t>(label)]
                                                                         : cat(label);
  };
  constexpr std::size_t shown = 10;
  Table mistakes({"sample", "is", "now taken for"}, cat("Newly wrong: ", comparison.new_mistakes.size()));
  for (std::size_t i = 0; i < comparison.new_mistakes.size(); ++i) {
    const NewMistake& one = comparison.new_mistakes[i];
    if (i < shown) mistakes.add_row({one.sample, class_name(one.label), class_name(one.after)});
    console.results()["new_mistakes"].push_back(
        {{"sample", one.sample}, {"label", class_name(one.label)}, {"after", class_name(one.after)}});
  }
  console.table(mistakes);
}

}  // namespace adze::cli
