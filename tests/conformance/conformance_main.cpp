#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "adze/base/text.h"
#include "tests/conformance/conformance.h"

using namespace adze;
using namespace adze::conformance;

namespace {

struct Counts {
  int passed = 0, failed = 0, unsupported = 0;

  void add(Verdict verdict) {
    ++(verdict == Verdict::Passed ? passed : verdict == Verdict::Failed ? failed : unsupported);
  }
};

void print_row(const std::string& name, const Counts& counts) {
  std::printf("%-28s %6d %6d %11d\n", name.c_str(), counts.passed, counts.failed, counts.unsupported);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs the ONNX conformance set on the reference interpreter");
  std::string folder = default_folder, filter;
  bool lists = false;
  Form form;
  app.add_option("--data", folder, "folder of the set")->capture_default_str();
  app.add_option("--filter", filter, "run only cases whose name contains this");
  app.add_flag("--list-failures", lists, "print the reason of every case that did not pass");
  app.add_flag("--rewritten", form.rewritten, "simplify each model first");
  app.add_flag("--engine", form.engine, "run by a session of the engine instead of the reference");
  app.add_flag("--reloaded", form.reloaded, "write and read each model again first");
  CLI11_PARSE(app, argc, argv);
  const auto cases = find_cases(folder);
  if (cases.empty()) {
    std::fprintf(stderr, "no cases in %s; install libonnx-testdata or give --data\n", folder.c_str());
    return 3;
  }
  Counts total;
  std::map<std::string, Counts> by_operator;
  for (const Case& test : cases) {
    if (test.name.find(filter) == std::string::npos) continue;
    const Outcome outcome = run_case(test, form);
    total.add(outcome.verdict);
    for (const std::string& name : outcome.operators) by_operator[name].add(outcome.verdict);
    if (outcome.operators.empty()) by_operator["(not read)"].add(outcome.verdict);
    if (lists && outcome.verdict != Verdict::Passed) {
      std::printf("%s %s/%s: %s\n", outcome.verdict == Verdict::Failed ? "FAILED" : "unsupported", test.group.c_str(),
                  test.name.c_str(), outcome.reason.c_str());
    }
  }
  std::printf("%-28s %6s %6s %11s\n", "operator (cases with it)", "passed", "failed", "unsupported");
  for (const auto& [name, counts] : by_operator) print_row(name, counts);
  std::printf("%d passed, %d failed, %d unsupported\n", total.passed, total.failed, total.unsupported);
  return total.failed == 0 ? 0 : 1;
}
