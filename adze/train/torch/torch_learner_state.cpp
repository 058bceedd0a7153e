// What a checkpoint holds of a learner.
#include <ATen/ATen.h>

#include "adze/base/text.h"
#include "adze/train/torch/tensors.h"
#include "adze/train/torch/torch_learner.h"

namespace adze::train {

namespace {

constexpr const char* weight_prefix = "weight:";

}  // namespace

State TorchLearner::state() const {
  auto& self = const_cast<TorchLearner&>(*this);
  State state;
  const std::vector<Variable*> now = self.moved();
  for (std::size_t i = 0; i < now.size(); ++i) {
    state[weight_prefix + now[i]->name] = from_torch(now[i]->tensor);
    if (!average_.empty()) state["average:" + now[i]->name] = from_torch(average_[i]);
  }
  for (const Variable& one : self.executor_.statistics()) state["statistic:" + one.name] = from_torch(one.tensor);
  for (std::size_t i = 0; i < self.executor_.quantizers().size(); ++i) {
    const FakeQuantizer& quantizer = self.executor_.quantizers()[i];
    if (quantizer.rule() != ScaleRule::MovingAverage) continue;
    state[cat("scale:", i)] = from_torch(quantizer.scale);
    state[cat("zero_point:", i)] = from_torch(quantizer.zero_point);
    if (quantizer.range.defined()) state[cat("range:", i)] = from_torch(quantizer.range);
  }
  for (const auto& [name, mask] : kept_.masks()) state["mask:" + name] = from_torch(mask);
  for (const auto& [name, tensor] : optimizer_->state()) state["optimizer:" + name] = from_torch(tensor);
  state["loss_scale"] = Tensor::scalar(loss_scale_);
  state["clean_steps"] = Tensor::scalar(clean_steps_);
  return state;
}

void TorchLearner::restore(const State& state) {
  const at::NoGradGuard no_grad;
  const auto find = [&](const std::string& key) -> const Tensor& {
    const auto found = state.find(key);
    if (found == state.end())
      throw ModelError(cat("the checkpoint is of another network: it has no ", adze::quoted(key)));
    return found->second;
  };
  const auto put = [&](at::Tensor& tensor, const std::string& key) {
    const at::Tensor value = to_torch(find(key));
    if (value.sizes() != tensor.sizes())
      throw ModelError(cat("the checkpoint is of another network: ", adze::quoted(key), " has another shape"));
    tensor.copy_(value);
  };
  const std::vector<Variable*> now = moved();
  for (std::size_t i = 0; i < now.size(); ++i) {
    put(now[i]->tensor, weight_prefix + now[i]->name);
    if (!average_.empty()) put(average_[i], "average:" + now[i]->name);
  }
  for (Variable& one : executor_.statistics()) put(one.tensor, "statistic:" + one.name);
  for (std::size_t i = 0; i < executor_.quantizers().size(); ++i) {
    FakeQuantizer& quantizer = executor_.quantizers()[i];
    if (quantizer.rule() != ScaleRule::MovingAverage) continue;
    put(quantizer.scale, cat("scale:", i));
    put(quantizer.zero_point, cat("zero_point:", i));
    if (quantizer.range.defined()) put(quantizer.range, cat("range:", i));
  }
  std::map<std::string, at::Tensor> moments;
  for (const auto& [key, value] : state) {
    if (key.starts_with("mask:")) kept_.set_mask(variable(key.substr(5)), to_torch(value).to(device_));
    if (key.starts_with("optimizer:")) moments[key.substr(10)] = to_torch(value).to(device_);
  }
  optimizer_->restore(moments);
  loss_scale_ = find("loss_scale").get_double(0);
  clean_steps_ = find("clean_steps").get_int(0);
}

}  // namespace adze::train
