#include <span>

#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

struct Block {
  std::int64_t kernel, expanded, channels;
  bool gated;
  Activation activation;
  std::int64_t stride;
};

constexpr Activation relu = Activation::Relu, swish = Activation::HardSwish;

constexpr Block small_blocks[] = {
    {3, 16, 16, true, relu, 2},   {3, 72, 24, false, relu, 2},  {3, 88, 24, false, relu, 1},
    {5, 96, 40, true, swish, 2},  {5, 240, 40, true, swish, 1}, {5, 240, 40, true, swish, 1},
    {5, 120, 48, true, swish, 1}, {5, 144, 48, true, swish, 1}, {5, 288, 96, true, swish, 2},
    {5, 576, 96, true, swish, 1}, {5, 576, 96, true, swish, 1}};

constexpr Block large_blocks[] = {
    {3, 16, 16, false, relu, 1},   {3, 64, 24, false, relu, 2},   {3, 72, 24, false, relu, 1},
    {5, 72, 40, true, relu, 2},    {5, 120, 40, true, relu, 1},   {5, 120, 40, true, relu, 1},
    {3, 240, 80, false, swish, 2}, {3, 200, 80, false, swish, 1}, {3, 184, 80, false, swish, 1},
    {3, 184, 80, false, swish, 1}, {3, 480, 112, true, swish, 1}, {3, 672, 112, true, swish, 1},
    {5, 672, 160, true, swish, 2}, {5, 960, 160, true, swish, 1}, {5, 960, 160, true, swish, 1}};

Feature squeeze_and_excite(Builder& net, const Feature& x) {
  const std::int64_t quarter = x.channels() / 4;
  const std::int64_t squeezed = rounded_channels(static_cast<double>(quarter));
  const Feature gate = net.conv(net.mean(x), squeezed, {.activation = Activation::Relu, .normalized = false});
  return net.multiply(
      x, net.conv(gate, x.channels(), {.activation = Activation::HardSigmoid, .normalized = false, .gain = 1}));
}

Feature inverted_residual(Builder& net, const Feature& x, const Block& block, double width) {
  const auto scaled = [&](std::int64_t channels) { return rounded_channels(static_cast<double>(channels) * width); };
  Feature y = x;
  if (scaled(block.expanded) != x.channels()) y = net.conv(y, scaled(block.expanded), 1, 1, block.activation);
  y = net.depthwise(y, block.kernel, block.stride, block.activation);
  if (block.gated) y = squeeze_and_excite(net, y);
  const bool residual = block.stride == 1 && x.channels() == scaled(block.channels);
  // A gate halves what passes it.
  y = net.conv(y, scaled(block.channels), {.gain = (residual ? 0.25 : 2) * (block.gated ? 2.5 : 1)});
  return residual ? net.add(x, y) : y;
}

Graph mobilenet(Builder net, const Settings& settings, std::span<const Block> blocks, double last_convolution,
                double last_layer) {
  const auto scaled = [&](double channels) { return rounded_channels(channels * settings.width); };
  Feature x =
      net.conv(net.input({3, settings.resolution, settings.resolution}), scaled(16), 3, 2, Activation::HardSwish);
  for (const Block& block : blocks) x = inverted_residual(net, x, block, settings.width);
  x = net.conv(x, scaled(last_convolution), 1, 1, Activation::HardSwish);
  x = net.dense(net.flatten(net.mean(x)), scaled(last_layer));
  return net.finish(net.dense(net.activate(x, Activation::HardSwish), settings.classes));
}

}  // namespace

/// Searched inverted residuals with gates and hard-swish.
/// Source  Howard et al., Searching for MobileNetV3, arXiv:1905.02244, table 2
Graph mobilenet_v3_small(Builder net, const Settings& settings) {
  return mobilenet(std::move(net), settings, small_blocks, 576, 1024);
}

/// Source  the same, table 1
Graph mobilenet_v3_large(Builder net, const Settings& settings) {
  return mobilenet(std::move(net), settings, large_blocks, 960, 1280);
}

}  // namespace adze::zoo
