#include <algorithm>

#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

struct Stage {
  std::int64_t expansion, channels, blocks, stride, kernel;
};

constexpr Stage stages[] = {{1, 16, 1, 1, 3},  {6, 24, 2, 2, 3},  {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3},
                            {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}};

Feature squeeze_and_excite(Builder& net, const Feature& x, std::int64_t squeezed) {
  const Feature gate = net.conv(net.mean(x), squeezed, {.activation = Activation::Silu, .normalized = false});
  return net.multiply(
      x, net.conv(gate, x.channels(), {.activation = Activation::Sigmoid, .normalized = false, .gain = 1}));
}

Feature inverted_residual(Builder& net, const Feature& x, const Stage& stage, std::int64_t channels,
                          std::int64_t stride) {
  Feature y = x;
  if (stage.expansion != 1) y = net.conv(y, x.channels() * stage.expansion, 1, 1, Activation::Silu);
  y = net.depthwise(y, stage.kernel, stride, Activation::Silu);
  y = squeeze_and_excite(net, y, std::max<std::int64_t>(1, x.channels() / 4));
  const bool residual = stride == 1 && x.channels() == channels;
  y = net.conv(y, channels, {.gain = residual ? 0.5 : 5.0});  // a gate halves what passes it
  return residual ? net.add(x, y) : y;
}

}  // namespace

/// Inverted residuals with gates and SiLU.
/// Source  Tan and Le, EfficientNet, arXiv:1905.11946, table 1
Graph efficientnet_b0(Builder net, const Settings& settings) {
  Feature x = net.conv(net.input({3, settings.resolution, settings.resolution}), rounded_channels(32 * settings.width),
                       3, 2, Activation::Silu);
  for (const Stage& stage : stages) {
    const std::int64_t channels = rounded_channels(static_cast<double>(stage.channels) * settings.width);
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      x = inverted_residual(net, x, stage, channels, block == 0 ? stage.stride : 1);
    }
  }
  x = net.conv(x, rounded_channels(1280 * settings.width), 1, 1, Activation::Silu);
  return net.finish(net.dense(net.flatten(net.mean(x)), settings.classes));
}

}  // namespace adze::zoo
