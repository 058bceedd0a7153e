#include "adze/engine/kernels/resize_u8/loops.h"

namespace adze::kernels {

void resize_u8_ref_down(const ResizeDownCall& call) {
  down_one_by_one(call, 0);
}

void resize_u8_ref_across(const ResizeAcrossCall& call) {
  for (std::int64_t p = 0; p < call.pixels; ++p) across_one_by_one(call, p, 0);
}

}  // namespace adze::kernels
