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

/// 64 results by the defined formula.
template <typename Op>
[[gnu::noinline]] __m512i exact_block(const Op& op, __m512i x, __m512i z) {
  x = _mm512_xor_si512(x, _mm512_set1_epi8(static_cast<char>(op.call.a.flip)));
  z = _mm512_xor_si512(z, _mm512_set1_epi8(static_cast<char>(op.call.b.flip)));
  const __m512i wide[4] = {op(widen<0>(x), widen<0>(z)), op(widen<1>(x), widen<1>(z)), op(widen<2>(x), widen<2>(z)),
                           op(widen<3>(x), widen<3>(z))};
  return pack_bytes(*op.call.stage, wide);
}

__mmask64 first_of(std::int64_t left) {
  return left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
}

template <typename Op>
void run_exact(const BinaryS8Call& call) {
  const Op op(call);
  const bool flat = call.repeat != BinaryS8Call::Row;
  const std::int64_t rows = flat ? 1 : call.rows, count = flat ? call.rows * call.count : call.count;
  const __m512i single = _mm512_set1_epi8(static_cast<char>(call.b.bytes[0]));
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::uint8_t* a = call.a.bytes + r * count;
    std::uint8_t* y = call.y + r * count;
    for (std::int64_t i = 0; i < count; i += 64) {
      const __mmask64 mask = first_of(count - i);
      const __m512i z = call.repeat == BinaryS8Call::Single ? single : _mm512_maskz_loadu_epi8(mask, call.b.bytes + i);
      _mm512_mask_storeu_epi8(y + i, mask, exact_block(op, _mm512_maskz_loadu_epi8(mask, a + i), z));
    }
  }
}

/// 16 bytes as pairs of s16: x + 128 and 256 x.
struct Pairs {
  __m512i flip;
  explicit Pairs(const BinaryS8Call::Operand& operand)
      : flip(_mm512_set1_epi32(operand.flip != 0 ? 0x80 : static_cast<int>(0x80000000))) {}
  [[gnu::always_inline]] __m512i operator()(const std::uint8_t* bytes) const {
    constexpr int none = static_cast<int>(0x00808000);
    const __m512i order = _mm512_setr_epi32(none | 0x00000000, none | 0x01000001, none | 0x02000002, none | 0x03000003,
                                            none | 0x04000004, none | 0x05000005, none | 0x06000006, none | 0x07000007,
                                            none | 0x08000008, none | 0x09000009, none | 0x0a00000a, none | 0x0b00000b,
                                            none | 0x0c00000c, none | 0x0d00000d, none | 0x0e00000e, none | 0x0f00000f);
    const __m512i repeated = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
    return _mm512_xor_si512(_mm512_shuffle_epi8(repeated, order), flip);
  }
};

/// What makes bytes of sums, kept in registers: stores of bytes could change anything else.
struct Packer {
  __m512i fraction, shift, zero_point, low, high;
  bool is_signed, bounds;

  explicit Packer(const BinaryS8Call& call)
      : fraction(_mm512_set1_epi32(call.lines.near_tie)),
        shift(_mm512_set1_epi32(call.lines.shift)),
        zero_point(_mm512_set1_epi16(static_cast<short>(call.stage->zero_point))),
        low(_mm512_set1_epi8(static_cast<char>(call.stage->low))),
        high(_mm512_set1_epi8(static_cast<char>(call.stage->high))),
        is_signed(call.stage->low < 0),
        bounds(call.stage->high - call.stage->low != 255) {}

  /// 64 results from their sums, which it takes; near: is one of them near a tie? Bounds as pack_bytes has them.
  template <bool asks>
  [[gnu::always_inline]] __m512i pack(__m512i* sums, bool& near) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    unsigned ties = 0;
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      if constexpr (asks) ties |= _mm512_testn_epi32_mask(sums[v], fraction);
      sums[v] = _mm512_srav_epi32(sums[v], shift);
    }
    near = ties != 0;
    const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(sums[0], sums[1]), zero_point);
    const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(sums[2], sums[3]), zero_point);
    __m512i bytes;
    if (is_signed) {
      bytes = _mm512_packs_epi16(first, second);
      if (bounds) bytes = _mm512_min_epi8(_mm512_max_epi8(bytes, low), high);
    } else {
      bytes = _mm512_packus_epi16(first, second);
      if (bounds) bytes = _mm512_min_epu8(_mm512_max_epu8(bytes, low), high);
    }
    return _mm512_permutexvar_epi32(order, bytes);
  }
};

/// The last bytes, where 64 can be read.
struct Tail {
  alignas(64) std::uint8_t bytes[64];
  const std::uint8_t* of(const std::uint8_t* from, __mmask64 mask) {
    if (mask == ~std::uint64_t{0}) return from;
    _mm512_store_si512(bytes, _mm512_maskz_loadu_epi8(mask, from));
    return bytes;
  }
};

