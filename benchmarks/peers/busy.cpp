#include "benchmarks/peers/busy.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adze/base/error.h"
#include "adze/base/text.h"
#include "adze/engine/session.h"
#include "adze/evaluate/latency.h"
#include "adze/zoo/zoo.h"
#include "benchmarks/peers/timing.h"

namespace adze::peers {

namespace {

/// The last core that this process may use.
int last_core() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) throw InternalError("sched_getaffinity fails");
  for (int core = CPU_SETSIZE - 1; core > 0; --core) {
    if (CPU_ISSET(core, &cores)) return core;
  }
  throw UsageError("--busy needs two cores");
}

/// A process that does nothing but spin on one core, as long as the object lives.
class Spinner {
 public:
  explicit Spinner(int core) : child_(::fork()) {
    if (child_ < 0) throw InternalError("fork fails");
    if (child_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
    for (volatile unsigned spin = 0;;) spin = spin + 1;
  }
  ~Spinner() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Spinner(const Spinner&) = delete;
  Spinner& operator=(const Spinner&) = delete;

 private:
  pid_t child_;
};

}  // namespace

std::vector<BusyLine> measure_busy(const std::vector<std::string>& networks, const std::vector<std::string>& precisions,
                                   const std::string& isa, double seconds) {
  const Spinner spinner(last_core());
  std::vector<BusyLine> result;
  for (const std::string& network : networks) {
    for (const std::string& precision : precisions) {
      zoo::ZooOptions options;
      options.quantized = precision == "int8";
      const Graph graph = zoo::build(network, options);
      const std::vector<Tensor> inputs = random_inputs(graph, 1);
      SessionOptions single, dual;
      single.isa = dual.isa = isa;
      dual.threads = 2;
      Session one(graph, single), two(graph, dual);
      std::vector<Contestant> both{{[&] { one.run(inputs); }, {}, {}}, {[&] { two.run(inputs); }, {}, {}}};
      measure_interleaved(both, seconds);
      result.push_back({network, precision, both[0].wall.median, both[1].wall.median});
    }
  }
  return result;
}

}  // namespace adze::peers
