#include "adze/zoo/families.h"

namespace adze::zoo {

/// Fire modules: a 1 × 1 squeeze feeding a 1 × 1 and a 3 × 3 expansion side by side; no batch norms. Version 1.1 has a
/// smaller first convolution and pools earlier.
/// Source  Iandola et al., SqueezeNet, arXiv:1602.07360, table 1, and its authors' release v1.1
Graph squeezenet(Builder net, const Settings& settings) {
  const bool first_version = settings.variant == 10;
  const auto conv = [&](const Feature& x, std::int64_t channels, std::int64_t kernel, std::int64_t stride,
                        Padding padding) {
    return net.conv(x, channels,
                    {.kernel_height = kernel,
                     .kernel_width = kernel,
                     .stride = stride,
                     .padding = padding,
                     .activation = Activation::Relu,
                     .normalized = false});
  };
  const auto scaled = [&](std::int64_t channels) { return scaled_channels(channels, settings.width); };
  Feature x = net.input({3, settings.resolution, settings.resolution});
  x = first_version ? conv(x, scaled(96), 7, 2, Padding::Valid) : conv(x, scaled(64), 3, 2, Padding::Valid);
  x = net.max_pool(x, 3, 2, 0, true);
  for (int fire = 0; fire < 8; ++fire) {
    const bool pools = first_version ? fire == 3 || fire == 7 : fire == 2 || fire == 4;
    if (pools) x = net.max_pool(x, 3, 2, 0, true);
    const std::int64_t squeezed = 16 * (fire / 2 + 1);
    x = conv(x, scaled(squeezed), 1, 1, Padding::Half);
    x = net.concat(
        {conv(x, scaled(4 * squeezed), 1, 1, Padding::Half), conv(x, scaled(4 * squeezed), 3, 1, Padding::Half)});
  }
  return net.finish(net.flatten(net.mean(conv(x, settings.classes, 1, 1, Padding::Half))));
}

}  // namespace adze::zoo
