#include "adze/graph/infer/dims.h"

#include <algorithm>
#include <charconv>

#include "adze/base/text.h"

namespace adze {

namespace {

/// factor × symbols[0] × symbols[1] …, the symbols sorted
struct Product {
  std::int64_t factor = 1;
  std::vector<std::string> symbols;
};

constexpr std::size_t most_symbols = 8;  // longer products are not worth their names

std::optional<Product> product_of(const Dim& dim) {
  Product product;
  if (dim.is_known()) {
    product.factor = dim.value;
    return product;
  }
  if (dim.symbol.empty()) return std::nullopt;
  for (const std::string& part : split(dim.symbol, '*')) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error == std::errc() && end == part.data() + part.size()) {
      if (number <= 0 || __builtin_mul_overflow(product.factor, number, &product.factor)) return std::nullopt;
    } else {
      product.symbols.push_back(part);
    }
  }
  std::sort(product.symbols.begin(), product.symbols.end());
  return product;
}

Dim dim_of(const Product& product) {
  if (product.symbols.empty() || product.factor == 0) return Dim(product.factor);
  if (product.symbols.size() > most_symbols) return {};
  const std::string name = join(product.symbols, "*");
  return Dim::named(product.factor == 1 ? name : cat(product.factor, "*", name));
}

}  // namespace

bool says_something(const Dim& dim) {
  return dim.is_known() || !dim.symbol.empty();
}

Dim add_dims(const Dim& a, const Dim& b) {
  if (a == Dim(0)) return b;
  if (b == Dim(0)) return a;
  std::int64_t sum = 0;
  if (!a.is_known() || !b.is_known() || __builtin_add_overflow(a.value, b.value, &sum)) return {};
  return Dim(sum);
}

Dim subtract_dims(const Dim& a, const Dim& b) {
  if (b == Dim(0)) return a;
  if (a == b && says_something(a)) return Dim(0);
  if (!a.is_known() || !b.is_known() || a.value < b.value) return {};
  return Dim(a.value - b.value);
}

Dim multiply_dims(const Dim& a, const Dim& b) {
  if (a == Dim(0) || b == Dim(0)) return Dim(0);
  const auto x = product_of(a), y = product_of(b);
  if (!x || !y) return {};
  Product result = *x;
  if (__builtin_mul_overflow(x->factor, y->factor, &result.factor)) return {};
  result.symbols.insert(result.symbols.end(), y->symbols.begin(), y->symbols.end());
  std::sort(result.symbols.begin(), result.symbols.end());
  return dim_of(result);
}

Dim divide_dims(const Dim& a, const Dim& b) {
  if (a.is_known() && b.is_known()) return b.value == 0 ? Dim() : Dim(a.value / b.value);
  const auto x = product_of(a), y = product_of(b);
  if (!x || !y || y->factor == 0 || x->factor % y->factor != 0) return {};
  Product result{x->factor / y->factor, {}};
  std::set_difference(x->symbols.begin(), x->symbols.end(), y->symbols.begin(), y->symbols.end(),
                      std::back_inserter(result.symbols));
  if (result.symbols.size() + y->symbols.size() != x->symbols.size()) return {};
  return dim_of(result);
}

Dim multiply_all(const SymbolicShape& shape) {
  Dim product(1);
  for (const Dim& dim : shape) {
    if (dim == Dim(0)) return Dim(0);
  }
  for (const Dim& dim : shape) product = multiply_dims(product, dim);
  return product;
}

std::optional<SymbolicShape> list_dims(const InferContext& context, std::size_t input) {
  const auto rank = context.rank(input);
  if (!rank || *rank > 1) return std::nullopt;
  return context.dims(input);
}

DType common_dtype(const InferContext& context, std::size_t first, std::size_t count) {
  DType common = DType::Undefined;
  for (std::size_t i = first; i < first + count; ++i) {
    const DType dtype = context.dtype(i);
    if (dtype == DType::Undefined) continue;
    if (common != DType::Undefined && common != dtype) {
      throw ModelError(cat("inputs have different types, ", dtype_name(common), " and ", dtype_name(dtype)));
    }
    common = dtype;
  }
  return common;
}

std::int64_t axis_of(const InferContext& context, std::int64_t rank) {
  return normalize_axis(context.node().get_int("axis"), rank);
}

std::vector<std::int64_t> normalize_axes(std::vector<std::int64_t> axes, std::int64_t rank) {
  std::vector<bool> seen(static_cast<std::size_t>(rank), false);
  for (std::int64_t& axis : axes) {
    axis = normalize_axis(axis, rank);
    if (seen[static_cast<std::size_t>(axis)]) throw ModelError(cat("axis ", axis, " is named twice"));
    seen[static_cast<std::size_t>(axis)] = true;
  }
  return axes;
}

void require_choice(const InferContext& context, std::string_view attribute,
                    std::initializer_list<std::string_view> choices) {
  const std::string value = context.node().get_string(attribute);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  const std::vector<std::string> names(choices.begin(), choices.end());
  throw ModelError(cat("attribute ", attribute, " is ", quoted(value), ", expected ", join(names, ", ")));
}

}  // namespace adze
