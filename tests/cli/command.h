#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace adze {

/// What a run of the command left behind.
struct CommandResult {
  int code = -1;
  std::string out, err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
  const nlohmann::json results() const { return json().at("results"); }
};

/// Runs build/adze with these arguments (a shell text) in a fresh folder of this test.
CommandResult adze(const std::string& arguments, const std::string& environment = {});

/// The folder in which the current test's commands run.
std::filesystem::path work_folder();
/// The demo network of examples/.
std::string demo_model();

}  // namespace adze
