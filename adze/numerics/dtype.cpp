#include "adze/numerics/dtype.h"

#include <array>
#include <limits>

namespace adze {

namespace {

enum class Kind : std::uint8_t { Other, Float, Signed, Unsigned };

struct DTypeInfo {
  std::string_view name;
  int bits;
  Kind kind;
};

constexpr std::array<DTypeInfo, num_dtypes> table = {{
    {"undefined", 0, Kind::Other},  {"f32", 32, Kind::Float},    {"u8", 8, Kind::Unsigned},
    {"s8", 8, Kind::Signed},        {"u16", 16, Kind::Unsigned}, {"s16", 16, Kind::Signed},
    {"s32", 32, Kind::Signed},      {"s64", 64, Kind::Signed},   {"string", 0, Kind::Other},
    {"bool", 8, Kind::Other},       {"f16", 16, Kind::Float},    {"f64", 64, Kind::Float},
    {"u32", 32, Kind::Unsigned},    {"u64", 64, Kind::Unsigned}, {"c64", 64, Kind::Other},
    {"c128", 128, Kind::Other},     {"bf16", 16, Kind::Float},   {"f8e4m3", 8, Kind::Float},
    {"f8e4m3fnuz", 8, Kind::Float}, {"f8e5m2", 8, Kind::Float},  {"f8e5m2fnuz", 8, Kind::Float},
    {"u4", 4, Kind::Unsigned},      {"s4", 4, Kind::Signed},
}};

const DTypeInfo& info(DType dtype) {
  return table[static_cast<std::size_t>(dtype) % table.size()];
}

}  // namespace

std::string_view dtype_name(DType dtype) {
  return info(dtype).name;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

int dtype_bits(DType dtype) {
  return info(dtype).bits;
}
bool is_float(DType dtype) {
  return info(dtype).kind == Kind::Float;
}
bool is_integer(DType dtype) {
  return info(dtype).kind == Kind::Signed || info(dtype).kind == Kind::Unsigned;
}
bool is_signed_integer(DType dtype) {
  return info(dtype).kind == Kind::Signed;
}

std::int64_t integer_min(DType dtype) {
  if (!is_signed_integer(dtype)) return 0;
  return dtype_bits(dtype) == 64 ? std::numeric_limits<std::int64_t>::min()
                                 : -(std::int64_t{1} << (dtype_bits(dtype) - 1));
}

std::int64_t integer_max(DType dtype) {
  if (dtype_bits(dtype) == 64) return std::numeric_limits<std::int64_t>::max();
  return (std::int64_t{1} << (dtype_bits(dtype) - (is_signed_integer(dtype) ? 1 : 0))) - 1;
}

}  // namespace adze
