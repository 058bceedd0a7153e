#include <algorithm>
#include <cmath>

#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

struct Stage {
  std::int64_t expansion, channels, blocks, stride, kernel;
};

constexpr Stage stages[] = {{1, 16, 1, 1, 3},  {6, 24, 2, 2, 3},  {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3},
                            {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}};

/// Factors on channels and on blocks, B0 … B7. The resolutions are in the table of networks.
struct Compound {
  double width, depth;
};
constexpr Compound compounds[] = {{1.0, 1.0}, {1.0, 1.1}, {1.1, 1.2}, {1.2, 1.4},
                                  {1.4, 1.8}, {1.6, 2.2}, {1.8, 2.6}, {2.0, 3.1}};

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

/// Inverted residuals with gates and SiLU; depth, width and resolution grow together from B0 to B7.
/// Source  Tan and Le, EfficientNet, arXiv:1905.11946, table 1; factors: its authors' reference code
Graph efficientnet(Builder net, const Settings& settings) {
  const Compound& compound = compounds[settings.variant];
  const auto scaled = [&](double channels) { return rounded_channels(channels * compound.width * settings.width); };
  Feature x = net.conv(net.input({3, settings.resolution, settings.resolution}), scaled(32), 3, 2, Activation::Silu);
  for (const Stage& stage : stages) {
    const std::int64_t channels = scaled(static_cast<double>(stage.channels));
    const auto blocks = static_cast<std::int64_t>(std::ceil(static_cast<double>(stage.blocks) * compound.depth));
    for (std::int64_t block = 0; block < blocks; ++block) {
      x = inverted_residual(net, x, stage, channels, block == 0 ? stage.stride : 1);
    }
  }
  x = net.conv(x, scaled(1280), 1, 1, Activation::Silu);
  return net.finish(net.dense(net.flatten(net.mean(x)), settings.classes));
}

}  // namespace adze::zoo
