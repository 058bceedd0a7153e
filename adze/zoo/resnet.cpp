#include <algorithm>
#include <array>

#include "adze/zoo/families.h"

namespace adze::zoo {

namespace {

/// The last convolution of a branch is drawn smaller, so that sums do not grow from block to block.
constexpr double branch_gain = 0.25;

Feature branch_end(Builder& net, const Feature& x, std::int64_t channels, std::int64_t kernel, Padding padding) {
  return net.conv(x, channels,
                  {.kernel_height = kernel, .kernel_width = kernel, .padding = padding, .gain = branch_gain});
}

Feature basic_branch(Builder& net, const Feature& x, std::int64_t channels, std::int64_t stride, Padding padding) {
  return branch_end(net, net.conv(x, channels, 3, stride, Activation::Relu, padding), channels, 3, padding);
}

/// What the deeper networks differ in.
struct Kind {
  std::array<int, 4> blocks;
  bool bottleneck;
  std::int64_t groups = 1;  ///< of the 3 × 3 convolution in a bottleneck, which is twice as wide when there are several
  bool gated = false;       ///< squeeze and excitation before the sum
};

/// Source  Hu et al., Squeeze-and-Excitation Networks, arXiv:1709.01507: reduction 16, biases in both layers
Feature gated(Builder& net, const Feature& x) {
  constexpr std::int64_t reduction = 16;
  const std::int64_t squeezed = std::max<std::int64_t>(1, x.channels() / reduction);
  const Feature gate = net.conv(net.mean(x), squeezed, {.activation = Activation::Relu, .normalized = false});
  return net.multiply(
      x, net.conv(gate, x.channels(), {.activation = Activation::Sigmoid, .normalized = false, .gain = 1}));
}

Feature bottleneck_branch(Builder& net, const Feature& x, const Kind& kind, std::int64_t channels,
                          std::int64_t stride) {
  // A fraction of the width still gives whole groups.
  const std::int64_t wanted = kind.groups == 1 ? channels : 2 * channels;
  const std::int64_t middle = (wanted + kind.groups - 1) / kind.groups * kind.groups;
  Feature y = net.conv(x, middle, 1, 1, Activation::Relu);
  y = net.conv(
      y, middle,
      {.kernel_height = 3, .kernel_width = 3, .stride = stride, .groups = kind.groups, .activation = Activation::Relu});
  return branch_end(net, y, 4 * channels, 1, Padding::Half);
}

Graph deep_resnet(Builder net, const Settings& settings, const Kind& kind) {
  const std::int64_t base = scaled_channels(64, settings.width);
  Feature x = net.conv(net.input({3, settings.resolution, settings.resolution}), base, 7, 2, Activation::Relu);
  x = net.max_pool(x, 3, 2, 1, false);
  for (std::size_t stage = 0; stage < kind.blocks.size(); ++stage) {
    const std::int64_t channels = base << stage;
    for (int block = 0; block < kind.blocks[stage]; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      Feature branch = kind.bottleneck ? bottleneck_branch(net, x, kind, channels, stride)
                                       : basic_branch(net, x, channels, stride, Padding::Half);
      if (kind.gated) branch = gated(net, branch);
      if (x.shape != branch.shape) x = net.conv(x, branch.channels(), 1, stride, Activation::None);
      x = net.add(x, branch, Activation::Relu);
    }
  }
  return net.finish(net.dense(net.flatten(net.mean(x)), settings.classes));
}

}  // namespace

/// Three stages of one residual block for 32 × 32 pictures.
/// Source  He et al., arXiv:1512.03385, in the form of MLPerf Tiny v1, image classification
Graph resnet8(Builder net, const Settings& settings) {
  const std::int64_t base = scaled_channels(16, settings.width);
  Feature x =
      net.conv(net.input({3, settings.resolution, settings.resolution}), base, 3, 1, Activation::Relu, Padding::Same);
  for (int stage = 0; stage < 3; ++stage) {
    const std::int64_t channels = base << stage, stride = stage == 0 ? 1 : 2;
    const Feature branch = basic_branch(net, x, channels, stride, Padding::Same);
    if (stage > 0) x = net.conv(x, channels, 1, stride, Activation::None, Padding::Same);
    x = net.add(x, branch, Activation::Relu);
  }
  return net.finish(net.softmax(net.dense(net.flatten(net.mean(x)), settings.classes)));
}

/// For 32 × 32 pictures: three stages of `layers` basic blocks, depth 6 · layers + 2. Where a stage begins, the
/// shortcut is a 1 × 1 convolution (the paper's option B) or, as variant 1, every second pixel with zeros for the new
/// channels (option A, which the paper's CIFAR networks have). Source  He et al., Deep Residual Learning for Image
/// Recognition, arXiv:1512.03385, section 4.2
Graph cifar_resnet(Builder net, const Settings& settings) {
  const std::int64_t base = scaled_channels(16, settings.width);
  Feature x = net.conv(net.input({3, settings.resolution, settings.resolution}), base, 3, 1, Activation::Relu);
  for (int stage = 0; stage < 3; ++stage) {
    for (std::int64_t block = 0; block < settings.layers; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      const Feature branch = basic_branch(net, x, base << stage, stride, Padding::Half);
      if (stride != 1) {
        x = settings.variant == 1 ? net.subsample(x, base << stage, stride)
                                  : net.conv(x, base << stage, 1, stride, Activation::None);
      }
      x = net.add(x, branch, Activation::Relu);
    }
  }
  return net.finish(net.dense(net.flatten(net.mean(x)), settings.classes));
}

/// Basic blocks to depth 34, bottleneck blocks in 50; the stride is in the 3 × 3 convolution.
/// Source  He et al., arXiv:1512.03385, table 1
Graph resnet(Builder net, const Settings& settings) {
  if (settings.variant == 18) return deep_resnet(std::move(net), settings, {{2, 2, 2, 2}, false});
  return deep_resnet(std::move(net), settings, {{3, 4, 6, 3}, settings.variant == 50});
}

/// Source  Xie et al., Aggregated Residual Transformations, arXiv:1611.05431, table 1: 32 groups of 4
Graph resnext50(Builder net, const Settings& settings) {
  return deep_resnet(std::move(net), settings, {{3, 4, 6, 3}, true, 32});
}

Graph se_resnet50(Builder net, const Settings& settings) {
  return deep_resnet(std::move(net), settings, {{3, 4, 6, 3}, true, 1, true});
}

}  // namespace adze::zoo
