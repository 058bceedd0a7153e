#pragma once

#include <memory>

#include "adze/base/progress.h"

namespace adze::cli {

/// Draws progress on stderr: a live line on a terminal, one line per 10 % otherwise; units per second and time left.
std::unique_ptr<ProgressSink> make_progress_line();

}  // namespace adze::cli
