#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/options.h"

namespace adze::cli {

/// Does the verb's work and returns the exit code; throws adze::Error otherwise.
using Action = std::function<ExitCode(Console&)>;

/// One word of the command: `adze VERB …`. declare() binds its options and returns what to do once they are parsed.
struct Verb {
  std::string name;
  std::string summary;
  std::string examples;  ///< shown under --help, one command a line
  std::function<Action(Options&)> declare;
};

/// All verbs in the order that help lists them.
std::vector<Verb> all_verbs();

Verb inspect_verb();
Verb convert_verb();
Verb slim_verb();
Verb run_verb();
Verb evaluate_verb();
Verb compare_verb();
Verb bench_verb();
Verb quantize_verb();
Verb prune_verb();
Verb optimize_verb();
Verb train_verb();
Verb distill_verb();
Verb recipe_verb();
Verb demo_verb();
Verb emit_verb();
Verb profile_verb();
Verb device_verb();
Verb doctor_verb();

}  // namespace adze::cli
