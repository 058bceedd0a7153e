#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "adze/base/progress.h"
#include "adze/base/text.h"
#include "cli/parse.h"

namespace {

extern "C" void on_interrupt(int signal) {
  adze::cancel_flag() = true;
  std::signal(signal, SIG_DFL);  // a second Ctrl-C ends the process at once
}

int report(const std::string& text, adze::ExitCode code) {
  std::fprintf(stderr, "error: %s\n", text.c_str());
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
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
