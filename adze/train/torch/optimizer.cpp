#include "adze/train/torch/optimizer.h"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <ATen/ATen.h>

namespace adze::train {

namespace {

using torch::optim::OptimizerParamGroup;

template <typename Options>
void set_rate(OptimizerParamGroup& group, double rate) {
  static_cast<Options&>(group.options()).lr(rate);
}

std::unique_ptr<torch::optim::OptimizerOptions> options_for(const OptimizerOptions& options, bool decays) {
  const double decay = decays ? options.weight_decay : 0;
  switch (options.kind) {
    case OptimizerKind::Sgd:
      return std::make_unique<torch::optim::SGDOptions>(
          torch::optim::SGDOptions(0.1).momentum(options.momentum).nesterov(options.nesterov).weight_decay(decay));
    case OptimizerKind::Adam:
      return std::make_unique<torch::optim::AdamOptions>(torch::optim::AdamOptions(1e-3)
                                                             .betas(std::make_tuple(options.beta1, options.beta2))
                                                             .eps(options.epsilon)
                                                             .weight_decay(decay));
    case OptimizerKind::AdamW:
      return std::make_unique<torch::optim::AdamWOptions>(torch::optim::AdamWOptions(1e-3)
                                                              .betas(std::make_tuple(options.beta1, options.beta2))
                                                              .eps(options.epsilon)
                                                              .weight_decay(decay));
  }
  return nullptr;
}

template <typename ParameterState>
void read_moments(const ParameterState& state, const std::string& name, std::map<std::string, at::Tensor>& out) {
  out["step:" + name] = at::full({}, state.step(), at::kLong);
  out["exp_avg:" + name] = state.exp_avg();
  out["exp_avg_sq:" + name] = state.exp_avg_sq();
}

template <typename ParameterState>
std::unique_ptr<torch::optim::OptimizerParamState> moments(const std::map<std::string, at::Tensor>& state,
                                                           const std::string& name) {
  const auto step = state.find("step:" + name);
  if (step == state.end()) return nullptr;
  auto result = std::make_unique<ParameterState>();
  result->step(step->second.item<std::int64_t>());
  result->exp_avg(state.at("exp_avg:" + name).clone());
  result->exp_avg_sq(state.at("exp_avg_sq:" + name).clone());
  return result;
}

}  // namespace

struct Optimizer::Implementation {
  OptimizerKind kind;
  std::vector<OptimizedParameter> parameters;
  std::vector<double> factors;  ///< by group
  std::unique_ptr<torch::optim::Optimizer> optimizer;

  static std::string key(const at::Tensor& tensor) { return c10::guts::to_string(tensor.unsafeGetTensorImpl()); }
};

Optimizer::Optimizer(const std::vector<OptimizedParameter>& parameters, const OptimizerOptions& options)
    : implementation_(new Implementation{options.kind, parameters, {}, nullptr}) {
  // Parameters of equal treatment form a group, in the order of their first.
  std::vector<std::pair<std::pair<bool, double>, std::vector<at::Tensor>>> sorted;
  for (const OptimizedParameter& one : parameters) {
    const std::pair<bool, double> treatment{one.decays, one.rate_factor};
    auto found =
        std::find_if(sorted.begin(), sorted.end(), [&](const auto& group) { return group.first == treatment; });
    if (found == sorted.end()) found = sorted.insert(sorted.end(), {treatment, {}});
    found->second.push_back(one.tensor);
  }
  std::vector<OptimizerParamGroup> groups;
  for (auto& [treatment, tensors] : sorted) {
    groups.emplace_back(std::move(tensors), options_for(options, treatment.first));
    implementation_->factors.push_back(treatment.second);
  }
  switch (options.kind) {
    case OptimizerKind::Sgd:
      implementation_->optimizer = std::make_unique<torch::optim::SGD>(
          std::move(groups), torch::optim::SGDOptions(0.1).momentum(options.momentum));
      break;
    case OptimizerKind::Adam:
      implementation_->optimizer = std::make_unique<torch::optim::Adam>(std::move(groups));
      break;
    case OptimizerKind::AdamW:
      implementation_->optimizer = std::make_unique<torch::optim::AdamW>(std::move(groups));
      break;
  }
}

Optimizer::~Optimizer() = default;

void Optimizer::step(double learning_rate) {
  auto& groups = implementation_->optimizer->param_groups();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const double rate = learning_rate * implementation_->factors[i];
    switch (implementation_->kind) {
      case OptimizerKind::Sgd:
        set_rate<torch::optim::SGDOptions>(groups[i], rate);
        break;
      case OptimizerKind::Adam:
        set_rate<torch::optim::AdamOptions>(groups[i], rate);
        break;
      case OptimizerKind::AdamW:
        set_rate<torch::optim::AdamWOptions>(groups[i], rate);
        break;
    }
  }
  implementation_->optimizer->step();
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  std::map<std::string, at::Tensor> result;
  const auto& states = implementation_->optimizer->state();
  for (const OptimizedParameter& one : implementation_->parameters) {
    const auto found = states.find(Implementation::key(one.tensor));
    if (found == states.end()) continue;
    switch (implementation_->kind) {
      case OptimizerKind::Sgd: {
        const auto& state = static_cast<const torch::optim::SGDParamState&>(*found->second);
        if (state.momentum_buffer().defined()) result["momentum:" + one.name] = state.momentum_buffer();
        break;
      }
      case OptimizerKind::Adam:
        read_moments(static_cast<const torch::optim::AdamParamState&>(*found->second), one.name, result);
        break;
      case OptimizerKind::AdamW:
        read_moments(static_cast<const torch::optim::AdamWParamState&>(*found->second), one.name, result);
        break;
    }
  }
  return result;
}

void Optimizer::restore(const std::map<std::string, at::Tensor>& state) {
  auto& states = implementation_->optimizer->state();
  for (const OptimizedParameter& one : implementation_->parameters) {
    std::unique_ptr<torch::optim::OptimizerParamState> restored;
    switch (implementation_->kind) {
      case OptimizerKind::Sgd:
        if (const auto found = state.find("momentum:" + one.name); found != state.end()) {
          auto momentum = std::make_unique<torch::optim::SGDParamState>();
          momentum->momentum_buffer(found->second.clone());
          restored = std::move(momentum);
        }
        break;
      case OptimizerKind::Adam:
        restored = moments<torch::optim::AdamParamState>(state, one.name);
        break;
      case OptimizerKind::AdamW:
        restored = moments<torch::optim::AdamWParamState>(state, one.name);
        break;
    }
    const std::string key = Implementation::key(one.tensor);
    states.erase(key);
    if (restored) states[key] = std::move(restored);
  }
}

}  // namespace adze::train
