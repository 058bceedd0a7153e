#include "cli/verb.h"

namespace adze::cli {

std::vector<Verb> all_verbs() {
  return {demo_verb(),     inspect_verb(), convert_verb(), slim_verb(),     quantize_verb(), prune_verb(),
          optimize_verb(), train_verb(),   distill_verb(), evaluate_verb(), compare_verb(),  run_verb(),
          bench_verb(),    recipe_verb(),  emit_verb(),    profile_verb(),  device_verb(),   doctor_verb()};
}

}  // namespace adze::cli
