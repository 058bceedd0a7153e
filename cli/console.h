#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "adze/base/error.h"
#include "adze/base/progress.h"
#include "adze/report/table.h"

namespace adze::cli {

/// Flags that every verb has.
struct CommonOptions {
  bool json = false;
  bool quiet = false;
  bool force = false;  ///< overwrite existing files
  std::int64_t seed = 0;
  std::int64_t threads = 0;  ///< 0: all cores
};

/// Where a verb's result goes: tables and lines for people on stdout, or one JSON object with --json; progress on
/// stderr.
class Console {
 public:
  Console(std::string verb, std::vector<std::string> command);
  ~Console();

  CommonOptions options;

  ProgressSink& progress();
  /// A line for people; nothing with --json.
  void line(const std::string& text);
  void table(const Table& table);
  /// Remark on stderr, also with --json; nothing with --quiet.
  void remark(const std::string& text);
  /// Sets results[key], for --json.
  nlohmann::ordered_json& results();
  /// Records a model file's identity in the JSON envelope.
  void model(const std::string& role, const std::string& path);
  /// The whole command line, quoted for a shell.
  std::string command_line() const;
  /// Prints the JSON object when asked for.
  void finish();

  /// Throws UsageError when path exists and --force was not given, or its folder does not exist.
  void check_output(const std::string& path) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adze::cli
