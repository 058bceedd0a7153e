#pragma once

#include <functional>
#include <span>

#include "adze/engine/isa.h"
#include "adze/engine/kernels/depthwise_quads_s8/depthwise_quads_s8_call.h"

namespace adze::kernels {

/// One line of depthwise_quads_s8.def.
struct DepthwiseQuadsS8Kernel {
  const char* name;
  Isa isa;
  QuadShape shape;
  void (*run)(const DepthwiseQuadsS8Call&);
};
std::span<const DepthwiseQuadsS8Kernel> depthwise_quads_s8_kernels();
/// The first line for the filter that the instruction set allows; null: none.
const DepthwiseQuadsS8Kernel* depthwise_quads_s8_kernel(Isa isa, std::int64_t height, std::int64_t width,
                                                        std::int64_t stride_height, std::int64_t stride_width);

/// Entries of arrays by channel in the order of quads: 64 for each block.
std::int64_t quad_order_size(std::int64_t channels);
/// Calls put(entry, channel) for the entries that have a channel.
void each_in_quad_order(std::int64_t channels,
                        const std::function<void(std::int64_t entry, std::int64_t channel)>& put);

std::int64_t packed_depthwise_quads_s8_bytes(const QuadShape& shape, std::int64_t channels);
/// Weights [channels][side * side] in the order that kernels read: [block][row of taps][output][quad][4][16 lanes][4].
/// to: all zero.
void pack_depthwise_quads_s8(const QuadShape& shape, const std::int8_t* weights, std::int64_t channels,
                             std::int8_t* to);

}  // namespace adze::kernels
