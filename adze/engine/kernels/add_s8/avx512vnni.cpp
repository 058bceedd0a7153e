#include "adze/engine/kernels/add_s8/add_s8_call.h"
#include "adze/engine/kernels/avx512_requantize.h"

namespace adze::kernels {
namespace {

inline __m512i finish_sum(const AddS8Call& call, __m512i a, __m512i b) {
  const OutputStage& stage = *call.stage;
  if (stage.profile != OutputStage::Onnx) {
    const __m512i left = _mm512_i32gather_epi32(a, call.left, 4), right = _mm512_i32gather_epi32(b, call.right, 4);
    return finish(stage, _mm512_add_epi32(left, right), 0);
  }
  const __m512 sum = _mm512_add_ps(_mm512_i32gather_ps(a, call.left, 4), _mm512_i32gather_ps(b, call.right, 4));
  const __m512 real = _mm512_div_ps(sum, _mm512_loadu_ps(stage.scale));
  const __m512 low = _mm512_set1_ps(static_cast<float>(stage.low - stage.zero_point));
  const __m512 high = _mm512_set1_ps(static_cast<float>(stage.high - stage.zero_point));
  const __m512 clamped = _mm512_min_ps(_mm512_max_ps(real, low), high);
  const __m512i rounded = _mm512_cvt_roundps_epi32(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm512_add_epi32(rounded, _mm512_set1_epi32(stage.zero_point));
}

}  // namespace

void add_s8_avx512vnni(const AddS8Call& call) {
  for (std::int64_t i = 0; i < call.count; i += 16) {
    const std::int64_t left = call.count - i;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1u << left) - 1);
    const __m512i a = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, call.a + i));
    const __m512i b = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, call.b + i));
    _mm_mask_storeu_epi8(call.y + i, mask, _mm512_cvtepi32_epi8(finish_sum(call, a, b)));
  }
}

}  // namespace adze::kernels
