#include "adze/evaluate/slices.h"

#include <algorithm>
#include <map>

#include "adze/base/files.h"
#include "adze/base/text.h"

namespace adze {

namespace {

/// Fields of a line; quotes may enclose commas.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

std::size_t column_of(const std::vector<std::string>& header, std::string_view name,
                      const std::filesystem::path& path) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  throw ModelError(cat("no column ", adze::quoted(name)), {path.string(), "", "line 1"},
                   "a first line \"sample,group\"");
}

/// Is `name` the wanted one, or does it end with it behind a slash?
bool is_named(std::string_view name, std::string_view wanted) {
  if (name == wanted) return true;
  return name.size() > wanted.size() && name.ends_with(wanted) && name[name.size() - wanted.size() - 1] == '/';
}

/// The last part of a path, by which samples are looked up.
std::string last_part(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return std::string(slash == std::string_view::npos ? name : name.substr(slash + 1));
}

void add(SliceResult& slice, bool before, bool after) {
  ++slice.samples;
  slice.correct_before += before ? 1 : 0;
  slice.correct_after += after ? 1 : 0;
}

}  // namespace

std::vector<SampleGroup> read_sample_groups(const std::filesystem::path& path) {
  const std::vector<std::string> lines = split(read_text_file(path), '\n');
  if (lines.empty() || lines[0].empty()) {
    throw ModelError("the file is empty", {path.string(), "", ""}, "a first line \"sample,group\"");
  }
  const std::vector<std::string> header = fields_of(lines[0]);
  const std::size_t sample = column_of(header, "sample", path), group = column_of(header, "group", path);
  std::map<std::string, std::vector<std::string>> groups;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i] == "\r") continue;
    const std::vector<std::string> fields = fields_of(lines[i]);
    if (fields.size() <= std::max(sample, group)) {
      throw ModelError(cat("expected ", header.size(), " fields, got ", fields.size()),
                       {path.string(), "", cat("line ", i + 1)});
    }
    groups[fields[group]].push_back(fields[sample]);
  }
  std::vector<SampleGroup> result;
  for (auto& [name, samples] : groups) result.push_back({name, std::move(samples)});
  return result;
}

SliceResult SliceComparison::worst() const {
  const auto found =
      std::max_element(slices.begin(), slices.end(), [](const auto& a, const auto& b) { return a.drop() < b.drop(); });
  return found == slices.end() ? SliceResult{} : *found;
}

SliceComparison compare_slices(const EvaluateResult& before, const EvaluateResult& after, const Dataset& dataset,
                               const std::vector<SampleGroup>& groups) {
  if (before.indices != after.indices) throw InternalError("compare_slices: results of different samples");
  std::map<std::int64_t, SliceResult> classes;
  std::multimap<std::string, std::pair<std::size_t, std::string>> wanted;  // last part of the name: group, whole name
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const std::string& name : groups[g].samples) wanted.emplace(last_part(name), std::pair(g, name));
  }
  std::vector<SliceResult> of_groups(groups.size());
  SliceComparison result;
  for (std::size_t i = 0; i < before.indices.size(); ++i) {
    const std::int64_t label = before.labels[i];
    const bool right_before = before.predictions[i] == label, right_after = after.predictions[i] == label;
    add(classes[label], right_before, right_after);
    const std::string name = dataset.name(before.indices[i]);
    if (right_before && !right_after) {
      result.new_mistakes.push_back({name, label, before.predictions[i], after.predictions[i]});
    }
    const auto [first, last] = wanted.equal_range(last_part(name));
    for (auto one = first; one != last; ++one) {
      if (is_named(name, one->second.second)) add(of_groups[one->second.first], right_before, right_after);
    }
  }
  const auto& names = dataset.class_names();
  for (auto& [label, slice] : classes) {
    const bool known = label >= 0 && label < static_cast<std::int64_t>(names.size());
    slice.name = cat("class ", known ? names[static_cast<std::size_t>(label)] : cat(label));
    result.slices.push_back(std::move(slice));
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (of_groups[g].samples == 0) {
      throw UsageError(cat("no sample that was judged is in the group ", adze::quoted(groups[g].name)),
                       "names as the data has them: class/0001.jpg, or the file's name");
    }
    of_groups[g].name = cat("group ", groups[g].name);
    result.slices.push_back(std::move(of_groups[g]));
  }
  return result;
}

}  // namespace adze
