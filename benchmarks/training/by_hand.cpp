#include "benchmarks/training/by_hand.h"

#include <torch/nn.h>
#include <torch/optim/sgd.h>

namespace adze::benchmarks {

namespace {

namespace nn = torch::nn;

nn::Conv2d convolution(int in, int out, int size, int stride) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, size).stride(stride).padding(size / 2).bias(false));
}

struct BlockImpl : nn::Module {
  BlockImpl(int in, int out, int stride)
      : first(convolution(in, out, 3, stride)), second(convolution(out, out, 3, 1)), first_norm(out), second_norm(out) {
    register_module("first", first);
    register_module("second", second);
    register_module("first_norm", first_norm);
    register_module("second_norm", second_norm);
    if (stride == 1 && in == out) return;
    shortcut = register_module("shortcut", convolution(in, out, 1, stride));
    shortcut_norm = register_module("shortcut_norm", nn::BatchNorm2d(out));
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = second_norm(second(at::relu(first_norm(first(x)))));
    return at::relu(y + (shortcut.is_empty() ? x : shortcut_norm(shortcut(x))));
  }
  nn::Conv2d first, second, shortcut{nullptr};
  nn::BatchNorm2d first_norm, second_norm, shortcut_norm{nullptr};
};
TORCH_MODULE(Block);

class ResNetByHand : public ByHand {
 public:
  ResNetByHand(int blocks, bool channels_last)
      : channels_last_(channels_last), stem_(convolution(3, 16, 3, 1)), norm_(16), head_(64, 10) {
    net_->push_back(stem_);
    net_->push_back(norm_);
    net_->push_back(nn::ReLU());
    int in = 16;
    for (const int out : {16, 32, 64}) {
      for (int i = 0; i < blocks; ++i, in = out) net_->push_back(Block(in, out, i == 0 && out > 16 ? 2 : 1));
    }
    net_->push_back(nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions(1)));
    net_->push_back(nn::Flatten());
    net_->push_back(head_);
    if (channels_last) {
      const at::NoGradGuard no_grad;
      for (at::Tensor& parameter : net_->parameters()) {
        if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
      }
    }
    optimizer_ = std::make_unique<torch::optim::SGD>(net_->parameters(),
                                                     torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(5e-4));
    net_->train();
  }

  double step(const train::LearnBatch& batch, double learning_rate) override {
    const Tensor& pictures = batch.inputs[0];
    at::Tensor x = torch::from_blob(const_cast<float*>(pictures.data<float>().data()),
                                    at::IntArrayRef(pictures.shape().data(), pictures.shape().size()), at::kFloat);
    if (channels_last_) x = x.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor labels = torch::from_blob(const_cast<std::int64_t*>(batch.labels.data<std::int64_t>().data()),
                                               {batch.labels.size()}, at::kLong);
    for (auto& group : optimizer_->param_groups()) {
      static_cast<torch::optim::SGDOptions&>(group.options()).lr(learning_rate);
    }
    optimizer_->zero_grad();
    const at::Tensor loss = at::cross_entropy_loss(net_->forward(x), labels);
    loss.backward();
    optimizer_->step();
    return loss.item<double>();
  }

 private:
  bool channels_last_;
  nn::Conv2d stem_;
  nn::BatchNorm2d norm_;
  nn::Linear head_;
  nn::Sequential net_;
  std::unique_ptr<torch::optim::SGD> optimizer_;
};

}  // namespace

std::unique_ptr<ByHand> make_by_hand(int blocks, bool channels_last) {
  return std::make_unique<ResNetByHand>(blocks, channels_last);
}

}  // namespace adze::benchmarks