/// Sums of two tensors.
template <typename Op>
void run_planes(const BinaryS8Call& call) {
  const Op op(call);
  const Pairs a_pairs(call.a), b_pairs(call.b);
  const __m512i a_weight = _mm512_set1_epi32(call.lines.a_weight), b_weight = _mm512_set1_epi32(call.lines.b_weight);
  const __m512i offset = _mm512_set1_epi32(call.lines.offset);
  const std::int64_t count = call.rows * call.count;
  const Packer packer(call);
  const std::uint8_t *const a_bytes = call.a.bytes, *const b_bytes = call.b.bytes;
  std::uint8_t* const y = call.y;
  Tail a_tail, b_tail;
  for (std::int64_t i = 0; i < count; i += 64) {
    const __mmask64 mask = first_of(count - i);
    const std::uint8_t* a = a_tail.of(a_bytes + i, mask);
    const std::uint8_t* b = b_tail.of(b_bytes + i, mask);
    __m512i sums[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      sums[v] = _mm512_dpwssd_epi32(offset, a_pairs(a + 16 * v), a_weight);
      sums[v] = _mm512_dpwssd_epi32(sums[v], b_pairs(b + 16 * v), b_weight);
    }
    bool near = false;
    __m512i bytes = packer.pack<true>(sums, near);
    if (near) [[unlikely]]
      bytes = exact_block(op, _mm512_loadu_si512(a), _mm512_loadu_si512(b));
    _mm512_mask_storeu_epi8(y + i, mask, bytes);
  }
}

constexpr std::int64_t most_lines = 2048;

/// What a row of b means for a row of a, repeated until whole vectors hold whole rows where that is not too long.
struct Lines {
  alignas(64) std::int32_t weight[most_lines + 64], offset[most_lines + 64];
  alignas(64) std::uint8_t bytes[most_lines + 64];
  std::int64_t period, rows;

  explicit Lines(const BinaryS8Call& call) : period(call.count), rows(1) {
    if (call.repeat == BinaryS8Call::Single) {
      fill(call, 0, 64, true);
      period = 64;
      return;
    }
    const std::int64_t repeats = 64 / (call.count & -call.count);
    if (repeats > 1 && repeats * call.count <= most_lines && repeats <= call.rows) {
      rows = repeats;
      period = repeats * call.count;
    }
    fill(call, 0, call.count, false);
    for (std::int64_t at = call.count; at < period; at += call.count) {  // what is copied beyond is copied over
      for (std::int64_t i = 0; i < call.count; i += 16) copy(at + i, i);
    }
  }

  void copy(std::int64_t to, std::int64_t from) {
    _mm512_storeu_si512(weight + to, _mm512_loadu_si512(weight + from));
    _mm512_storeu_si512(offset + to, _mm512_loadu_si512(offset + from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + to), _mm_loadu_si128(reinterpret_cast<__m128i*>(bytes + from)));
  }

  void fill(const BinaryS8Call& call, std::int64_t at, std::int64_t count, bool single) {
    for (std::int64_t i = 0; i < count; i += 16) {
      const __m128i b = single ? _mm_set1_epi8(static_cast<char>(call.b.bytes[0]))
                               : _mm_maskz_loadu_epi8(static_cast<__mmask16>(first_of(count - i)), call.b.bytes + i);
      const __m512i index = _mm512_cvtepu8_epi32(b);
      _mm512_storeu_si512(weight + at + i, _mm512_i32gather_epi32(index, call.lines.by_byte, 4));
      _mm512_storeu_si512(offset + at + i, _mm512_i32gather_epi32(index, call.lines.by_byte + 256, 4));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + at + i), b);
    }
  }
};

/// Sums and products with a repeated operand. asks: are there pairs of bytes that lines cannot tell?
template <typename Op, bool asks>
void run_lines(const BinaryS8Call& call) {
  const Op op(call);
  const Lines lines(call);
  const Pairs pairs(call.a);
  const Packer packer(call);
  const std::int64_t total = call.rows * call.count;
  const std::uint8_t* const a_bytes = call.a.bytes;
  std::uint8_t* const y = call.y;
  Tail tail;
  const auto block = [&](const std::uint8_t* a, std::int64_t i) {
    __m512i sums[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      sums[v] = _mm512_dpwssd_epi32(_mm512_load_si512(lines.offset + i + 16 * v), pairs(a + 16 * v),
                                    _mm512_load_si512(lines.weight + i + 16 * v));
    }
    bool near = false;
    const __m512i bytes = packer.template pack<asks>(sums, near);
    if (near) [[unlikely]]
      return exact_block(op, _mm512_loadu_si512(a), _mm512_loadu_si512(lines.bytes + i));
    return bytes;
  };
  for (std::int64_t at = 0; at < total; at += lines.period) {
    const std::int64_t end = total - at < lines.period ? total - at : lines.period;
    std::int64_t i = 0;
    for (; i + 64 <= end; i += 64) _mm512_storeu_si512(y + at + i, block(a_bytes + at + i, i));
    if (i == end) continue;
    const __mmask64 mask = first_of(end - i);
    _mm512_mask_storeu_epi8(y + at + i, mask, block(tail.of(a_bytes + at + i, mask), i));
  }
}

template <Kind kind, OutputStage::Profile profile, bool divides>
void run(const BinaryS8Call& call) {
  using Op = Operator<kind, profile, divides>;
  if (call.lines.shift == 0 || (call.repeat == BinaryS8Call::Row && call.count > most_lines)) {
    return run_exact<Op>(call);
  }
  if (call.repeat == BinaryS8Call::None) return run_planes<Op>(call);
  return call.lines.exact ? run_lines<Op, false>(call) : run_lines<Op, true>(call);
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
