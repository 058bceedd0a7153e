#include "cli/console.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/base/version.h"
#include "adze/recipe/model_files.h"
#include "cli/progress_line.h"

namespace adze::cli {

using Json = nlohmann::ordered_json;

struct Console::State {
  std::string verb;
  std::vector<std::string> command;
  std::unique_ptr<ProgressSink> progress;
  Json results = Json::object();
  Json models = Json::object();
};

Console::Console(std::string verb, std::vector<std::string> command) : state_(std::make_unique<State>()) {
  state_->verb = std::move(verb);
  state_->command = std::move(command);
}

Console::~Console() = default;

ProgressSink& Console::progress() {
  if (options.quiet) return silent_progress();
  if (!state_->progress) state_->progress = make_progress_line();
  return *state_->progress;
}

void Console::line(const std::string& text) {
  if (!options.json) std::printf("%s\n", text.c_str());
}

void Console::table(const Table& table) {
  if (options.json) return;
  const std::string text = ::isatty(STDOUT_FILENO) == 1 ? table.text() : table.markdown();
  std::printf("%s", text.c_str());
}

void Console::remark(const std::string& text) {
  if (!options.quiet) progress().note(text);
}

nlohmann::ordered_json& Console::results() {
  return state_->results;
}

void Console::model(const std::string& role, const std::string& path) {
  const FileIdentity identity = identify_model(path);
  state_->models[role] = {{"path", path}, {"bytes", identity.bytes}, {"sha256", identity.sha256}};
}

std::string Console::command_line() const {
  std::string line = "adze";
  for (const std::string& word : state_->command) {
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-_=+./,:%@") == std::string::npos;
    line += ' ';
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

void Console::finish() {
  if (options.json) {
    const Machine& machine = this_machine();
    Json document = {{"schema", cat("adze.", state_->verb, "/1")},
                     {"adze", version()},
                     {"command", command_line()},
                     {"machine",
                      {{"cpu", machine.cpu},
                       {"cores", machine.cores},
                       {"architecture", machine.architecture},
                       {"system", machine.system},
                       {"isa", machine.isa}}},
                     {"seed", options.seed},
                     {"model", state_->models},
                     {"results", state_->results}};
    // Names come from untrusted files and need not be UTF-8: replace what is not, rather than fail.
    std::printf("%s\n", document.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) throw LimitError("cannot write the result to stdout");
}

void Console::check_output(const std::string& path) const {
  const std::filesystem::path target(path);
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw UsageError(cat("the folder of the output ", adze::quoted(path), " does not exist"),
                     cat("mkdir -p ", folder.string()));
  }
  if (!options.force && std::filesystem::exists(target, ignored)) {
    throw UsageError(cat("the output ", adze::quoted(path), " exists"), "another name, or -f to overwrite it");
  }
}

}  // namespace adze::cli
