#include <cstdlib>
#include <nlohmann/json.hpp>

#include "adze/base/machine.h"
#include "adze/base/text.h"
#include "adze/base/threads.h"
#include "adze/base/version.h"
#include "adze/engine/isa.h"
#include "adze/engine/peaks.h"
#include "cli/peaks_json.h"
#include "cli/verb.h"

namespace adze::cli {

namespace {

/// Both tables: arithmetic by dtype and instruction set, bandwidth by memory.
void show_peaks(Console& console) {
  const MachinePeaks peaks = measure_peaks();
  Table arithmetic({"peak of one core", "instruction set", "GMAC/s", "Gop/s"});
  for (const auto& peak : peaks.arithmetic) {
    arithmetic.add_row({std::string(dtype_name(peak.dtype)), peak.isa, fixed(peak.macs_per_second / 1e9, 1),
                        fixed(2 * peak.macs_per_second / 1e9, 1)});
  }
  Table memory({"memory", "working set", "read GB/s", "write GB/s"});
  for (const auto& level : peaks.memory) {
    memory.add_row({level.level, bytes_text(level.bytes), fixed(level.read_per_second / 1e9, 1),
                    fixed(level.write_per_second / 1e9, 1)});
  }
  console.results()["peaks"] = peaks_json(peaks);
  console.line("");
  console.table(arithmetic);
  console.line("");
  console.table(memory);
}

ExitCode run_doctor(Console& console, bool peaks) {
  const Machine& machine = this_machine();
  const char* cap = std::getenv("ADZE_ISA");
  const std::string isa(isa_name(choose_isa()));
  console.results() = {{"cpu", machine.cpu},          {"cores", machine.cores}, {"threads", num_threads()},
                       {"isa_present", machine.isa},  {"isa_used", isa},        {"ADZE_ISA", cap != nullptr ? cap : ""},
                       {"amx", describe(amx_state())}};
  Table table({"", ""});
  table.add_row({"adze", std::string(version())});
  table.add_row({"processor", machine.cpu});
  table.add_row({"cores", cat(machine.cores)});
  table.add_row({"system", cat(machine.system, ", ", machine.architecture)});
  table.add_row({"instruction sets", join(machine.isa, " ")});
  table.add_row({"AMX", describe(amx_state())});
  table.add_row({"kernels in use", cat(isa, cap != nullptr ? cat(" (capped by ADZE_ISA=", cap, ")") : "")});
  console.table(table);
  if (peaks) show_peaks(console);
  return ExitCode::Done;
}

}  // namespace

Verb doctor_verb() {
  return {"doctor", "Show what adze finds on this machine",
          "  adze doctor\n"
          "  ADZE_ISA=avx2 adze doctor\n"
          "  adze doctor --peaks\n",
          [](Options& options) -> Action {
            auto peaks = std::make_shared<bool>(false);
            options.flag(*peaks, "--peaks",
                         "Measure what one core can do: MAC/s by dtype and instruction set, bytes/s");
            return [peaks](Console& console) { return run_doctor(console, *peaks); };
          }};
}

}  // namespace adze::cli
