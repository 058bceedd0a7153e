#pragma once

#include <cstddef>
#include <span>

namespace adze {

/// examples/demo/demo.onnx, embedded at build time: a small convolutional network trained on the drawn data set of
/// data/synthetic.h by experiments/demo_network.
std::span<const std::byte> demo_network();

}  // namespace adze
