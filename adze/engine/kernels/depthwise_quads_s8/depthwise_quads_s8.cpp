#include "adze/engine/kernels/depthwise_quads_s8/depthwise_quads_s8.h"

namespace adze::kernels {

#define ADZE_DEPTHWISE_QUADS_S8(name, isa, side, stride) void name(const DepthwiseQuadsS8Call&);
#include "adze/engine/kernels/depthwise_quads_s8/depthwise_quads_s8.def"
#undef ADZE_DEPTHWISE_QUADS_S8

std::span<const DepthwiseQuadsS8Kernel> depthwise_quads_s8_kernels() {
  static const DepthwiseQuadsS8Kernel kernels[] = {
#define ADZE_DEPTHWISE_QUADS_S8(name, isa, side, stride) {#name, Isa::isa, {side, stride}, name},
#include "adze/engine/kernels/depthwise_quads_s8/depthwise_quads_s8.def"
#undef ADZE_DEPTHWISE_QUADS_S8
  };
  return kernels;
}

const DepthwiseQuadsS8Kernel* depthwise_quads_s8_kernel(Isa isa, std::int64_t height, std::int64_t width,
                                                        std::int64_t stride_height, std::int64_t stride_width) {
  if (height != width || stride_height != stride_width) return nullptr;
  for (const DepthwiseQuadsS8Kernel& kernel : depthwise_quads_s8_kernels()) {
    const bool fits = kernel.shape.side == height && kernel.shape.stride == stride_height;
    if (fits && isa_allows(isa, kernel.isa)) return &kernel;
  }
  return nullptr;
}

std::int64_t quad_order_size(std::int64_t channels) {
  return (channels + 63) / 64 * 64;
}

void each_in_quad_order(std::int64_t channels,
                        const std::function<void(std::int64_t entry, std::int64_t channel)>& put) {
  for (std::int64_t first = 0; first < channels; first += 64) {
    const QuadBlock block = quad_block(channels, first);
    for (std::int64_t i = 0; i < 4; ++i) {
      for (std::int64_t lane = 0; lane < 16; ++lane) {
        const std::int64_t channel = block.channel(i, lane);
        if (channel < channels) put(first + 16 * i + lane, channel);
      }
    }
  }
}

std::int64_t packed_depthwise_quads_s8_bytes(const QuadShape& shape, std::int64_t channels) {
  return quad_order_size(channels) * shape.side * shape.outputs() * shape.quads() * 4;
}

void pack_depthwise_quads_s8(const QuadShape& shape, const std::int8_t* weights, std::int64_t channels,
                             std::int8_t* to) {
  const std::int64_t side = shape.side, outputs = shape.outputs(), quads = shape.quads();
  constexpr std::int64_t vector_bytes = 64;
  each_in_quad_order(channels, [&](std::int64_t entry, std::int64_t channel) {
    std::int8_t* block = to + entry / 64 * side * outputs * quads * 4 * vector_bytes;
    const std::int64_t vector = entry % 64 / 16, lane = entry % 16;
    for (std::int64_t ky = 0; ky < side; ++ky) {
      for (std::int64_t p = 0; p < outputs; ++p) {
        for (std::int64_t kx = 0; kx < side; ++kx) {
          const std::int64_t column = p * shape.stride + kx;
          const std::int64_t at = (((ky * outputs + p) * quads + column / 4) * 4 + vector) * vector_bytes;
          block[at + 4 * lane + column % 4] = weights[channel * side * side + ky * side + kx];
        }
      }
    }
  });
}

}  // namespace adze::kernels
