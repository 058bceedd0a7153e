#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "cli/parse.h"

namespace {

extern "C" void on_interrupt(int signal) {
  adze::cancel_flag() = true;
  std::signal(signal, SIG_DFL);  // a second Ctrl-C ends the process at once
}

/// The OpenMP library that libtorch computes with reads how threads wait when it is loaded, before main. Threads that
/// spin make two slower than one as soon as somebody else needs a core (measured: 72 instead of 11 pictures a second),
/// so the verbs that train start once more with the other policy, unless the user chose one.
void wait_without_spinning(char** argv) {
  constexpr std::string_view training_verbs[] = {"train", "distill", "prune", "recipe"};
  if (argv[0] == nullptr || argv[1] == nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  if (std::find(std::begin(training_verbs), std::end(training_verbs), argv[1]) == std::end(training_verbs)) return;
  setenv("OMP_WAIT_POLICY", "passive", 0);
  execv("/proc/self/exe", argv);  // when it fails, training is only slower
}

int report(const std::string& text, adze::ExitCode code) {
  std::fprintf(stderr, "error: %s\n", text.c_str());
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  wait_without_spinning(argv);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit then is an error of write(), with a message
  try {
    return static_cast<int>(adze::cli::run_command(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const adze::Error& error) {
    return report(error.what(), error.code());
  } catch (const std::bad_alloc&) {
    return report("out of memory", adze::ExitCode::ResourceLimit);
  } catch (const std::exception& error) {
    return report(adze::cat(error.what(), "\n  this is a bug in adze: please report it"),
                  adze::ExitCode::InternalFault);
  }
}
