#include "adze/engine/kernels/avx512_requantize.h"
#include "adze/engine/kernels/binary_s8/binary_s8_call.h"

namespace adze::kernels {
namespace {

using Kind = BinaryS8Call::Kind;

/// x / y rounded as division rounds it, from a correctly rounded reciprocal: two steps of Markstein's correction
/// (P. Markstein, IBM Journal of Research and Development 34, 1990), the first to come within an ulp.
[[gnu::always_inline]] inline __m512 divide(__m512 x, __m512 y, __m512 reciprocal) {
  __m512 quotient = _mm512_mul_ps(x, reciprocal);
  quotient = _mm512_fmadd_ps(_mm512_fnmadd_ps(quotient, y, x), reciprocal, quotient);
  return _mm512_fmadd_ps(_mm512_fnmadd_ps(quotient, y, x), reciprocal, quotient);
}

/// Are all numbers far from where the correction would lose bits?
inline bool is_tame(float scale) {
  return scale > 1e-15f && scale < 1e15f;
}

template <Kind kind, OutputStage::Profile profile, bool divides>
struct Operator {
  const BinaryS8Call& call;
  __m512i a_zero, b_zero;
  __m512 a_scale, b_scale, y_scale, reciprocal, low, high;
  __m512i a_multiplier, b_multiplier, a_shift, b_shift;

  explicit Operator(const BinaryS8Call& given)
      : call(given),
        a_zero(_mm512_set1_epi32(given.a.zero_point)),
        b_zero(_mm512_set1_epi32(given.b.zero_point)),
        a_scale(_mm512_set1_ps(given.a.scale)),
        b_scale(_mm512_set1_ps(given.b.scale)),
        y_scale(_mm512_set1_ps(given.y_scale)),
        reciprocal(_mm512_set1_ps(1.0f / given.y_scale)),
        low(_mm512_set1_ps(static_cast<float>(given.stage->low - given.stage->zero_point))),
        high(_mm512_set1_ps(static_cast<float>(given.stage->high - given.stage->zero_point))),
        a_multiplier(_mm512_set1_epi32(given.a.multiplier)),
        b_multiplier(_mm512_set1_epi32(given.b.multiplier)),
        a_shift(_mm512_set1_epi32(given.a.shift)),
        b_shift(_mm512_set1_epi32(given.b.shift)) {}

  [[gnu::always_inline]] __m512i scaled(__m512i value, __m512i multiplier, __m512i shift) const {
    const __m512i wide = _mm512_slli_epi32(value, 20);
    return profile == OutputStage::Tflm ? multiply_twice(wide, multiplier, shift)
                                        : multiply_once(wide, multiplier, shift);
  }

  /// Of 16 widened bytes; before the zero point.
  [[gnu::always_inline]] __m512i operator()(__m512i a, __m512i b) const {
    a = _mm512_sub_epi32(a, a_zero);
    b = _mm512_sub_epi32(b, b_zero);
    if constexpr (profile == OutputStage::Onnx) {
      const __m512 left = _mm512_mul_ps(_mm512_cvtepi32_ps(a), a_scale);
      const __m512 right = _mm512_mul_ps(_mm512_cvtepi32_ps(b), b_scale);
      const __m512 real = kind == Kind::Add   ? _mm512_add_ps(left, right)
                          : kind == Kind::Sub ? _mm512_sub_ps(left, right)
                                              : _mm512_mul_ps(left, right);
      const __m512 scaled_real = divides ? _mm512_div_ps(real, y_scale) : divide(real, y_scale, reciprocal);
      return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(scaled_real, low), high));
    } else {
      __m512i acc;
      if constexpr (kind == Kind::Mul) {
        acc = _mm512_mullo_epi32(a, b);
      } else {
        const __m512i left = scaled(a, a_multiplier, a_shift), right = scaled(b, b_multiplier, b_shift);
        acc = kind == Kind::Add ? _mm512_add_epi32(left, right) : _mm512_sub_epi32(left, right);
      }
      return requantize<profile>(*call.stage, acc, 0);
    }
  }
};

template <int part>
[[gnu::always_inline]] inline __m512i widen(__m512i bytes) {
  return _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bytes, part));
}

template <Kind kind, OutputStage::Profile profile, bool divides>
void run(const BinaryS8Call& call) {
  const Operator<kind, profile, divides> op(call);
  const OutputStage& stage = *call.stage;
  const __m512i a_flip = _mm512_set1_epi8(static_cast<char>(call.a.flip));
  const __m512i b_flip = _mm512_set1_epi8(static_cast<char>(call.b.flip));
  const bool flat = call.repeat != BinaryS8Call::Row;
  const std::int64_t rows = flat ? 1 : call.rows, count = flat ? call.rows * call.count : call.count;
  const __m512i single = _mm512_set1_epi8(static_cast<char>(call.b.bytes[0]));
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::uint8_t* a = call.a.bytes + r * count;
    std::uint8_t* y = call.y + r * count;
    for (std::int64_t i = 0; i < count; i += 64) {
      const std::int64_t left = count - i;
      const __mmask64 mask = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
      const __m512i x = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, a + i), a_flip);
      const __m512i given =
          call.repeat == BinaryS8Call::Single ? single : _mm512_maskz_loadu_epi8(mask, call.b.bytes + i);
      const __m512i z = _mm512_xor_si512(given, b_flip);
      const __m512i wide[4] = {op(widen<0>(x), widen<0>(z)), op(widen<1>(x), widen<1>(z)), op(widen<2>(x), widen<2>(z)),
                               op(widen<3>(x), widen<3>(z))};
      _mm512_mask_storeu_epi8(y + i, mask, pack_bytes(stage, wide));
    }
  }
}

template <Kind kind>
void run_kind(const BinaryS8Call& call) {
  if (call.stage->profile == OutputStage::Tflm) return run<kind, OutputStage::Tflm, false>(call);
  if (call.stage->profile == OutputStage::Litert) return run<kind, OutputStage::Litert, false>(call);
  if (is_tame(call.a.scale) && is_tame(call.b.scale) && is_tame(call.y_scale)) {
    return run<kind, OutputStage::Onnx, false>(call);
  }
  return run<kind, OutputStage::Onnx, true>(call);
}

}  // namespace

void binary_s8_avx512vnni(const BinaryS8Call& call) {
  switch (call.kind) {
    case BinaryS8Call::Add:
      return run_kind<BinaryS8Call::Add>(call);
    case BinaryS8Call::Sub:
      return run_kind<BinaryS8Call::Sub>(call);
    case BinaryS8Call::Mul:
      return run_kind<BinaryS8Call::Mul>(call);
  }
}

}  // namespace adze::kernels
