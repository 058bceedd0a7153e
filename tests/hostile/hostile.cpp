#include "tests/hostile/hostile.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <ctime>

#include "adze/base/error.h"

namespace adze::hostile {

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

Outcome outcome_of(const std::function<void()>& load) {
  Outcome outcome;
  const double start = processor_seconds();
  try {
    load();
  } catch (const Error& error) {
    outcome.exit_code = static_cast<int>(error.code());
    outcome.message = error.message();
    outcome.node = error.place().node;
    outcome.file = error.place().file;
  }
  outcome.seconds = processor_seconds() - start;
  return outcome;
}

void expect_outcome(const Outcome& outcome, int exit_code, const std::string& says, const std::string& node) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.message;
  EXPECT_NE(outcome.message.find(says), std::string::npos) << "the message is: " << outcome.message;
  EXPECT_NE(outcome.node.find(node), std::string::npos) << "the node is: " << outcome.node;
  EXPECT_LT(outcome.seconds, 1.0) << outcome.message;
}

long peak_memory_bytes() {
#ifdef __SANITIZE_ADDRESS__
  return 0;  // the sanitizer's own shadow and quarantine would be counted
#else
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
#endif
}

}  // namespace adze::hostile
