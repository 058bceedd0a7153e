#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/depthwise_s8/depthwise_s8_call.h"

namespace adze::kernels {

using DepthwiseS8 = void (*)(const DepthwiseS8Call&);

/// One line of depthwise_s8.def.
struct DepthwiseS8Kernel {
  const char* name;
  Isa isa;
  DepthwiseS8 run;
};
std::span<const DepthwiseS8Kernel> depthwise_s8_kernels();
/// The first kernel of the table that the instruction set allows.
const DepthwiseS8Kernel& depthwise_s8_kernel(Isa isa);

std::int64_t packed_depthwise_s8_count(std::int64_t channels, std::int64_t taps);
/// Weights [channels][taps] in the order that kernels read. to: all zero.
void pack_depthwise_s8(const std::int8_t* weights, std::int64_t channels, std::int64_t taps, std::int16_t* to);

}  // namespace adze::kernels
