#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace adze {

/// What a small float format does with values that it cannot hold.
enum class Overflow { ToInfinity, ToNan, Saturate };

/// A binary floating-point format of at most 16 bits, described by its parameters.
///
/// Value  (-1)^sign × 2^(exponent - bias) × 1.mantissa, subnormals at exponent 0
struct FloatFormat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  bool has_infinity;   ///< the highest exponent holds infinities and NaNs, as in IEEE 754
  bool unsigned_zero;  ///< "FNUZ": no minus zero, and the pattern 1000… is the only NaN
};

inline constexpr FloatFormat f16_format{5, 10, 15, true, false};
inline constexpr FloatFormat bf16_format{8, 7, 127, true, false};
inline constexpr FloatFormat f8e4m3_format{4, 3, 7, false, false};  ///< "E4M3FN": S.1111.111 is NaN
inline constexpr FloatFormat f8e5m2_format{5, 2, 15, true, false};
inline constexpr FloatFormat f8e4m3fnuz_format{4, 3, 8, false, true};
inline constexpr FloatFormat f8e5m2fnuz_format{5, 2, 16, false, true};

/// The value that the code stands for; exact. Codes use the low 1 + exponent_bits + mantissa_bits bits.
float decode_float(FloatFormat format, std::uint32_t code);
/// Round to the nearest code, ties to even. Overflow says what values beyond the largest finite one become;
/// formats without infinity turn ToInfinity into NaN.
std::uint32_t encode_float(FloatFormat format, float value, Overflow overflow = Overflow::ToInfinity);
/// The largest finite value.
float max_finite(FloatFormat format);

/// A stored 8- or 16-bit float: converts to and from float, and does no arithmetic of its own.
template <typename Bits, const FloatFormat& format>
struct StoredFloat {
  Bits bits = 0;

  StoredFloat() = default;
  explicit StoredFloat(float value) : bits(static_cast<Bits>(encode_float(format, value))) {}
  static StoredFloat from_bits(Bits bits) {
    StoredFloat result;
    result.bits = bits;
    return result;
  }
  operator float() const { return decode_float(format, bits); }
};

using Float16 = StoredFloat<std::uint16_t, f16_format>;
using BFloat16 = StoredFloat<std::uint16_t, bf16_format>;
using Float8E4M3 = StoredFloat<std::uint8_t, f8e4m3_format>;
using Float8E5M2 = StoredFloat<std::uint8_t, f8e5m2_format>;
using Float8E4M3Fnuz = StoredFloat<std::uint8_t, f8e4m3fnuz_format>;
using Float8E5M2Fnuz = StoredFloat<std::uint8_t, f8e5m2fnuz_format>;

}  // namespace adze
