#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "adze/engine/compute.h"
#include "adze/engine/isa.h"
#include "adze/graph/graph.h"

namespace adze::engine {

/// Which of its kernels runs a node best on this machine, as measured: by everything that its speed depends on.
class TuneTable {
 public:
  /// Adds what the file holds; a file that is not there, or lines that are damaged, add nothing.
  void load(const std::filesystem::path& path);
  /// Whole or not at all. Throws ModelError when the file cannot be written.
  void save(const std::filesystem::path& path) const;

  /// The name of the best candidate; empty when the problem was not measured.
  std::string_view find(const std::string& problem) const;
  /// Was its candidate the fastest of several?
  bool was_timed(const std::string& problem) const;
  /// microseconds: 0 when nothing else could run the problem.
  void set(const std::string& problem, std::string candidate, double microseconds);
  bool changed() const { return changed_; }

 private:
  struct Choice {
    std::string candidate;
    double microseconds = 0;
  };
  std::map<std::string, Choice> choices_;
  bool changed_ = false;
};

/// Processor, instruction set, numbers computed in, threads, operator, attributes, dtypes and shapes, as one line of
/// text.
std::string problem_text(const Graph& graph, const Node& node, Isa isa, Compute compute, int threads);

}  // namespace adze::engine
