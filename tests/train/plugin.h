#pragma once

#include "adze/train/learner.h"

namespace adze::train {

/// Was the training plug-in built?
inline bool has_plugin() {
#ifdef ADZE_HAS_TORCH
  return true;
#else
  return false;
#endif
}

}  // namespace adze::train
