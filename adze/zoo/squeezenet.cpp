#include "adze/zoo/families.h"

namespace adze::zoo {

/// Fire modules: a 1 × 1 squeeze feeding a 1 × 1 and a 3 × 3 expansion side by side. Version 1.1.
/// Source  Iandola et al., SqueezeNet, arXiv:1602.07360, and its authors' release v1.1
Graph squeezenet_1_1(Builder net, const Settings& settings) {
  const auto scaled = [&](std::int64_t channels) { return scaled_channels(channels, settings.width); };
  Feature x = net.conv(net.input({3, settings.resolution, settings.resolution}), scaled(64), 3, 2, Activation::Relu,
                       Padding::Valid);
  x = net.max_pool(x, 3, 2, 0, true);
  for (int fire = 0; fire < 8; ++fire) {
    if (fire == 2 || fire == 4) x = net.max_pool(x, 3, 2, 0, true);
    const std::int64_t squeezed = 16 * (fire / 2 + 1);
    x = net.conv(x, scaled(squeezed), 1, 1, Activation::Relu);
    x = net.concat({net.conv(x, scaled(4 * squeezed), 1, 1, Activation::Relu),
                    net.conv(x, scaled(4 * squeezed), 3, 1, Activation::Relu)});
  }
  return net.finish(net.flatten(net.mean(net.conv(x, settings.classes, 1, 1, Activation::Relu))));
}

}  // namespace adze::zoo
