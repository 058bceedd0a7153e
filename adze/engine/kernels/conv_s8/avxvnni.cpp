#include "adze/engine/kernels/conv_s8/tile_avx2.h"

namespace adze::kernels {
namespace {

struct Vnni {
  using Weights = __m256i;
  using Quad = __m256i;
  /// Written out because GCC 12 copies the accumulators of the intrinsic to memory and back when there are many.
  [[gnu::always_inline]] static void add(__m256i& acc, __m256i quad, __m256i w) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(quad), "x"(w));
  }
};

}  // namespace

void gemm_s8_avxvnni(const GemmS8Call& call) {
  multiply_by_tiles<Vnni, 6>(call);
}

}  // namespace adze::kernels
