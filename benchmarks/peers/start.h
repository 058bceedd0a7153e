#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "adze/numerics/shape.h"

namespace adze::peers {

/// What getting ready costs, measured in a process of its own from the model's file to the end of the first runs.
struct StartCost {
  double creation_seconds = 0;    ///< reading the file and making the session
  std::int64_t peak_bytes = 0;    ///< resident memory at its highest, less that before
  std::int64_t packed_bytes = 0;  ///< adze only
  std::int64_t arena_bytes = 0;   ///< adze only
};

struct StartRequest {
  std::string engine;  ///< "adze" or "onnxruntime"
  std::filesystem::path model;
  std::filesystem::path library;      ///< of ONNX Runtime
  std::filesystem::path weight_file;  ///< adze: packed weights kept here; empty: nowhere
  std::string isa;
  Shape input;  ///< f32; known from outside, so that the file is read once only
};

/// Runs this program again with the request and reads what it prints.
StartCost measure_start(const StartRequest& request);

/// The other side: carries the request out and prints the cost.
void answer_start(const StartRequest& request);

}  // namespace adze::peers
