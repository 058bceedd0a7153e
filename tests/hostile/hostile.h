#pragma once

#include <functional>
#include <string>

/// What every hostile file must meet: refused or accepted with a known exit code, a message that names what is wrong
/// and where, in under a second, without a lasting claim on memory.
namespace adze::hostile {

/// What loading a file came to.
struct Outcome {
  int exit_code = 0;  ///< 0: accepted; else the ExitCode of the error
  std::string message;
  std::string node;
  std::string file;
  double seconds = 0;  ///< of processor time: other programs do not count
};

/// Processor time that this process has used.
double processor_seconds();

/// Runs load and records how it ends. Anything but an Error escapes and fails the test.
Outcome outcome_of(const std::function<void()>& load);

/// Fails the test unless the outcome has the exit code, its message holds `says`, its place holds `node`, and it took
/// under a second.
void expect_outcome(const Outcome& outcome, int exit_code, const std::string& says, const std::string& node);

/// The most memory the process has had, in bytes.
long peak_memory_bytes();

}  // namespace adze::hostile
