#include <cstdlib>
#include <nlohmann/json.hpp>

#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/base/version.h"
#include "adze/engine/isa.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

ExitCode run_doctor(Console& console) {
  const Machine& machine = this_machine();
  const char* cap = std::getenv("ADZE_ISA");
  const std::string isa(isa_name(choose_isa()));
  console.results() = {{"cpu", machine.cpu},         {"cores", machine.cores}, {"threads", num_threads()},
                       {"isa_present", machine.isa}, {"isa_used", isa},        {"ADZE_ISA", cap != nullptr ? cap : ""}};
  Table table({"", ""});
  table.add_row({"adze", std::string(version())});
  table.add_row({"processor", machine.cpu});
  table.add_row({"cores", cat(machine.cores)});
  table.add_row({"system", cat(machine.system, ", ", machine.architecture)});
  table.add_row({"instruction sets", join(machine.isa, " ")});
  table.add_row({"kernels in use", cat(isa, cap != nullptr ? cat(" (capped by ADZE_ISA=", cap, ")") : "")});
  console.table(table);
  return ExitCode::Done;
}

}  // namespace

Verb doctor_verb() {
  return {"doctor", "Show what adze finds on this machine",
          "  adze doctor\n"
          "  ADZE_ISA=avx2 adze doctor\n",
          [](Options&) -> Action { return [](Console& console) { return run_doctor(console); }; }};
}

}  // namespace adze::cli
