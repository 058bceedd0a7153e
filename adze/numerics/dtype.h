#pragma once

#include <complex>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "adze/base/error.h"
#include "adze/numerics/float_formats.h"

namespace adze {

/// Element types. The numbers are ONNX's TensorProto.DataType.
enum class DType : std::uint8_t {
  Undefined = 0,
  F32 = 1,
  U8 = 2,
  S8 = 3,
  U16 = 4,
  S16 = 5,
  S32 = 6,
  S64 = 7,
  String = 8,
  Bool = 9,
  F16 = 10,
  F64 = 11,
  U32 = 12,
  U64 = 13,
  C64 = 14,
  C128 = 15,
  BF16 = 16,
  F8E4M3 = 17,
  F8E4M3Fnuz = 18,
  F8E5M2 = 19,
  F8E5M2Fnuz = 20,
  U4 = 21,
  S4 = 22,
};

inline constexpr int num_dtypes = 23;

/// "f32", "s8", "f8e4m3" …
std::string_view dtype_name(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);
/// Bits of one element; 0 for strings and Undefined.
int dtype_bits(DType dtype);

bool is_float(DType dtype);           ///< f64 f32 f16 bf16 f8*
bool is_integer(DType dtype);         ///< s4 … u64; not bool
bool is_signed_integer(DType dtype);  ///< s4 s8 s16 s32 s64

/// Smallest and largest value of an integer type of at most 32 bits, or of s64.
std::int64_t integer_min(DType dtype);
std::int64_t integer_max(DType dtype);

template <typename T>
struct TypeTag {
  using type = T;
};

/// dtype_of<float> is DType::F32. Packed 4-bit types have no C++ type.
template <typename T>
inline constexpr DType dtype_of = DType::Undefined;
template <>
inline constexpr DType dtype_of<float> = DType::F32;
template <>
inline constexpr DType dtype_of<double> = DType::F64;
template <>
inline constexpr DType dtype_of<Float16> = DType::F16;
template <>
inline constexpr DType dtype_of<BFloat16> = DType::BF16;
template <>
inline constexpr DType dtype_of<Float8E4M3> = DType::F8E4M3;
template <>
inline constexpr DType dtype_of<Float8E4M3Fnuz> = DType::F8E4M3Fnuz;
template <>
inline constexpr DType dtype_of<Float8E5M2> = DType::F8E5M2;
template <>
inline constexpr DType dtype_of<Float8E5M2Fnuz> = DType::F8E5M2Fnuz;
template <>
inline constexpr DType dtype_of<std::int8_t> = DType::S8;
template <>
inline constexpr DType dtype_of<std::uint8_t> = DType::U8;
template <>
inline constexpr DType dtype_of<std::int16_t> = DType::S16;
template <>
inline constexpr DType dtype_of<std::uint16_t> = DType::U16;
template <>
inline constexpr DType dtype_of<std::int32_t> = DType::S32;
template <>
inline constexpr DType dtype_of<std::uint32_t> = DType::U32;
template <>
inline constexpr DType dtype_of<std::int64_t> = DType::S64;
template <>
inline constexpr DType dtype_of<std::uint64_t> = DType::U64;
template <>
inline constexpr DType dtype_of<bool> = DType::Bool;
template <>
inline constexpr DType dtype_of<std::complex<float>> = DType::C64;
template <>
inline constexpr DType dtype_of<std::complex<double>> = DType::C128;
template <>
inline constexpr DType dtype_of<std::string> = DType::String;

/// Calls f(TypeTag<T>{}) with the C++ type of a real number dtype (floats, integers of 8 bits and more, bool).
/// Throws UnsupportedError for packed, complex and string types.
template <typename F>
decltype(auto) visit_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::F32:
      return f(TypeTag<float>{});
    case DType::F64:
      return f(TypeTag<double>{});
    case DType::F16:
      return f(TypeTag<Float16>{});
    case DType::BF16:
      return f(TypeTag<BFloat16>{});
    case DType::F8E4M3:
      return f(TypeTag<Float8E4M3>{});
    case DType::F8E4M3Fnuz:
      return f(TypeTag<Float8E4M3Fnuz>{});
    case DType::F8E5M2:
      return f(TypeTag<Float8E5M2>{});
    case DType::F8E5M2Fnuz:
      return f(TypeTag<Float8E5M2Fnuz>{});
    case DType::S8:
      return f(TypeTag<std::int8_t>{});
    case DType::U8:
      return f(TypeTag<std::uint8_t>{});
    case DType::S16:
      return f(TypeTag<std::int16_t>{});
    case DType::U16:
      return f(TypeTag<std::uint16_t>{});
    case DType::S32:
      return f(TypeTag<std::int32_t>{});
    case DType::U32:
      return f(TypeTag<std::uint32_t>{});
    case DType::S64:
      return f(TypeTag<std::int64_t>{});
    case DType::U64:
      return f(TypeTag<std::uint64_t>{});
    case DType::Bool:
      return f(TypeTag<bool>{});
    default:
      throw UnsupportedError("no arithmetic on elements of type " + std::string(dtype_name(dtype)));
  }
}

}  // namespace adze
