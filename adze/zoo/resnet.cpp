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

Feature bottleneck_branch(Builder& net, const Feature& x, std::int64_t channels, std::int64_t stride) {
  const Feature narrow = net.conv(x, channels, 1, 1, Activation::Relu);
  return branch_end(net, net.conv(narrow, channels, 3, stride, Activation::Relu), 4 * channels, 1, Padding::Half);
}

Graph resnet(Builder net, const Settings& settings, const std::array<int, 4>& blocks, bool bottleneck) {
  const std::int64_t base = scaled_channels(64, settings.width);
  Feature x = net.conv(net.input({3, settings.resolution, settings.resolution}), base, 7, 2, Activation::Relu);
  x = net.max_pool(x, 3, 2, 1, false);
  for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
    const std::int64_t channels = base << stage;
    for (int block = 0; block < blocks[stage]; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      const Feature branch = bottleneck ? bottleneck_branch(net, x, channels, stride)
                                        : basic_branch(net, x, channels, stride, Padding::Half);
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

namespace {

/// Three stages of `blocks` basic blocks, 6 · blocks + 2 layers; shortcuts that change size are 1 × 1 convolutions
/// (option B of the paper, where option A pads with zeros).
Graph picture_resnet(Builder net, const Settings& settings, int blocks) {
  const std::int64_t base = scaled_channels(16, settings.width);
  Feature x = net.conv(net.input({3, settings.resolution, settings.resolution}), base, 3, 1, Activation::Relu);
  for (int stage = 0; stage < 3; ++stage) {
    for (int block = 0; block < blocks; ++block) {
      const std::int64_t channels = base << stage, stride = stage > 0 && block == 0 ? 2 : 1;
      const Feature branch = basic_branch(net, x, channels, stride, Padding::Half);
      if (x.shape != branch.shape) x = net.conv(x, channels, 1, stride, Activation::None);
      x = net.add(x, branch, Activation::Relu);
    }
  }
  return net.finish(net.dense(net.flatten(net.mean(x)), settings.classes));
}

}  // namespace

/// Source  He et al., arXiv:1512.03385, section 4.2
Graph resnet20(Builder net, const Settings& settings) {
  return picture_resnet(std::move(net), settings, 3);
}

Graph resnet32(Builder net, const Settings& settings) {
  return picture_resnet(std::move(net), settings, 5);
}

Graph resnet56(Builder net, const Settings& settings) {
  return picture_resnet(std::move(net), settings, 9);
}

/// Source  He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385, table 1
Graph resnet18(Builder net, const Settings& settings) {
  return resnet(std::move(net), settings, {2, 2, 2, 2}, false);
}

Graph resnet34(Builder net, const Settings& settings) {
  return resnet(std::move(net), settings, {3, 4, 6, 3}, false);
}

/// The same with bottleneck blocks; the stride is in the 3 × 3 convolution.
Graph resnet50(Builder net, const Settings& settings) {
  return resnet(std::move(net), settings, {3, 4, 6, 3}, true);
}

}  // namespace adze::zoo
