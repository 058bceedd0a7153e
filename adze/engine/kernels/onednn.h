#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adze/engine/isa.h"

// oneDNN types stay out of headers.
namespace adze::kernels {

/// oneDNN computes on the calling thread while one of these lives: it would start OpenMP threads that spin, and cut
/// sums differently for another number of them.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = 0;
};

/// Caps oneDNN's instruction set. It takes the first cap of the process and keeps it.
void cap_onednn(Isa isa);

}  // namespace adze::kernels
