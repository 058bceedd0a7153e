#include "adze/engine/kernels/add_s8/add_s8_call.h"
#include "adze/engine/kernels/avx2_requantize.h"

namespace adze::kernels {
namespace {

inline __m256i finish_sum(const AddS8Call& call, __m256i a, __m256i b) {
  const OutputStage& stage = *call.stage;
  if (stage.profile != OutputStage::Onnx) {
    const __m256i left = _mm256_i32gather_epi32(static_cast<const int*>(call.left), a, 4);
    const __m256i right = _mm256_i32gather_epi32(static_cast<const int*>(call.right), b, 4);
    return finish(stage, _mm256_add_epi32(left, right), 0);
  }
  const __m256 sum = _mm256_add_ps(_mm256_i32gather_ps(static_cast<const float*>(call.left), a, 4),
                                   _mm256_i32gather_ps(static_cast<const float*>(call.right), b, 4));
  const __m256 real = _mm256_div_ps(sum, _mm256_loadu_ps(stage.scale));
  const __m256 low = _mm256_set1_ps(static_cast<float>(stage.low - stage.zero_point));
  const __m256 high = _mm256_set1_ps(static_cast<float>(stage.high - stage.zero_point));
  const __m256 clamped = _mm256_min_ps(_mm256_max_ps(real, low), high);
  const __m256 rounded = _mm256_round_ps(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm256_add_epi32(_mm256_cvttps_epi32(rounded), _mm256_set1_epi32(stage.zero_point));
}

/// Up to eight bytes, zero beyond.
inline __m256i load_bytes(const std::uint8_t* x, std::int64_t count) {
  std::uint64_t bytes = 0;
  if (count >= 8) {
    __builtin_memcpy(&bytes, x, 8);
  } else {
    for (std::int64_t i = 0; i < count; ++i) bytes |= static_cast<std::uint64_t>(x[i]) << (8 * i);
  }
  return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(bytes)));
}

}  // namespace

void add_s8_avx2(const AddS8Call& call) {
  for (std::int64_t i = 0; i < call.count; i += 8) {
    const std::int64_t left = call.count - i;
    store_bytes(call.y + i, finish_sum(call, load_bytes(call.a + i, left), load_bytes(call.b + i, left)), left);
  }
}

}  // namespace adze::kernels
