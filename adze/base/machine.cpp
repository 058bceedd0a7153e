#include "adze/base/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "adze/base/text.h"

namespace adze {

namespace {

Machine read_machine() {
  Machine machine;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) machine.cores = std::max(1, CPU_COUNT(&set));
  utsname names{};
  if (uname(&names) == 0) {
    machine.architecture = names.machine;
    machine.system = cat(names.sysname, " ", names.release);
  }
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key(trim(line.substr(0, colon)));
    const std::string value(trim(line.substr(colon + 1)));
    if (key == "model name" && machine.cpu.empty()) machine.cpu = value;
    if (key == "CPU part" && machine.cpu.empty()) machine.cpu = cat(machine.architecture, " part ", value);
    if ((key != "flags" && key != "Features") || !machine.isa.empty()) continue;
    const std::vector<std::string> flags = split(value, ' ');
    for (const char* wanted : {"avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16",
                               "asimd", "asimddp", "i8mm"}) {
      if (std::find(flags.begin(), flags.end(), wanted) != flags.end()) machine.isa.emplace_back(wanted);
    }
  }
  return machine;
}

}  // namespace

const Machine& this_machine() {
  static const Machine machine = read_machine();
  return machine;
}

long long peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<long long>(usage.ru_maxrss) * 1024;
}

}  // namespace adze
