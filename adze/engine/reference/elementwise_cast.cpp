#include <charconv>
#include <cmath>

#include "adze/engine/reference/detail/elementwise.h"
#include "adze/engine/reference/detail/number_text.h"

namespace adze::reference::detail {

namespace {

bool is_f8(DType dtype) {
  return is_float(dtype) && dtype_bits(dtype) == 8;
}

Tensor text_of(const Tensor& tensor) {
  Tensor result(DType::String, tensor.shape());
  const auto out = result.mutable_data<std::string>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    if (tensor.dtype() == DType::Bool) {
      out[i] = tensor.get_int(index) != 0 ? "True" : "False";
    } else if (is_float(tensor.dtype())) {
      out[i] = float_text(tensor.dtype(), tensor.get_double(index));
    } else if (tensor.dtype() == DType::U64) {
      out[i] = cat(static_cast<std::uint64_t>(tensor.get_int(index)));
    } else {
      out[i] = cat(tensor.get_int(index));
    }
  }
  return result;
}

[[noreturn]] void refuse_text(const std::string& text, DType dtype) {
  throw ModelError(cat("the text ", quoted(text), " is not a number of type ", dtype_name(dtype)));
}

/// An integer in full precision, else a decimal number truncated.
template <typename C>
C parse_integer(const std::string& text, DType dtype) {
  const std::string_view digits = trim(text);
  const std::string_view unsigned_digits = digits.starts_with('+') ? digits.substr(1) : digits;
  C value{};
  const auto end = unsigned_digits.data() + unsigned_digits.size();
  if (const auto [at, error] = std::from_chars(unsigned_digits.data(), end, value); at == end && error == std::errc()) {
    return value;
  }
  const auto number = parse_number(text);
  if (!number || !(std::abs(*number) < 0x1p63)) refuse_text(text, dtype);
  return static_cast<C>(static_cast<std::int64_t>(*number));
}

Tensor numbers_of(const Tensor& tensor, DType dtype) {
  const auto texts = tensor.data<std::string>();
  if (dtype == DType::Bool) {
    Tensor result(DType::Bool, tensor.shape());
    const auto out = result.mutable_data<bool>();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const bool yes = texts[i] == "True" || texts[i] == "true";
      const bool no = texts[i] == "False" || texts[i] == "false";
      const auto number = parse_number(texts[i]);
      if (!yes && !no && !number) refuse_text(texts[i], dtype);
      out[i] = yes || (!no && *number != 0);
    }
    return result;
  }
  return visit_compute(dtype, [&](auto tag) {
    using C = typename decltype(tag)::type;
    std::vector<C> elements(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if constexpr (std::is_same_v<C, double>) {
        const auto number = parse_number(texts[i]);
        if (!number) refuse_text(texts[i], dtype);
        elements[i] = *number;
      } else {
        elements[i] = parse_integer<C>(texts[i], dtype);
      }
    }
    return store<C>(dtype, tensor.shape(), elements);
  });
}

double largest(DType dtype) {
  switch (dtype) {
    case DType::F8E4M3:
      return max_finite(f8e4m3_format);
    case DType::F8E4M3Fnuz:
      return max_finite(f8e4m3fnuz_format);
    case DType::F8E5M2:
      return max_finite(f8e5m2_format);
    default:
      return max_finite(f8e5m2fnuz_format);
  }
}

/// One rounding to nearest even. Saturating, whatever is beyond the largest number becomes it, infinities too;
/// else infinity, or NaN in the formats without one. -0 is 0 in the FNUZ formats.
Tensor to_f8(const Tensor& tensor, DType dtype, bool saturate) {
  std::vector<double> elements = load<double>(tensor);
  const double limit = largest(dtype);
  for (double& x : elements) {
    if (saturate && std::abs(x) > limit) x = std::copysign(limit, x);
  }
  return store(dtype, tensor.shape(), elements);
}

/// Floats round to nearest even and clamp, as ONNX's reference does; integers keep their low four bits.
Tensor to_4bit(const Tensor& tensor, DType dtype) {
  if (!is_float(tensor.dtype())) return converted(tensor, dtype);
  const std::vector<double> elements = load<double>(tensor);
  Tensor result(dtype, tensor.shape());
  const auto low = static_cast<double>(integer_min(dtype)), high = static_cast<double>(integer_max(dtype));
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const double x = std::nearbyint(elements[i]);
    const double clamped = x != x ? 0 : x < low ? low : x > high ? high : x;
    result.set_int(static_cast<std::int64_t>(i), static_cast<std::int64_t>(clamped));
  }
  return result;
}

Tensor cast(const Tensor& tensor, DType dtype, bool saturate) {
  const DType from = tensor.dtype();
  if (from == dtype) return tensor;
  if (dtype == DType::Undefined || from == DType::Undefined || dtype_bits(dtype) == 128 || dtype == DType::C64 ||
      from == DType::C64 || from == DType::C128) {
    throw ModelError(cat("cannot cast ", dtype_name(from), " to ", dtype_name(dtype)));
  }
  if (dtype == DType::String) return text_of(tensor);
  if (from == DType::String) return numbers_of(tensor, dtype);
  if (is_f8(dtype)) return to_f8(tensor, dtype, saturate);
  if (dtype == DType::S4 || dtype == DType::U4) return to_4bit(tensor, dtype);
  if (is_float(dtype) && dtype_bits(dtype) == 16) return store(dtype, tensor.shape(), load<double>(tensor));
  return converted(tensor, dtype);
}

void run_cast(Context& context) {
  const std::int64_t to = context.node().get_int("to");
  if (to <= 0 || to >= num_dtypes) throw ModelError(cat("attribute to is ", to, ", which is no element type"));
  context.set(0, cast(context.input(0), static_cast<DType>(to), context.node().get_int("saturate") != 0));
}

void run_cast_like(Context& context) {
  context.set(0, cast(context.input(0), context.input(1).dtype(), context.node().get_int("saturate") != 0));
}

constexpr KernelEntry table[] = {{OpKind::Cast, run_cast}, {OpKind::CastLike, run_cast_like}};

}  // namespace

std::span<const KernelEntry> cast_kernels() {
  return table;
}

}  // namespace adze::reference::detail
