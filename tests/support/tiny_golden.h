#pragma once

#include <nlohmann/json.hpp>

#include "adze/emit/c/emit.h"

namespace adze::test {

/// Input pattern of tests with golden vectors, as a graph takes it (pictures are NCHW there).
inline Tensor pattern(int number, const Shape& nhwc) {
  const bool picture = nhwc.size() == 4;
  const Shape shape = picture ? Shape{nhwc[0], nhwc[3], nhwc[1], nhwc[2]} : nhwc;
  Tensor tensor(DType::S8, shape);
  const auto data = tensor.mutable_data<std::int8_t>();
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    std::int64_t value = 0;
    if (number == 0) value = i * 37 % 256 - 128;
    if (number == 1) value = i * 37 % 64 - 96;
    if (number == 2) value = static_cast<std::int8_t>(state >> 24);
    if (number == 3) value = i / 16 % 256 - 128;
    std::int64_t at = i;
    if (picture) at = i % nhwc[3] * (nhwc[1] * nhwc[2]) + i / nhwc[3];
    data[static_cast<std::size_t>(at)] = static_cast<std::int8_t>(value);
  }
  return tensor;
}

/// The runs of a golden file: inputs and the bytes that TFLite-Micro gives.
inline std::vector<emit::Golden> golden_runs(const nlohmann::json& expected) {
  std::vector<emit::Golden> runs;
  for (const auto& run : expected["runs"]) {
    const auto text = run["outputs_hex"][0].get<std::string>();
    std::vector<std::int8_t> bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
      bytes.push_back(static_cast<std::int8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    const auto size = std::ssize(bytes);
    runs.push_back({{pattern(run["pattern"], expected["input_shape"].get<Shape>())},
                    {Tensor::from<std::int8_t>({1, size}, bytes)}});
  }
  return runs;
}

}  // namespace adze::test
