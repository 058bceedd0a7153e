#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "adze/base/random.h"
#include "adze/base/text.h"
#include "adze/engine/reference/reference.h"
#include "adze/graph/graph.h"
#include "adze/rewrite/rule.h"

namespace adze::testing {

/// Inputs of the right types: unknown dimensions are 2, floats normal, integers small and not negative.
inline std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed) {
  Random random(seed);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    const ValueType& type = graph.value(id).type;
    Shape shape;
    for (const Dim& dim : type.shape.value()) shape.push_back(dim.is_known() ? dim.value : 2);
    Tensor tensor(type.dtype, shape);
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      if (is_float(type.dtype)) {
        tensor.set_double(i, random.normal());
      } else {
        tensor.set_int(i, static_cast<std::int64_t>(random.below(type.dtype == DType::Bool ? 2 : 4)));
      }
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

/// What differs between two outputs, or nothing. Exact: equal numbers (NaN equals NaN). Rounding: within 1e-4 of the
/// largest value, integers within one (a rounding before a quantizer may fall on the other side).
inline std::optional<std::string> output_difference(const Tensor& a, const Tensor& b, rewrite::Exactness exactness) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return cat(type_text(a), " against ", type_text(b));
  if (a.dtype() == DType::String) return identical(a, b) ? std::nullopt : std::optional<std::string>("strings differ");
  double largest = 1e-3;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(a.get_double(i))) largest = std::max(largest, std::abs(a.get_double(i)));
  }
  const double tolerance = exactness == rewrite::Exactness::Exact ? 0 : is_float(a.dtype()) ? 1e-4 * largest : 1;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double x = a.get_double(i), y = b.get_double(i);
    if (x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= tolerance) continue;
    return cat("element ", i, ": ", x, " against ", y);
  }
  return std::nullopt;
}

/// What differs between the outputs of two graphs on the same random inputs, or nothing.
inline std::optional<std::string> run_difference(const Graph& a, const Graph& b, rewrite::Exactness exactness,
                                                 std::uint64_t seed = 1) {
  const std::vector<Tensor> inputs = random_inputs(a, seed);
  const auto x = reference::run_tensors(a, inputs), y = reference::run_tensors(b, inputs);
  if (x.size() != y.size()) return cat(x.size(), " outputs against ", y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (const auto difference = output_difference(x[i], y[i], exactness)) {
      return cat("output ", a.value(a.outputs()[i]).name, ", ", *difference);
    }
  }
  return std::nullopt;
}

}  // namespace adze::testing
