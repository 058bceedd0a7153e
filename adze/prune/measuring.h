#pragma once

#include "adze/engine/session.h"

namespace adze::prune {

/// How networks run while something is measured on them: on all threads.
inline SessionOptions measuring_options() {
  SessionOptions options;
  options.threads = 0;
  return options;
}

}  // namespace adze::prune
