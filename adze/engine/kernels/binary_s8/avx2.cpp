#include "adze/engine/kernels/avx2_requantize.h"
#include "adze/engine/kernels/binary_s8/binary_s8_call.h"

namespace adze::kernels {
namespace {

using Kind = BinaryS8Call::Kind;

__m256i widen(const std::uint8_t* bytes, std::uint8_t flip, std::int32_t zero_point) {
  const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes));
  const __m128i flipped = _mm_xor_si128(eight, _mm_set1_epi8(static_cast<char>(flip)));
  return _mm256_sub_epi32(_mm256_cvtepu8_epi32(flipped), _mm256_set1_epi32(zero_point));
}

__m256i real_result(const BinaryS8Call& call, __m256i a, __m256i b) {
  const OutputStage& stage = *call.stage;
  const __m256 left = _mm256_mul_ps(_mm256_cvtepi32_ps(a), _mm256_set1_ps(call.a.scale));
  const __m256 right = _mm256_mul_ps(_mm256_cvtepi32_ps(b), _mm256_set1_ps(call.b.scale));
  const __m256 real = call.kind == Kind::Add   ? _mm256_add_ps(left, right)
                      : call.kind == Kind::Sub ? _mm256_sub_ps(left, right)
                                               : _mm256_mul_ps(left, right);
  const __m256 low = _mm256_set1_ps(static_cast<float>(stage.low - stage.zero_point));
  const __m256 high = _mm256_set1_ps(static_cast<float>(stage.high - stage.zero_point));
  const __m256 scaled = _mm256_div_ps(real, _mm256_set1_ps(call.y_scale));
  const __m256i rounded = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(scaled, low), high));
  return _mm256_add_epi32(rounded, _mm256_set1_epi32(stage.zero_point));
}

__m256i scaled_operand(const BinaryS8Call& call, const BinaryS8Call::Operand& operand, __m256i value) {
  const __m256i wide = _mm256_slli_epi32(value, 20);
  const __m256i multiplier = _mm256_set1_epi32(operand.multiplier), shift = _mm256_set1_epi32(operand.shift);
  return call.stage->profile == OutputStage::Tflm ? multiply_twice(wide, multiplier, shift)
                                                  : multiply_once(wide, multiplier, shift);
}

__m256i result(const BinaryS8Call& call, __m256i a, __m256i b) {
  if (call.stage->profile == OutputStage::Onnx) return real_result(call, a, b);
  if (call.kind == Kind::Mul) return finish(*call.stage, _mm256_mullo_epi32(a, b), 0);
  const __m256i left = scaled_operand(call, call.a, a), right = scaled_operand(call, call.b, b);
  const __m256i acc = call.kind == Kind::Add ? _mm256_add_epi32(left, right) : _mm256_sub_epi32(left, right);
  return finish(*call.stage, acc, 0);
}

/// Up to eight bytes, as eight.
const std::uint8_t* whole(const std::uint8_t* bytes, std::int64_t count, std::uint8_t* copy) {
  if (count >= 8) return bytes;
  for (std::int64_t i = 0; i < count; ++i) copy[i] = bytes[i];
  return copy;
}

}  // namespace

void binary_s8_avx2(const BinaryS8Call& call) {
  const bool flat = call.repeat != BinaryS8Call::Row;
  const std::int64_t rows = flat ? 1 : call.rows, count = flat ? call.rows * call.count : call.count;
  std::uint8_t single[8], a_copy[8] = {}, b_copy[8] = {};
  for (std::uint8_t& byte : single) byte = call.b.bytes[0];
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < count; i += 8) {
      const std::int64_t at = r * count + i;
      const std::uint8_t* a = whole(call.a.bytes + at, count - i, a_copy);
      const std::uint8_t* b = call.repeat == BinaryS8Call::Single ? single : whole(call.b.bytes + i, count - i, b_copy);
      const __m256i x = widen(a, call.a.flip, call.a.zero_point), z = widen(b, call.b.flip, call.b.zero_point);
      store_bytes(call.y + at, result(call, x, z), count - i);
    }
  }
}

}  // namespace adze::kernels
